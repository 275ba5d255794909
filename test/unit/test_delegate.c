/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A foreign IPAM plugin, played by small shell scripts that behave as badly as they can. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../lib/ipam/child.h"
#include "../refuse.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "ipam/delegate.h"

#define CONFIG "{\"name\":\"net\", \"ipam\" : {\"type\":\"fake\"}}\n"

static char dir[] = "/tmp/test-delegate-XXXXXX";
static char path[64]; /* of the fake plugin */

static void script(const char *body)
{
	int fd;

	snprintf(path, sizeof(path), "%s/fake", dir);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, "#!/bin/sh\n", 10), 0);
	assert_int_equal(io_write_all(fd, body, strlen(body)), 0);
	close(fd);
}

static int run_with(const char *config, size_t len, int timeout_ms, char **out, struct err *e)
{
	const struct delegate_call d = { .verb = "ADD", .config = config, .config_len = len };

	return delegate_run_path(&d, path, timeout_ms, out, e);
}

static int run(int timeout_ms, char **out, struct err *e)
{
	return run_with(CONFIG, strlen(CONFIG), timeout_ms, out, e);
}

static int find_and_run(const char *type, const char *cni_path, char **out, struct err *e)
{
	const struct delegate_call d = { .type = type,
					 .verb = "ADD",
					 .cni_path = cni_path,
					 .config = CONFIG,
					 .config_len = strlen(CONFIG) };

	return delegate_run(&d, out, e);
}

/* The script fails: with this code, and words that hold this. */
static void fails(const char *body, int code, const char *words)
{
	struct err e = { 0 };
	char *out = NULL;

	script(body);
	assert_true(run(3000, &out, &e) < 0);
	assert_null(out);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, words))
		fail_msg("%s: %s", body, e.msg);
}

static void passes_stdin_and_stdout(void **state)
{
	cleanup_free char *out = NULL;
	struct err e = { 0 };

	(void)state;
	script("cat; echo noise >&2\n");
	assert_int_equal(find_and_run("fake", dir, &out, &e), 0);
	assert_string_equal(out, CONFIG);
	assert_int_equal(run(3000, NULL, &e), 0);
}

/* As the command taskvpc calls: with words, an environment and a stderr of its own. */
static void passes_words_and_another_environment(void **state)
{
	char *const env[] = { (char[]){ "CNI_COMMAND=GC" }, (char[]){ "ONLY=this" }, NULL };
	const char *const args[] = { "--explain", "a b", NULL };
	cleanup_close int words = memfd_create("stderr", MFD_CLOEXEC);
	struct delegate_call d = { .type = "fake",
				   .verb = "ADD",
				   .cni_path = dir,
				   .config = CONFIG,
				   .config_len = strlen(CONFIG),
				   .what = "plugin",
				   .args = args,
				   .env = env,
				   .error_fd = words };
	cleanup_free char *out = NULL;
	struct err e = { 0 };
	char said[16] = "";

	(void)state;
	script("echo \"$1|$2|$#|$CNI_COMMAND|$ONLY|$HOME\"; echo oops >&2\n");
	assert_int_equal(delegate_run(&d, &out, &e), 0);
	assert_string_equal(out, "--explain|a b|2|GC|this|\n");
	assert_int_equal(pread(words, said, sizeof(said) - 1, 0), 5);
	assert_string_equal(said, "oops\n");
	d.type = "other";
	assert_int_equal(delegate_run(&d, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "no plugin \"other\""));
	d.type = "../x";
	assert_int_equal(delegate_run(&d, NULL, &e), -EINVAL);
	assert_string_equal(e.msg, "type: \"../x\" is no plain file name");
}

static void passes_the_environment(void **state)
{
	cleanup_free char *out = NULL;
	struct err e = { 0 };

	(void)state;
	setenv("CNI_COMMAND", "CHECK", 1);
	setenv("CNI_IFNAME", "eth0", 1);
	setenv("ODD", "a b\nc", 1);
	script("echo \"$CNI_COMMAND|$CNI_IFNAME|$ODD\"\n");
	assert_int_equal(run(3000, &out, &e), 0);
	assert_string_equal(out, "ADD|eth0|a b\nc\n");
	free(out);
	out = NULL;
	unsetenv("CNI_COMMAND");
	assert_int_equal(run(3000, &out, &e), 0);
	assert_memory_equal(out, "ADD|eth0", 8);
	unsetenv("ODD");
}

/* Neither a descriptor nor our ignoring of SIGPIPE reaches the child. */
static void leaks_nothing(void **state)
{
	int leak = memfd_create("leaky", 0);
	const char *ignored;
	cleanup_free char *out = NULL;
	struct err e = { 0 };

	(void)state;
	assert_true(leak >= 0);
	script("ls -l /proc/$$/fd; grep SigIgn /proc/$$/status\n");
	assert_int_equal(run(3000, &out, &e), 0);
	assert_non_null(strstr(out, "pipe:"));
	assert_null(strstr(out, "leaky"));
	ignored = strstr(out, "SigIgn:\t");
	assert_non_null(ignored);
	assert_false(strtoull(ignored + 8, NULL, 16) & (1u << (SIGPIPE - 1)));
	close(leak);
}

