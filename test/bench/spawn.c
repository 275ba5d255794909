/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a program as a runtime does: stdin and stdout are pipes, stderr is ours. */
#include "bench.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define OUTPUT_MAX (1U << 20)

/* A configuration fits into the pipe, so it is written before the program exists. */
static int input_pipe(const char *input)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		bench_fail("pipe: %s", strerror(errno));
	if (input && io_write_all(p[1], input, strlen(input)) < 0)
		bench_fail("a configuration of %zu bytes", strlen(input));
	close(p[1]);
	return p[0];
}

struct run bench_spawn(char *const argv[], char *const envp[], const char *input, char **ret_output)
{
	posix_spawn_file_actions_t actions;
	int in = input_pipe(input), out[2], status = 0;
	struct rusage use = { 0 };
	struct run run = { 0 };
	char *text = NULL;
	size_t len;
	pid_t pid;
	int r;

	if (pipe2(out, O_CLOEXEC) < 0)
		bench_fail("pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	run.us = -bench_now_us();
	r = posix_spawn(&pid, argv[0], &actions, NULL, argv, envp);
	close(out[1]);
	close(in);
	if (r == 0) {
		/* To the end of stdout, then to the end of the process: what libcni waits for. */
		io_read_all(out[0], OUTPUT_MAX, &text, &len);
		wait4(pid, &status, 0, &use);
	}
	run.us += bench_now_us();
	posix_spawn_file_actions_destroy(&actions);
	close(out[0]);
	if (r != 0)
		bench_fail("%s: %s", argv[0], strerror(r));
	if (status != 0)
		fprintf(stderr, "%s: status %d: %s\n", argv[0], status, text ? text : "");
	if (ret_output)
		*ret_output = text;
	else
		free(text);
	run.cpu_us = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
		     (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
	run.failed = status != 0;
	return run;
}

static long read_peak(pid_t pid)
{
	cleanup_close int fd = -1;
	cleanup_free char *text = NULL;
	char path[64], *line = NULL;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && io_read_all(fd, OUTPUT_MAX, &text, &len) == 0)
		line = strstr(text, "VmHWM:");
	if (!line)
		bench_fail("%s has no VmHWM", path);
	return strtol(line + 6, NULL, 10);
}

/* The peak must be read when the program ends and its memory still stands: ptrace's exit event. */
long bench_peak_kb(char *const argv[], char *const envp[], const char *input)
{
	int in = input_pipe(input), status;
	long peak = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(in, 0);
		dup2(null, 1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execve(argv[0], argv, envp);
		_exit(127);
	}
	close(in);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		bench_fail("cannot run %s", argv[0]);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
	for (int signal = 0;;) {
		ptrace(PTRACE_CONT, pid, NULL, signal);
		signal = 0;
		if (waitpid(pid, &status, __WALL) < 0 || WIFEXITED(status) || WIFSIGNALED(status))
			break;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			peak = read_peak(pid);
		else if (WSTOPSIG(status) != SIGTRAP)
			signal = WSTOPSIG(status);
	}
	return peak;
}
