/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report as a file: judged before anything is tried, and replaced whole or not at all. */
#include "report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "cli.h"

static int refuse(struct err *e, const char *option, const char *path, const char *why)
{
	char shown[200];

	text_printable(shown, sizeof(shown), path);
	cli_error(e, EXIT_USAGE, "--%s: %s: %s", option, shown, why);
	err_hint(e, "name a file in a directory that exists: --%s report.%s", option, option);
	return -EINVAL;
}

/*
 * The kernel's rule (fs.protected_symlinks), whether it is on or not: in a directory where anybody
 * may put one, a symbolic link of another user is not followed. @dir: where @path is.
 */
static bool is_planted(const char *path, const char *dir)
{
	struct stat link, parent;

	return lstat(path, &link) == 0 && S_ISLNK(link.st_mode) && stat(dir, &parent) == 0 &&
	       (parent.st_mode & S_ISVTX) && (parent.st_mode & S_IWOTH) &&
	       link.st_uid != geteuid() && link.st_uid != parent.st_uid;
}

int report_file_judge(const char *option, const char *path, struct err *e)
{
	char copy[PATH_MAX];
	struct stat st;

	if (!*path || !text_copy(copy, sizeof(copy) - 8, path))
		return refuse(e, option, path, strerror(*path ? ENAMETOOLONG : ENOENT));
	if (is_planted(path, dirname(copy)))
		return refuse(
			e, option, path,
			"a symbolic link of another user in a directory that all may write to");
	text_copy(copy, sizeof(copy), path);
	/* A device or a pipe would be replaced by a file. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return refuse(e, option, path, "not a regular file");
	if (access(dirname(copy), W_OK | X_OK) < 0)
		return refuse(e, option, path, strerror(errno));
	return 0;
}

/* Where a link leads, so that it stays one: found by the kernel, which judges it as for any file.
 */
static int resolve(const char *path, char ret[static PATH_MAX])
{
	cleanup_close int fd = open(path, O_PATH | O_CLOEXEC);
	char self[32];
	ssize_t n;

	text_copy(ret, PATH_MAX, path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, ret, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

static int replace(const char *path, const char *text, size_t len)
{
	char real[PATH_MAX], next[PATH_MAX + 8], copy[PATH_MAX];
	int fd, r = resolve(path, real);

	text_copy(copy, sizeof(copy), path);
	if (r < 0 || is_planted(path, dirname(copy)))
		return r < 0 ? r : -EACCES;
	snprintf(next, sizeof(next), "%s.XXXXXX", real);
	fd = mkostemp(next, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = io_write_all(fd, text, len);
	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && rename(next, real) < 0)
		r = -errno;
	if (r < 0)
		unlink(next);
	return r;
}

int report_file_write(const char *path, report_fn *report, const json *doc, struct err *e)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return err_sys(e, ERR_IO, errno, "the report");
	report(out, doc);
	r = fclose(out) == 0 ? 0 : -errno;
	if (r == 0)
		r = replace(path, text, len);
	return r < 0 ? err_sys(e, ERR_IO, -r, "cannot write %s", path) : 0;
}
