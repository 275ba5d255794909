/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running one child without trusting it: it may leave its stdin unread, talk without end, hang, die
 * by a signal, or leave a process behind that keeps its stdout open. So both pipes and the end of
 * the child are waited for in one poll() with a deadline, and no single read, write or wait can
 * block.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define GRACE_MS   200 /* for output of a child that is gone: a grandchild may hold the pipe */
#define CHILD_ARGS 4   /* arguments that are passed on */
#define ASK_MS     20  /* how often its end is asked for where there is no pidfd */
#define BUSY_TRIES 5   /* "text file busy": the program is being installed right now */

struct child {
	pid_t pid;
	int in, out, pidfd; /* our ends; -1: done with */
	const char *input;
	size_t input_left;
	char *buf;
	size_t len, size, max;
	int64_t deadline;
	bool ended, loud;
};

struct signals {
	struct sigaction pipe, chld;
};

/* A runtime may have started us with SIGCHLD ignored: then there would be no status to wait for.
 * What cannot be set cannot be restored either. Return: 0 or -errno. */
static int signals_set(struct signals *old)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, normal = { .sa_handler = SIG_DFL };
	int rc;

	if (sigaction(SIGPIPE, &ignore, &old->pipe) < 0)
		return -errno;
	if (sigaction(SIGCHLD, &normal, &old->chld) == 0)
		return 0;
	rc = -errno;
	sigaction(SIGPIPE, &old->pipe, NULL);
	return rc;
}

static void signals_restore(const struct signals *old)
{
	sigaction(SIGPIPE, &old->pipe, NULL);
	sigaction(SIGCHLD, &old->chld, NULL);
}

static void close_end(int *fd)
{
	cleanup_closep(fd);
	*fd = -1;
}

/* Never 0, 1 or 2, even where we were started without them: the child's dup2() would clobber them.
 */
