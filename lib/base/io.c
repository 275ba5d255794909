/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole reads and writes, and the two clocks. */
#include "base/io.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIRST_READ 16384

/* Grow by doubling, so that reading stays linear in the size of the input. */
static int grow(char **buf, size_t *size)
{
	char *more = realloc(*buf, *size * 2);

	if (!more)
		return -ENOMEM;
	*buf = more;
	*size *= 2;
	return 0;
}

int io_read_all(int fd, size_t limit, char **ret, size_t *ret_len)
{
	size_t size = FIRST_READ, len = 0;
	cleanup_free char *buf = malloc(size);

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buf + len, size - len - 1);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
		if (len > limit)
			return -EFBIG;
		if (len == size - 1 && grow(&buf, &size) < 0)
			return -ENOMEM;
	}
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	buf = NULL;
	return 0;
}

int io_write_all(int fd, const void *p, size_t len)
{
	const char *b = p;

	while (len > 0) {
		ssize_t n = write(fd, b, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			b += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int io_read_text(const char *path, char *buf, size_t size)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = read(fd, buf, size - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int64_t io_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t io_epoch_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec;
}
