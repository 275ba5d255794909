/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a lock with an end. The kernel's own wait is fair and wakes at once, which polling is
 * not; it knows no time-out, but ends at a signal. Who holds a lock of an open file description,
 * /proc/locks does not tell; the `lock:` lines of /proc/PID/fdinfo do.
 */
#include "base/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#define FDINFO_MAX 65536
#define LOCKS_MAX  4194304

struct lock {
	int fd;
	off_t at; /* < 0: of the file (flock) */
	int how;  /* LOCK_SH, LOCK_EX, or F_RDLCK, F_WRLCK */
};

/* Return: 0, 1 taken by others or interrupted, or a negative errno. */
static int try(const struct lock *l, bool wait)
{
	struct flock byte = {
		.l_type = (short)l->how, .l_whence = SEEK_SET, .l_start = l->at, .l_len = 1
	};
	int r;

	if (l->at < 0)
		r = flock(l->fd, l->how | (wait ? 0 : LOCK_NB));
	else
		r = fcntl(l->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &byte);
	if (r == 0)
		return 0;
	/* EWOULDBLOCK of flock() is EAGAIN on Linux. */
	return errno == EAGAIN || errno == EACCES || errno == EINTR ? 1 : -errno;
}

static void woken(int signal)
{
	(void)signal;
}

/* Each second a signal, as the first may come before the wait has begun. Return: as try(). */
static int wait_for(const struct lock *l, unsigned seconds)
{
	const struct itimerval each = { { .tv_sec = 1 }, { .tv_sec = 1 } }, none = { { 0 }, { 0 } };
	const struct sigaction wake = { .sa_handler = woken };
	int64_t end = io_clock_ms() + (int64_t)seconds * 1000;
	struct sigaction before;
	sigset_t alarm, mask;
	int r;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &wake, &before);
	sigprocmask(SIG_UNBLOCK, &alarm, &mask);
	setitimer(ITIMER_REAL, &each, NULL);
	do
		r = try(l, true);
	while (r == 1 && io_clock_ms() < end);
	setitimer(ITIMER_REAL, &none, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &before, NULL);
	return r;
}

static int take(const struct lock *l, unsigned seconds, const char *what, struct err *e)
{
	int r = try(l, false);

	if (r == 1)
		r = wait_for(l, seconds);
	if (r == 1)
		return lock_refuse(l->fd, l->at, seconds, what, e);
	return r < 0 ? err_sys(e, ERR_STORE, -r, "cannot lock %s", what) : 0;
}

int lock_take(int fd, int how, unsigned seconds, const char *what, struct err *e)
{
	const struct lock l = { fd, -1, how };

	return take(&l, seconds, what, e);
}

int lock_take_byte(int fd, off_t at, short type, unsigned seconds, const char *what, struct err *e)
{
	const struct lock l = { fd, at, type };

	return take(&l, seconds, what, e);
}

/* ---- the holder ---- */

struct wanted {
	char inode[64]; /* as the kernel spells it: MAJOR:MINOR:INODE */
	off_t at;
};

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define cleanup_dir CLEANUP(close_dir)

/* "lock:	1: OFDLCK ADVISORY  WRITE -1 00:23:5 100 100" */
static bool line_holds(const char *line, const struct wanted *w)
{
	char kind[16], inode[64], last[24];
	long long first;

	if (sscanf(line, "lock: %*d: %15s %*s %*s %*d %63s %lld %23s", kind, inode, &first, last) !=
		    4 ||
	    strcmp(inode, w->inode) != 0)
		return false;
	if (w->at < 0)
		return !strcmp(kind, "FLOCK");
	return !strcmp(kind, "OFDLCK") && first <= w->at &&
	       (!strcmp(last, "EOF") || strtoll(last, NULL, 10) >= w->at);
}

static bool fd_holds(const char *path, const struct wanted *w)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	size_t len;

	if (fd < 0 || io_read_all(fd, FDINFO_MAX, &text, &len) < 0)
		return false;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (line_holds(line, w))
			return true;
	return false;
}

static bool process_holds(const char *pid, const struct wanted *w)
{
	char path[288];
	cleanup_dir DIR *d = NULL;
	const struct dirent *fd;

	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo", pid);
	d = opendir(path);
	while (d && (fd = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.200s", pid, fd->d_name);
		if (fd->d_name[0] != '.' && fd_holds(path, w))
			return true;
	}
	return false;
}

static pid_t search_processes(const struct wanted *w)
{
	cleanup_dir DIR *d = opendir("/proc");
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && pid != getpid() && process_holds(entry->d_name, w))
			return pid;
	}
	return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 22 00:23:5 0 EOF": who took it, even where its fdinfo may not be read.
 */
static pid_t search_locks(const struct wanted *w)
{
	cleanup_close int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	char inode[64];
	size_t len;
	int pid;

	if (w->at >= 0 || fd < 0 || io_read_all(fd, LOCKS_MAX, &text, &len) < 0)
		return 0;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %63s", &pid, inode) == 2 &&
		    !strcmp(inode, w->inode) && pid != getpid())
			return pid;
	return 0;
}

/* Return: its pid, 0 if /proc does not show it. */
static pid_t find_holder(int fd, off_t at)
{
	struct wanted w = { .at = at };
	struct stat st;
	pid_t pid;

	if (fstat(fd, &st) < 0)
		return 0;
	snprintf(w.inode, sizeof(w.inode), "%02x:%02x:%ju", major(st.st_dev), minor(st.st_dev),
		 (uintmax_t)st.st_ino);
	pid = search_processes(&w);
	return pid ? pid : search_locks(&w);
}

/* The name of a process, and whether it is stopped. */
static const char *describe(pid_t pid, char name[static 64])
{
	char path[40], stat[256], shown[64];
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	*name = '\0';
	if (io_read_text(path, stat, sizeof(stat)) == 0) {
		text_printable(shown, sizeof(shown), stat);
		snprintf(name, 64, "%.60s", shown);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	end = io_read_text(path, stat, sizeof(stat)) == 0 ? strrchr(stat, ')') : NULL;
	return end && end[1] == ' ' && (end[2] == 'T' || end[2] == 't') ? ", which is stopped" : "";
}

int lock_refuse(int fd, off_t at, unsigned seconds, const char *what, struct err *e)
{
	pid_t pid = find_holder(fd, at);
	char name[64];
	const char *state;

	if (!pid) {
		err_set(e, ERR_AGAIN, ETIMEDOUT, "%s: locked by others for %u seconds", what,
			seconds);
		err_hint(e, "call again; `lslocks` shows who holds locks");
		return -ETIMEDOUT;
	}
	state = describe(pid, name);
	err_set(e, ERR_AGAIN, ETIMEDOUT, "%s: locked for %u seconds by process %d (%s)%s", what,
		seconds, (int)pid, name, state);
	err_hint(e,
		 "let it go on (kill -CONT %d) or end it (kill -KILL %d): the next DEL or GC "
		 "finishes what it was at; then call again",
		 (int)pid, (int)pid);
	return -ETIMEDOUT;
}