static void passes_its_error_on(void **state)
{
	struct err e = { 0 };

	(void)state;
	script("printf %s "
	       "'{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"busy\\nnow\",\"details\":"
	       "\"later\"}';"
	       "exit 1\n");
	assert_true(run(3000, NULL, &e) < 0);
	assert_int_equal(e.code, 11);
	assert_string_equal(e.msg, "busy\nnow");
	assert_string_equal(e.details, "later");
}

static void tells_how_it_failed(void **state)
{
	(void)state;
	fails("echo went wrong; exit 3\n", ERR_DELEGATE, "failed with status 3: went wrong");
	fails("echo oops >&2; exit 1\n", ERR_DELEGATE,
	      "failed with status 1 and no word on stdout");
	fails("echo '{\"code\":0,\"msg\":\"x\"}'; exit 1\n", ERR_DELEGATE,
	      "failed with status 1: {");
	fails("echo '{\"code\":-4,\"msg\":\"x\"}'; exit 1\n", ERR_DELEGATE,
	      "failed with status 1: {");
	fails("echo '{\"code\":7}'; exit 1\n", ERR_DELEGATE, "failed with status 1: {");
	fails("kill -SEGV $$\n", ERR_DELEGATE, "died of signal 11 (Segmentation fault)");
	fails("head -c 5000000 /dev/zero\n", ERR_DELEGATE, "wrote more than 1048576 bytes");
	fails("exec yes\n", ERR_DELEGATE, "wrote more than 1048576 bytes");
}

