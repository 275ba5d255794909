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

int report_file_judge(const char *option, const char *path, struct err *e)
{
	char copy[PATH_MAX];
	struct stat st;

	if (!*path || !text_copy(copy, sizeof(copy) - 8, path))
		return refuse(e, option, path, strerror(*path ? ENAMETOOLONG : ENOENT));
	/* A device or a pipe would be replaced by a file. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return refuse(e, option, path, "not a regular file");
	if (access(dirname(copy), W_OK | X_OK) < 0)
		return refuse(e, option, path, strerror(errno));
	return 0;
}

static int replace(const char *path, const char *text, size_t len)
{
	char real[PATH_MAX], next[PATH_MAX + 8];
	int fd, r;

	/* A link stays one. */
	snprintf(next, sizeof(next), "%s.XXXXXX", realpath(path, real) ? real : path);
	fd = mkostemp(next, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = io_write_all(fd, text, len);
	if (r == 0 && fchmod(fd, 0644) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && rename(next, realpath(path, real) ? real : path) < 0)
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
