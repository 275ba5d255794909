/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forwarding, for every mode whose tasks reach the world through the host. */
#ifndef MODE_FORWARD_H
#define MODE_FORWARD_H

#include "mode/mode.h"

/*
 * mode_ra_uplink: the uplink that must go on taking router advertisements once the host forwards
 * IPv6, for a->accept_ra_uplink. For resolve: changes nothing.
 * @ret: untouched where there is none, the host forwards already, or the task gets no IPv6 address.
 */
int mode_ra_uplink(const struct netconf *c, struct plan_io *io, char ret[static IFNAME_TEXT],
		   struct err *e);
/* plan_forwarding: the host forwards the families that the task has; a->accept_ra_uplink before. */
void plan_forwarding(struct plan *p);

#endif
