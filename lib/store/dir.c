/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of the store, and the files in it, opened so that nobody else can have a hand in
 * them: no symbolic links, no foreign owner, no other writer, no second name.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void store_hint(int sys, const char *dir, struct err *e)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
		err_hint(e, "free space or inodes on the file system of %s, or enlarge it", dir);
		break;
	case EROFS:
		err_hint(e, "make the file system of %s writable, or choose another ipam.dataDir",
			 dir);
		break;
	case EPERM:
	case EACCES:
		err_hint(e,
			 "root may not: see lsattr %s, and what a security module says; or choose "
			 "another ipam.dataDir",
			 dir);
		break;
	case EISDIR:
	case ELOOP:
	case ENOTDIR:
	case ENXIO:
		err_hint(e, "move it away, it is not the store's; what is missing is made");
		break;
	case EFBIG:
		err_hint(e, "the runtime limits the size of files: ulimit -f unlimited");
		break;
	case EMFILE:
	case ENFILE:
		err_hint(e, "no descriptor is left: raise ulimit -n, or fs.file-max");
		break;
	default:
		break;
	}
}

/* Make @path and its parents, 0700. What is there already is looked at later. */
static int make_path(char *path)
{
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c)
			continue;
		*p = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		*p = c;
		if (!c)
			return 0;
	}
}

static int foreign_owner(const char *path, uid_t owner, struct err *e)
{
	err_set(e, ERR_STORE, EPERM, "the state directory %s belongs to user %u", path,
		(unsigned)owner);
	err_hint(e, "chown root %s, if nobody else uses it; or choose another ipam.dataDir", path);
	return -EPERM;
}

static int check_dir(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(e, ERR_STORE, errno, "cannot look at the state directory %s", path);
	if (st.st_uid != geteuid())
		return foreign_owner(path, st.st_uid, e);
	if (st.st_mode & 022) {
		err_set(e, ERR_STORE, EPERM, "the state directory %s may be written by others",
			path);
		err_hint(e, "chmod 0700 %s", path);
		return -EPERM;
	}
	return 0;
}

static int open_plain(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int dir_open(const char *path, bool make, struct err *e)
{
	cleanup_free char *own = strdup(path);
	size_t len = own ? strlen(own) : 0;
	int fd, err;

	if (!own)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot open the store");
	while (len > 1 && own[len - 1] == '/') /* "link/" would be followed */
		own[--len] = '\0';
	if (!len)
		return err_set(e, ERR_STORE, EINVAL, "the name of the state directory is empty");
	fd = open_plain(own);
	if (fd == -ENOENT && make) {
		err = make_path(own);
		if (err) {
			err_sys(e, ERR_STORE, -err, "cannot make the state directory %s", path);
			store_hint(-err, path, e);
			return err;
		}
		fd = open_plain(own);
	}
	if (fd < 0) {
		err_sys(e, ERR_STORE, -fd, "cannot open the state directory %s", path);
		store_hint(-fd, path, e);
		if (fd == -ENOTDIR || fd == -ELOOP)
			err_hint(e, "it must be a directory, not a symbolic link");
		return fd;
	}
	err = check_dir(fd, path, e);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int dir_file(const struct store *s, const char *name, int flags, struct err *e)
{
	int fd = openat(s->dirfd, name, flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0) {
		err_sys(e, ERR_STORE, errno, "cannot open %s/%s", s->dir, name);
		store_hint(e->sys, s->dir, e);
		return -e->sys;
	}
	if (fstat(fd, &st)) {
		err_sys(e, ERR_STORE, errno, "cannot look at %s/%s", s->dir, name);
		close(fd);
		return -e->sys;
	}
	if (S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1)
		return fd;
	close(fd);
	err_set(e, ERR_STORE, EPERM, "%s/%s is not a plain file of our own", s->dir, name);
	err_hint(e, "move it away, it is not the store's; what is missing is made");
	return -EPERM;
}
