/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of /etc that say who and where a task is. */
#ifndef CLI_ETC_H
#define CLI_ETC_H

#include "state.h"

#define ETC_HOST_NAME "host.taskvpc.internal" /* in a task: the host */
#define ETC_NO_SERVER 1 /* resolv.conf has no server, though the task has an address */

/*
 * etc_write: hosts, hostname, resolv.conf of @t, from its result and its runtimeConfig.
 * @own_net: it is not the host's. Return: 0, ETC_NO_SERVER, or a negative errno.
 */
int etc_write(const struct task *t, bool own_net, struct err *e);

#endif
