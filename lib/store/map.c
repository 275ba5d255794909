/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped files. Every page is allocated before it is touched, so that a full disk is an error of
 * the call that wants more and not a signal in the middle of a change.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void map_close(struct map *m)
{
	if (m->p)
		munmap(m->p, m->len);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct map){ .fd = -1 };
}

/* Map the whole of @fd, which is taken. An empty file is mapped as nothing. */
static int map_fd(int fd, struct map *ret)
{
	struct stat st;
	void *p = NULL;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = (struct map){ p, (size_t)st.st_size, fd, st.st_dev, st.st_ino };
	return 0;
}

int map_open(const struct store *s, const char *name, struct map *ret, struct err *e)
{
	int fd = dir_file(s, name, 0, e);
	int err;

	if (fd < 0)
		return fd;
	err = map_fd(fd, ret);
	if (!err)
		return 0;
	close(fd);
	return err_sys(e, ERR_STORE, -err, "cannot map %s/%s", s->dir, name);
}

static int allocate(const struct store *s, int fd, size_t size, struct err *e)
{
	int err;

	do
		err = posix_fallocate(fd, 0, (off_t)size);
	while (err == EINTR);
	if (!err)
		return 0;
	err_sys(e, ERR_STORE, err, "the state needs %zu KiB in %s", size / 1024, s->dir);
	store_hint(err, s->dir, e);
	return -err;
}

int map_create(const struct store *s, const char *name, size_t size, struct map *ret, struct err *e)
{
	int fd, err;

	unlinkat(s->dirfd, name, 0); /* what a kill left half made */
	fd = dir_file(s, name, O_CREAT | O_EXCL, e);
	if (fd < 0)
		return fd;
	err = allocate(s, fd, size, e);
	if (!err) {
		err = map_fd(fd, ret);
		if (!err)
			return 0;
		err_sys(e, ERR_STORE, -err, "cannot map %s/%s", s->dir, name);
	}
	unlinkat(s->dirfd, name, 0);
	close(fd);
	return err;
}

int map_grow(const struct store *s, struct map *m, size_t size, struct err *e)
{
	/* also where the file is long enough already: somebody may have left it sparse */
	int err = allocate(s, m->fd, size, e);
	void *p;

	if (err || size <= m->len)
		return err;
	p = mremap(m->p, m->len, size, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return err_sys(e, ERR_STORE, errno, "cannot map more of the state in %s", s->dir);
	m->p = p;
	m->len = size;
	return 0;
}

bool map_is_current(const struct store *s, const char *name, const struct map *m)
{
	struct stat st;

	return m->p && !fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && st.st_ino == m->ino &&
	       st.st_dev == m->dev && (size_t)st.st_size == m->len;
}
