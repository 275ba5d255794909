/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of /etc that say who and where a task is. */
#ifndef CLI_ETC_H
#define CLI_ETC_H

#include "state.h"

/* etc_write: hosts, hostname, resolv.conf of @t, from its result. @own_net: it is not the host's.
 */
int etc_write(const struct task *t, bool own_net, struct err *e);

#endif
