/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a command and disturbs it at one system call of one of its processes. As strace's inject,
 * save that a process is told from another, and that it starts in a tenth of the time.
 *
 *   disturb REPORT list 0 0 COMMAND…      each call in REPORT: "PROCESS CALL NAME"
 *   disturb REPORT kill K N COMMAND…      SIGKILL for the K-th process as it begins its N-th call
 *   disturb REPORT ENOMEM K N COMMAND…    the N-th call of the K-th process is not made and fails
 *   disturb REPORT ENOMEM+ K N COMMAND…   and so do all later ones of its name in that process
 *
 * A close() is made all the same, for the kernel closes whatever it returns.
 * REPORT: the name of the call that was disturbed, a line each time; empty if it was never made.
 * The first process counts from its exec() on, its descendants from their birth; restarts of a call
 * do not count. Ends with the first process, as it ended; others go on, alone.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 64
#define TRACED                                                                                     \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC)

/* Of <sys/ptrace.h>, which cannot be included beside <linux/ptrace.h>. */
long ptrace(int request, ...);

static const char *const names[] = {
#include "syscalls.h"
};

struct process {
	pid_t pid;
	unsigned calls;
	bool counts, refused;
};

static struct process list[PROCESSES]; /* in the order of their birth */
static struct {
	FILE *report;
	bool list, kill, on;
	int error;
	unsigned process, call;
	uint64_t nr;
} task;

static const char *name_of(uint64_t nr)
{
	return nr < sizeof(names) / sizeof(names[0]) && names[nr] ? names[nr] : "unknown";
}

static int errno_of(const char *name)
{
	size_t len = strcspn(name, "+");

	for (int i = 1; i < 134; i++) {
		const char *known = strerrorname_np(i);

		if (known && strlen(known) == len && strncmp(known, name, len) == 0)
			return i;
	}
	errx(125, "no error is called %s", name);
}

/* The number of the call that is about to be made, and what it returns once it was. */
static void put(pid_t pid, bool result, long value)
{
#if defined(__x86_64__)
	ptrace(PTRACE_POKEUSR, pid, result ? 80L : 120L, value); /* rax, orig_rax */
#else
	errx(125, "calls cannot be refused on this machine (%d %d %ld)", pid, result, value);
#endif
}

static struct process *find(pid_t pid)
{
	struct process *p = list;

	while (p < list + PROCESSES - 1 && p->pid && p->pid != pid)
		p++;
	p->pid = pid;
	p->counts |= p != list;
	return p;
}

static bool is_meant(const struct process *p, uint64_t nr)
{
	if (task.list || p != &list[task.process - 1])
		return false;
	if (p->calls == task.call)
		task.nr = nr;
	return p->calls == task.call || (task.on && p->calls > task.call && nr == task.nr);
}

static void at_entry(struct process *p, uint64_t nr)
{
	p->calls++;
	if (task.list)
		fprintf(task.report, "%td %u %s\n", p - list + 1, p->calls, name_of(nr));
	if (!is_meant(p, nr))
		return;
	fprintf(task.report, "%s\n", name_of(nr));
	if (task.kill) {
		kill(p->pid, SIGKILL);
		return;
	}
	p->refused = true;
	if (nr != SYS_close && nr != SYS_close_range)
		put(p->pid, false, -1);
}

/* brk() has no errors: it returns where the heap ends. */
static void at_exit_of(struct process *p, int64_t result)
{
	if (p->refused)
		put(p->pid, true, task.nr == SYS_brk ? 0 : -task.error);
	else if (result <= -512 && result >= -516) /* the kernel's ERESTART… */
		p->calls--;
	p->refused = false;
}

static void at_call(struct process *p)
{
	struct ptrace_syscall_info info;

	if (!p->counts ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) < (long)sizeof(info.op))
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		at_entry(p, info.entry.nr);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		at_exit_of(p, info.exit.rval);
}

/* One stop. Return: the signal that goes on to the process. */
static int at_stop(struct process *p, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80))
		at_call(p);
	else if (event == PTRACE_EVENT_EXEC)
		p->counts = true;
	else if (event == 0)
		return sig;
	return 0;
}

static int follow(pid_t first)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			err(125, "waitpid");
		if (WIFSTOPPED(status))
			ptrace(PTRACE_SYSCALL, pid, 0L, (long)at_stop(find(pid), status));
		else if (pid == first)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

static pid_t start(char **command)
{
	int gate[2];
	pid_t pid;
	char c;

	if (pipe2(gate, O_CLOEXEC) < 0)
		err(125, "pipe");
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &c, 1) == 0)
			execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0L, (long)TRACED) < 0)
		err(125, "cannot trace");
	close(gate[0]);
	close(gate[1]);
	return pid;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		errx(125, "usage: disturb REPORT list|kill|ERROR[+] PROCESS CALL COMMAND…");
	task.report = fopen(argv[1], "we");
	if (!task.report)
		err(125, "%s", argv[1]);
	task.list = strcmp(argv[2], "list") == 0;
	task.kill = strcmp(argv[2], "kill") == 0;
	task.on = strchr(argv[2], '+') != NULL;
	task.error = task.list || task.kill ? 0 : errno_of(argv[2]);
	task.process = (unsigned)strtoul(argv[3], NULL, 10);
	task.call = (unsigned)strtoul(argv[4], NULL, 10);
	list[0].pid = start(argv + 5);
	return follow(list[0].pid);
}
