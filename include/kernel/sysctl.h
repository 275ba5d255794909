/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net.* sysctls of the namespace the thread is in: /proc/sys/net shows that one. */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

#include <stddef.h>

#include "base/err.h"

/* @path: with slashes, below /proc/sys: "net/ipv6/conf/eth0.5/accept_ra" (names may hold dots). */
int sysctl_write(const char *path, const char *value, struct err *e);
/*
 * sysctl_write_apart: as sysctl_write, through a mount of proc that is made for this one write. A
 * mount remembers each name of each namespace that was looked up in it, and walks through all of
 * them for a new one: 365 us with a thousand, against 100 for a mount of our own (Linux 6.18,
 * fs/proc/proc_sysctl.c: proc_sys_compare).
 */
int sysctl_write_apart(const char *path, const char *value, struct err *e);
/* Return: 0, 1 if there is no such sysctl, or a negative errno. */
int sysctl_read(const char *path, char *ret, size_t size, struct err *e);
/* sysctl_ensure: write only where the value differs. */
int sysctl_ensure(const char *path, const char *value, struct err *e);

#endif
