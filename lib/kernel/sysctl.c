/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sysctls of the namespace the thread is in, as files below /proc/sys. */
#include "kernel/sysctl.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define SYSCTL_PATH 160

static void full_path(const char *path, char ret[static SYSCTL_PATH])
{
	snprintf(ret, SYSCTL_PATH, "/proc/sys/%s", path);
}

static int write_value(int fd, const char *path, const char *value, struct err *e)
{
	int r = fd < 0 ? -errno : io_write_all(fd, value, strlen(value));

	if (r == 0)
		return 0;
	err_sys(e, ERR_KERNEL, -r, "cannot write \"%s\" to /proc/sys/%s", value, path);
	if (r == -EROFS)
		err_hint(e, "the runtime needs a writable /proc/sys: mount -o remount,bind,rw "
			    "/proc/sys, or do not start it in a container that has it read-only");
	return r;
}

int sysctl_write(const char *path, const char *value, struct err *e)
{
	char full[SYSCTL_PATH];
	cleanup_close int fd = -1;

	full_path(path, full);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	return write_value(fd, path, value, e);
}

/* A mount of proc that nobody sees and that goes with its descriptor (fsopen(2), Linux 5.2). */
static int mount_proc(void)
{
	cleanup_close int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int sysctl_write_apart(const char *path, const char *value, struct err *e)
{
	cleanup_close int proc = mount_proc(), fd = -1;
	char below[SYSCTL_PATH];

	if (proc < 0)
		return sysctl_write(path, value, e);
	snprintf(below, sizeof(below), "sys/%s", path);
	fd = openat(proc, below, O_WRONLY | O_CLOEXEC);
	return write_value(fd, path, value, e);
}

int sysctl_read(const char *path, char *ret, size_t size, struct err *e)
{
	char full[SYSCTL_PATH];
	int r;

	full_path(path, full);
	r = io_read_text(full, ret, size);
	if (r == -ENOENT || r == -ENOTDIR)
		return 1;
	if (r < 0)
		return err_sys(e, ERR_KERNEL, -r, "cannot read %s", full);
	return 0;
}

int sysctl_ensure(const char *path, const char *value, struct err *e)
{
	char now[32];
	int r = sysctl_read(path, now, sizeof(now), e);

	if (r == 0 && strcmp(now, value) == 0)
		return 0;
	return r < 0 ? r : sysctl_write(path, value, e);
}
