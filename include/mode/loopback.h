/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loopback interface, up, and nothing else: the mode none, and the plugin loopback. */
#ifndef MODE_LOOPBACK_H
#define MODE_LOOPBACK_H

#include "mode/mode.h"

/* mode_loopback_view: lo, and those addresses that it has. */
int mode_loopback_view(struct plan_io *io, struct mode_view *ret, struct err *e);
void mode_loopback_plan(const struct attachment *a, struct plan *p);

#endif
