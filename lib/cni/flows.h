/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracked connections of tasks that are gone. Their addresses are in quarantine in the store until
 * somebody has deleted these. That takes a walk over the host's table of connections, so one walk
 * serves all addresses in quarantine, and one process does it for all calls: a detached child of
 * the first that has released some. It pauses before it walks, so that those of many DELs gather.
 */
#ifndef CNI_FLOWS_H
#define CNI_FLOWS_H

#include "cni/call.h"

/*
 * flows_leave: this call has released addresses into quarantine (c->quarantined): see that a
 * process deletes their connections. Last of all, because the child holds no lock of ours.
 */
void flows_leave(struct call *c);

/*
 * flows_clear: delete them here and now, and end the quarantine; the store must be open for
 * writing. Waits for another call that does the same, for five seconds at most. Return: 1, or a
 * negative errno: -EAGAIN (code 11) where the other was not done by then.
 */
int flows_clear(struct call *c, struct err *e);

#endif
