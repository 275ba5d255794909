/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole reads and writes that do not stop at EINTR or at a short count. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * io_read_all: read @fd to its end into a new NUL-terminated buffer.
 * @limit: more bytes than this is -EFBIG.
 * @ret: the caller frees it.
 * Return: 0 or a negative errno.
 */
int io_read_all(int fd, size_t limit, char **ret, size_t *ret_len);

/* io_write_all: Return: 0 or a negative errno. */
int io_write_all(int fd, const void *p, size_t len);

/* io_read_text: a small file (sysctl, boot_id) without its trailing newline. Return: 0 or -errno.
 */
int io_read_text(const char *path, char *buf, size_t size);

/* Milliseconds on CLOCK_BOOTTIME; seconds since the epoch. */
int64_t io_clock_ms(void);
int64_t io_epoch_s(void);

#endif
