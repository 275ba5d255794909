/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loopback interface, up, and nothing else: the mode none, and the plugin loopback. */
#ifndef MODE_LOOPBACK_H
#define MODE_LOOPBACK_H

#include "mode/mode.h"

/* mode_loopback_resolve: @a is of lo, whatever CNI_IFNAME says. Never fails. */
int mode_loopback_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
			  struct err *e);
void mode_loopback_plan(const struct attachment *a, struct plan *p);

#endif
