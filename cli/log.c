/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pipe that the supervisor empties into a file; when that is full, it takes the place of the
 * last. */
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "files.h"
#include "state.h"

#define BEFORE     "~" /* what was said before; no name has this letter */
#define READ_SIZE  4096
#define READ_MAX   (16u << 20)
#define FOLLOW_MS  200 /* until the end of who wrote is noticed */
#define PIPE_READS 256 /* a pipe holds 1 MiB at most, unless root has raised that */

bool log_path(char ret[static PATH_MAX], const char *task, const char *container)
{
	char name[2 * TASK_NAME_MAX + 2];
	int n = snprintf(name, sizeof(name), "%s.%s", task, container);

	if (!*task || !*container || *task == '.' || strchr(task, '/') || strpbrk(container, "./~"))
		return false;
	return n > 0 && n < (int)sizeof(name) && file_path(ret, LOG_DIR, name, "");
}

static bool path_before(char ret[static PATH_MAX], const char *path)
{
	return snprintf(ret, PATH_MAX, "%s%s", path, BEFORE) < PATH_MAX;
}

static void forget(const char *path)
{
	char before[PATH_MAX];

	unlink(path);
	if (path_before(before, path))
		unlink(before);
}

void log_forget(const char *task, const char *container)
{
	char path[PATH_MAX];

	if (log_path(path, task, container))
		forget(path);
}

/* ---- those that there are ---- */

/* "TASK.CONTAINER", and not the older part of one. */
static int is_log(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && !strchr(dot, *BEFORE);
}

static int is_ended(const struct dirent *entry)
{
	char name[NAME_MAX + 1], path[PATH_MAX];

	if (!is_log(entry))
		return 0;
	text_copy(name, sizeof(name), entry->d_name);
	*strrchr(name, '.') = '/';
	return file_path(path, STATE_DIR, name, CONTAINER_SUFFIX) && !file_is_locked(path);
}

json *logs_json(void)
{
	struct dirent **entries;
	json *list = json_array();
	int n = scandir(LOG_DIR, &entries, is_log, versionsort);

	for (int i = 0; i < n; i++) {
		*strrchr(entries[i]->d_name, '.') = '/';
		json_add_string(list, NULL, entries[i]->d_name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return list;
}

/* ---- writing ---- */

static int begin_file(struct log *l)
{
	l->size = 0;
	l->file = open(l->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	return l->file < 0 ? -errno : 0;
}

static int make(struct log *l, int ends[static 2])
{
	if (mkdir(LOG_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	files_keep_newest(LOG_DIR, LOGS_KEPT, is_ended, forget);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	l->pipe = ends[0];
	return begin_file(l);
}

int log_open(struct log *l, const char *task, const char *container, struct err *e)
{
	int ends[2] = { -1, -1 };
	int r = log_path(l->path, task, container) ? make(l, ends) : -ENAMETOOLONG;

	if (r == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
	}
	cleanup_closep(&ends[1]);
	return r < 0 ? err_sys(e, ERR_STORE, -r, "cannot keep the output in %s", l->path) : 0;
}

static void begin_anew(struct log *l)
{
	char before[PATH_MAX];

	close(l->file);
	l->file = -1;
	if (path_before(before, l->path) && rename(l->path, before) == 0)
		begin_file(l);
}

void log_take(struct log *l)
{
	char said[READ_SIZE];
	ssize_t n;

	/* Not for ever, if somebody goes on: who waits for us has signals to pass on. */
	for (int i = 0; i < PIPE_READS && l->pipe >= 0; i++) {
		n = read(l->pipe, said, sizeof(said));
		if (n <= 0)
			return;
		if (l->file < 0 || io_write_all(l->file, said, (size_t)n) < 0)
			continue;
		l->size += n;
		if (l->size >= LOG_SIZE)
			begin_anew(l);
	}
}

/* ---- reading ---- */

/* Append what @fd has to @text. Return: 0, or a negative errno. */
static int take(int fd, char **text, size_t *len, const char *path, struct err *e)
{
	cleanup_free char *more = NULL;
	char *joined;
	size_t n = 0;
	int r = io_read_all(fd, READ_MAX, &more, &n);

	if (r < 0)
		return err_sys(e, ERR_STORE, -r, "cannot read %s", path);
	joined = realloc(*text, *len + n + 1);
	if (!joined)
		return err_sys(e, ERR_IO, ENOMEM, "%s", path);
	memcpy(joined + *len, more, n);
	*text = joined;
	*len += n;
	return 0;
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/* Where the last @lines begin. */
static size_t tail_of(const char *text, size_t len, long lines)
{
	size_t at = len;

	if (lines < 0)
		return 0;
	if (lines > 0 && at && text[at - 1] == '\n')
		at--;
	while (at && (text[at - 1] != '\n' || --lines > 0))
		at--;
	return lines < 0 ? len : at;
}

/* The newer part is opened first: if it becomes the older one meanwhile, it is printed once. */
static int print_kept(int now, const char *path, long lines, struct err *e)
{
	cleanup_free char *text = NULL;
	cleanup_close int before = -1;
	char path_of_before[PATH_MAX];
	size_t len = 0, at;
	int r = 0;

	if (path_before(path_of_before, path))
		before = open(path_of_before, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (before >= 0 && !is_same(now, before))
		r = take(before, &text, &len, path_of_before, e);
	if (r == 0)
		r = take(now, &text, &len, path, e);
	if (r < 0 || !len)
		return r;
	at = lines == 0 ? len : tail_of(text, len, lines);
	fwrite(text + at, 1, len - at, stdout);
	fflush(stdout);
	return 0;
}

int log_print(const char *path, long lines, struct err *e)
{
	cleanup_close int now = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (now < 0)
		return errno == ENOENT ? -ENOENT
				       : err_sys(e, ERR_STORE, errno, "cannot read %s", path);
	return print_kept(now, path, lines, e);
}

/* What @fd has got since. */
static void print_more(int fd)
{
	char said[READ_SIZE];
	ssize_t n;

	while ((n = read(fd, said, sizeof(said))) > 0)
		fwrite(said, 1, (size_t)n, stdout);
	fflush(stdout);
}

/* @fd is renamed when it is full; then the file of that name is the next one. */
static void follow_rename(int *fd, const char *path)
{
	cleanup_close int between = -1;
	int next = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char path_between[PATH_MAX];

	if (next < 0 || is_same(next, *fd)) {
		cleanup_closep(&next);
		return;
	}
	print_more(*fd);
	/* Filled and replaced since the last look: it lies between the two. */
	if (path_before(path_between, path))
		between = open(path_between, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (between >= 0 && !is_same(between, *fd) && !is_same(between, next))
		print_more(between);
	close(*fd);
	*fd = next;
	print_more(*fd);
}

int log_follow(const char *path, const char *lock, long lines, struct err *e)
{
	cleanup_close int now = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	cleanup_close int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd p = { .fd = changes, .events = POLLIN };
	char ignored[4096];
	bool lives = true;
	int r;

	if (now < 0)
		return errno == ENOENT ? -ENOENT
				       : err_sys(e, ERR_STORE, errno, "cannot read %s", path);
	/* Its last words come before its end is seen: look once more after that. */
	inotify_add_watch(changes, LOG_DIR, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	r = print_kept(now, path, lines, e);
	while (r == 0 && lives) {
		lives = file_is_locked(lock);
		follow_rename(&now, path);
		print_more(now);
		if (lives && poll(&p, 1, FOLLOW_MS) > 0)
			(void)!read(changes, ignored, sizeof(ignored));
	}
	return r;
}
