/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File locks that are waited for within a bound, and the process that has one. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <sys/types.h>

#include "base/err.h"

/* Longer than a busy host needs for hundreds of calls; a process that is stopped holds for ever. */
#define LOCK_WAIT_S 30

/*
 * lock_take: flock() of @fd. @how: LOCK_SH or LOCK_EX.
 * lock_take_byte: F_OFD_SETLKW of the byte @at. @type: F_RDLCK or F_WRLCK.
 * Both wait for @seconds at most, by SIGALRM, whose action they put back.
 * @what: for messages: "the store in /run/taskvpc".
 * Return: 0, -ETIMEDOUT with code 11 and the holder in *e, or another negative errno with code 101.
 */
int lock_take(int fd, int how, unsigned seconds, const char *what, struct err *e);
int lock_take_byte(int fd, off_t at, short type, unsigned seconds, const char *what, struct err *e);

/*
 * lock_refuse: @what is locked by others for too long: by a flock (@at < 0), or by a lock of the byte
 * @at. Names the process, if /proc tells it. Return: -ETIMEDOUT.
 */
int lock_refuse(int fd, off_t at, unsigned seconds, const char *what, struct err *e);

#endif
