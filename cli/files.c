/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of state. They lie in memory (/run), so a rename is enough: what is lost is lost together.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define FILE_MAX (8u << 20)

bool file_path(char ret[static PATH_MAX], const char *dir, const char *name, const char *suffix)
{
	int n = snprintf(ret, PATH_MAX, "%s/%s%s", dir, name, suffix);

	return n > 0 && n < PATH_MAX;
}

static struct timespec written(const char *dir, const char *name)
{
	struct stat st = { .st_mtim = { 0 } };
	char path[PATH_MAX];

	if (file_path(path, dir, name, ""))
		(void)stat(path, &st);
	return st.st_mtim;
}

static int by_age(const void *a, const void *b, void *dir)
{
	const struct dirent *const *one = a, *const *two = b;
	const struct timespec x = written(dir, (*one)->d_name), y = written(dir, (*two)->d_name);

	return x.tv_sec != y.tv_sec ? (x.tv_sec > y.tv_sec) - (x.tv_sec < y.tv_sec)
				    : (x.tv_nsec > y.tv_nsec) - (x.tv_nsec < y.tv_nsec);
}

void files_keep_newest(const char *dir, int kept, int (*select)(const struct dirent *entry),
		       void (*forget)(const char *path))
{
	struct dirent **entries;
	int n = scandir(dir, &entries, select, NULL);
	char where[PATH_MAX], path[PATH_MAX];

	if (n < 0)
		return;
	snprintf(where, sizeof(where), "%s", dir);
	qsort_r(entries, (size_t)n, sizeof(struct dirent *), by_age, where);
	for (int i = 0; i < n; i++) {
		if (i < n - kept && file_path(path, dir, entries[i]->d_name, ""))
			forget(path);
		free(entries[i]);
	}
	free(entries);
}

int file_read_json(const char *path, json **ret, struct err *e)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	cleanup_free char *text = NULL;
	size_t len = 0;
	int r = fd < 0 ? -errno : io_read_all(fd, FILE_MAX, &text, &len);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return err_sys(e, ERR_STORE, -r, "cannot read %s", path);
	r = json_parse(text, len, path, ret, e);
	if (r < 0)
		e->code = ERR_STORE; /* nobody's configuration */
	return r;
}

int file_write_text(const char *path, const char *text, unsigned mode, struct err *e)
{
	cleanup_close int fd = -1;
	char draft[PATH_MAX + 8];
	int r;

	snprintf(draft, sizeof(draft), "%s.new", path);
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : io_write_all(fd, text, strlen(text));
	if (!r && fchmod(fd, mode) < 0)
		r = -errno;
	if (!r && rename(draft, path) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, ERR_STORE, -r, "cannot write %s", path) : 0;
}

int file_write_json(const char *path, const json *doc, struct err *e)
{
	cleanup_free char *text = json_print(doc);

	if (!text)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot write %s", path);
	return file_write_text(path, text, 0600, e);
}

int file_lock(int fd, short how)
{
	struct flock lock = { .l_type = how, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

bool file_is_locked(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