static void kills_what_hangs(void **state)
{
	struct err e = { 0 };
	int64_t start = io_clock_ms();
	char pid_path[80], pid[16];

	(void)state;
	snprintf(pid_path, sizeof(pid_path), "%s/pid", dir);
	script("sleep 100 & echo $! > ${0%/*}/pid; wait\n");
	assert_int_equal(run(300, NULL, &e), -ETIMEDOUT);
	assert_int_equal(e.code, ERR_DELEGATE);
	assert_non_null(strstr(e.msg, "did not end within 300 ms and was killed"));
	assert_true(io_clock_ms() - start < 3000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	/* Its own child went with it; somebody else reaps that one. */
	assert_int_equal(io_read_text(pid_path, pid, sizeof(pid)), 0);
	for (int i = 0; i < 100 && !kill(atoi(pid), 0); i++) {
		char stat_path[32], stat[64] = "";

		snprintf(stat_path, sizeof(stat_path), "/proc/%s/stat", pid);
		if (io_read_text(stat_path, stat, sizeof(stat)) || strstr(stat, ") Z"))
			return;
		usleep(10000);
	}
}

static void does_not_wait_for_grandchildren(void **state)
{
	cleanup_free char *out = NULL;
	struct err e = { 0 };
	int64_t start = io_clock_ms();

	(void)state;
	script("echo result; sleep 4 & exit 0\n");
	assert_int_equal(run(30000, &out, &e), 0);
	assert_string_equal(out, "result\n");
	assert_true(io_clock_ms() - start < 3000);
}

/* In a process of its own, which the plugin kills as a runtime does when its time is up. */
static void be_killed(void)
{
	pid_t caller = fork();
	int status;

	if (!caller) {
		run(30000, NULL, &(struct err){ 0 });
		_exit(0);
	}
	assert_int_equal(waitpid(caller, &status, 0), caller);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* It would go on, and take an address that nobody knows of. */
static void ends_with_its_caller(void **state)
{
	char pid_path[80], pid[16];
	int status;

	(void)state;
	snprintf(pid_path, sizeof(pid_path), "%s/pid", dir);
	script("echo $$ > ${0%/*}/pid; kill -KILL $PPID; exec sleep 3\n");
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	be_killed();
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	assert_int_equal(io_read_text(pid_path, pid, sizeof(pid)), 0);
	assert_int_equal(waitpid(atoi(pid), &status, 0), atoi(pid));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool runs_nothing(void)
{
	cleanup_free char *out = NULL;
	struct err e = { 0 };

	return run(5000, &out, &e) == -EPERM && strstr(e.msg, "cannot be run");
}

/* Where handlers cannot be set they cannot be restored either: nothing is run. */
static void needs_its_signals(void **state)
{
	int status;

	(void)state;
	script("echo result\n");
	status = refused(SYS_rt_sigaction, EPERM, runs_nothing);
	if (status == REFUSE_SKIPPED)
		skip(); /* a kernel without seccomp */
	assert_int_equal(status, 0);
}

static void survives_unread_stdin(void **state)
{
	enum {
		BIG = 5 << 20
	};
	cleanup_free char *config = malloc(BIG), *out = NULL;
	struct err e = { 0 };
	struct sigaction before, after;

	(void)state;
	memset(config, 'x', BIG);
	sigaction(SIGPIPE, NULL, &before);
	script("echo done\n");
	assert_int_equal(run_with(config, BIG, 5000, &out, &e), 0);
	assert_string_equal(out, "done\n");
	free(out);
	out = NULL;
	/* It talks before it listens: neither may wait for the other. */
	script("head -c 300000 /dev/zero | tr '\\0' a; wc -c >&2\n");
	assert_int_equal(run_with(config, BIG, 20000, &out, &e), 0);
	assert_int_equal(strlen(out), 300000);
	free(out);
	out = NULL;
	script("wc -c\n");
	assert_int_equal(run_with(config, BIG, 20000, &out, &e), 0);
	assert_int_equal(atoi(out), BIG);
	sigaction(SIGPIPE, NULL, &after);
	assert_ptr_equal(before.sa_handler, after.sa_handler);
}

static void works_where_sigchld_is_ignored(void **state)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, normal = { .sa_handler = SIG_DFL };
	struct err e = { 0 };

	(void)state;
	sigaction(SIGCHLD, &ignore, NULL);
	script("exit 3\n");
	assert_int_equal(run(3000, NULL, &e), -EREMOTEIO);
	assert_non_null(strstr(e.msg, "status 3"));
	sigaction(SIGCHLD, &normal, NULL);
}

static void waits_for_its_installation(void **state)
{
	struct err e = { 0 };
	pid_t writer;
	int ready[2];
	char byte;

	(void)state;
	script("exit 0\n");
	assert_int_equal(pipe(ready), 0);
	writer = fork();
	if (!writer) {
		int fd = open(path, O_WRONLY);

		if (write(ready[1], "x", 1) == 1 && fd >= 0)
			usleep(300000);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(run(3000, NULL, &e), 0);
	waitpid(writer, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void refuses(const char *type, const char *cni_path, int code, const char *msg)
{
	struct err e = { 0 };

	assert_int_equal(find_and_run(type, cni_path, NULL, &e), -EINVAL);
	assert_int_equal(e.code, code);
	assert_string_equal(e.msg, msg);
}

static void finds_plugins_in_cni_path(void **state)
{
	char list[200], sub[64];
	struct err e = { 0 };

	(void)state;
	script("exit 0\n");
	snprintf(sub, sizeof(sub), "%s/isdir", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	refuses("../x", dir, ERR_CONFIG, "ipam.type: \"../x\" is no plain file name");
	refuses("..", dir, ERR_CONFIG, "ipam.type: \"..\" is no plain file name");
	refuses("", dir, ERR_CONFIG, "ipam.type: \"\" is no plain file name");
	refuses("a/b", dir, ERR_CONFIG, "ipam.type: \"a/b\" is no plain file name");
	refuses("-x", dir, ERR_CONFIG, "ipam.type: \"-x\" is no plain file name");
	refuses("a\n", dir, ERR_CONFIG, "ipam.type: \"a?\" is no plain file name");
	refuses("fake", "", ERR_ENVIRONMENT,
		"CNI_PATH is empty, so the IPAM plugin \"fake\" cannot be looked for");
	refuses("fake", "a::b", ERR_ENVIRONMENT, "CNI_PATH: \"a::b\" has no IPAM plugin \"fake\"");
	snprintf(list, sizeof(list), "CNI_PATH: \"%s\" has no IPAM plugin \"isdir\"", dir);
	refuses("isdir", dir, ERR_ENVIRONMENT, list);
	snprintf(list, sizeof(list), "/nonexistent::%s:/bin", dir);
	assert_int_equal(find_and_run("fake", list, NULL, &e), 0);
	chmod(path, 0644);
	assert_int_equal(find_and_run("fake", list, NULL, &e), -EACCES);
	assert_int_equal(e.code, ERR_DELEGATE);
	assert_non_null(strstr(e.msg, "cannot be run: Permission denied"));
	rmdir(sub);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char pid[80];

	(void)state;
	snprintf(pid, sizeof(pid), "%s/pid", dir);
	unlink(pid);
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_stdin_and_stdout),
		cmocka_unit_test(passes_words_and_another_environment),
		cmocka_unit_test(passes_the_environment),
		cmocka_unit_test(leaks_nothing),
		cmocka_unit_test(passes_its_error_on),
		cmocka_unit_test(tells_how_it_failed),
		cmocka_unit_test(kills_what_hangs),
		cmocka_unit_test(does_not_wait_for_grandchildren),
		cmocka_unit_test(ends_with_its_caller),
		cmocka_unit_test(needs_its_signals),
		cmocka_unit_test(survives_unread_stdin),
		cmocka_unit_test(works_where_sigchld_is_ignored),
		cmocka_unit_test(waits_for_its_installation),
		cmocka_unit_test(finds_plugins_in_cni_path),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