static int pipe_above_stdio(int fds[2])
{
	int low[2], rc = 0;

	if (pipe2(low, O_CLOEXEC))
		return -errno;
	for (int i = 0; i < 2; i++) {
		fds[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (fds[i] < 0)
			rc = -errno;
		close(low[i]);
	}
	if (rc) {
		cleanup_closep(&fds[0]);
		cleanup_closep(&fds[1]);
	}
	return rc;
}

static void arguments(const struct child_job *job, const char *ret[static CHILD_ARGS + 2])
{
	unsigned n = 0;

	ret[n++] = job->path;
	for (const char *const *arg = job->args; arg && *arg && n <= CHILD_ARGS; arg++)
		ret[n++] = *arg;
	ret[n] = NULL;
}

/* What we ignore stays ignored behind exec(), and so does what our caller blocked. */
static void signals_reset(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool place_stdio(const struct child_job *job, int in, int out)
{
	return dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	       (!job->error_fd || dup2(job->error_fd, STDERR_FILENO) >= 0);
}

/*
 * The child: it becomes the program, or reports why not. It ends with us: a runtime follows a
 * killed ADD by DEL, and one that still ran would take its address after that, for good.
 */
_Noreturn static void become(const struct child_job *job, pid_t parent, const int fds[3])
{
	union {
		const char *args[CHILD_ARGS + 2];
		char *argv[CHILD_ARGS + 2]; /* exec() changes none of them, it only says so late */
	} u;
	int why;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	arguments(job, u.args);
	setpgid(0, 0);
	if (place_stdio(job, fds[0], fds[1]) &&
	    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
		signals_reset();
		execve(job->path, u.argv, job->env);
	}
	why = errno;
	io_write_all(fds[2], &why, sizeof(why));
	_exit(0);
}

/* The pipe's end closes by the exec() that works. Return: 0, or -errno of the one that did not. */
static int read_report(int fd)
{
	int why = 0;
	ssize_t n;

	do
		n = read(fd, &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(why) ? -why : 0;
}

static int spawn_try(pid_t *pid, const struct child_job *job, int in, int out)
{
	int report[2] = { -1, -1 }, rc = pipe_above_stdio(report);
	pid_t parent = getpid();

	if (rc)
		return rc;
	*pid = fork();
	if (*pid == 0)
		become(job, parent, (const int[]){ in, out, report[1] });
	rc = *pid < 0 ? -errno : 0;
	close(report[1]);
	rc = rc ? rc : read_report(report[0]);
	close(report[0]);
	while (rc && *pid > 0 && waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}

static int spawn(pid_t *pid, const struct child_job *job, int in, int out)
{
	int rc = spawn_try(pid, job, in, out);

	for (int i = 0; rc == -ETXTBSY && i < BUSY_TRIES; i++) {
		sleep(1);
		rc = spawn_try(pid, job, in, out);
	}
	return rc;
}

/*
 * What tells its end. Without it the end would be noticed at the deadline only: then it must not
 * run. Where the call does not exist (a filter of system calls, valgrind), the end is asked for.
 */
static int watch(struct child *c)
{
	int rc;

	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd >= 0 || errno == ENOSYS)
		return 0;
	rc = -errno;
	kill(-c->pid, SIGKILL);
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	return rc;
}

static int start(struct child *c, const struct child_job *job)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int rc = pipe_above_stdio(in);

	if (rc)
		return rc;
	rc = pipe_above_stdio(out);
	if (rc) {
		close(in[0]);
		close(in[1]);
		return rc;
	}
	c->in = in[1];
	c->out = out[0];
	rc = spawn(&c->pid, job, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	fcntl(c->in, F_SETFL, O_NONBLOCK);
	fcntl(c->out, F_SETFL, O_NONBLOCK);
	return rc ? rc : watch(c);
}

static void feed(struct child *c)
{
	ssize_t n = write(c->in, c->input, c->input_left);

	if (n > 0) {
		c->input += n;
		c->input_left -= (size_t)n;
	}
	/* A child that does not want its stdin (EPIPE) may be right all the same. */
	if (!c->input_left || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&c->in);
}

static bool grow(struct child *c)
{
	size_t size = c->size ? c->size * 2 : 4096;
	char *buf = realloc(c->buf, size);

	if (!buf)
		return false;
	c->buf = buf;
	c->size = size;
	return true;
}

static void drain(struct child *c)
{
	ssize_t n;

	/* One byte stays free for the NUL. */
	if (c->len + 1 >= c->size && !grow(c)) {
		c->loud = true;
		return;
	}
	n = read(c->out, c->buf + c->len, c->size - c->len - 1);
	if (n > 0)
		c->len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_end(&c->out);
	c->loud = c->len > c->max;
}

static void note_end(struct child *c)
{
	int64_t grace = io_clock_ms() + GRACE_MS;

	c->ended = true;
	close_end(&c->pidfd);
	close_end(&c->in);
	if (grace < c->deadline)
		c->deadline = grace;
}

static bool is_unwatched(const struct child *c)
{
	return c->pidfd < 0 && !c->ended;
}

/* Has it ended, unreaped, though no pidfd could tell? */
static bool asked_end(const struct child *c)
{
	siginfo_t info = { .si_pid = 0 };

	return is_unwatched(c) &&
	       waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == c->pid;
}

/* Until the child has ended and its output too, or one of the limits is reached. Return: 0 or
 * -errno. */
static int pump(struct child *c)
{
	while (!c->loud && !(c->ended && c->out < 0)) {
		struct pollfd p[] = { { .fd = c->out, .events = POLLIN },
				      { .fd = c->in, .events = POLLOUT },
				      { .fd = c->pidfd, .events = POLLIN } };
		int64_t left = c->deadline - io_clock_ms();

		if (left <= 0)
			return 0;
		if (is_unwatched(c) && left > ASK_MS)
			left = ASK_MS;
		if (poll(p, ARRAY_SIZE(p), (int)left) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (p[0].revents)
			drain(c);
		if (p[1].revents)
			feed(c);
		if (p[2].revents || asked_end(c))
			note_end(c);
	}
	return 0;
}

static int finish(struct child *c, struct child_end *ret)
{
	/* Not reaped yet, so the number is still its own. */
	if (!c->ended || c->loud) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
	}
	while (waitpid(c->pid, &ret->status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (!c->buf && !grow(c))
		return -ENOMEM;
	c->buf[c->len] = '\0';
	ret->how = c->loud ? CHILD_LOUD : c->ended ? CHILD_ENDED : CHILD_LATE;
	ret->out = c->buf;
	ret->out_len = c->len;
	c->buf = NULL;
	return 0;
}

int child_run(const struct child_job *job, struct child_end *ret)
{
	struct child c = { .in = -1,
			   .out = -1,
			   .pidfd = -1,
			   .input = job->input,
			   .input_left = job->input_len,
			   .max = job->output_max };
	struct signals old;
	int rc = signals_set(&old), reaped;

	if (rc)
		return rc;
	rc = start(&c, job);
	if (!rc) {
		c.deadline = io_clock_ms() + job->timeout_ms;
		rc = pump(&c);
		reaped = finish(&c, ret);
		rc = rc ? rc : reaped;
	}
	cleanup_closep(&c.in);
	cleanup_closep(&c.out);
	cleanup_closep(&c.pidfd);
	free(c.buf);
	signals_restore(&old);
	return rc;
}
