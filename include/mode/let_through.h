/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Do the firewalls of others forward what tasks send, and which commands make them? */
#ifndef MODE_LET_THROUGH_H
#define MODE_LET_THROUGH_H

#include "base/text.h"
#include "kernel/firewall.h"

#define ANY_HOST_END "" /* instead of the name of a bridge: the host ends of all veth tasks */

/* What tasks of one kind send: by a bridge, or each by an interface of its own. */
struct let_through {
	const char *bridge; /* or ANY_HOST_END */
	struct ip task;     /* an address of such a task; only its family counts if unknown */
	bool task_unknown;
	struct link_info link;   /* of the task at the host; ifindex 0: any */
	struct link_info uplink; /* ifindex 0: there is none */
};

/*
 * let_through_judge: a connection from the task to the outside and its answer, at the hooks
 * prerouting, forward and postrouting of the host.
 * @ret_by: the rule, unless all of it passes. @ret_hook: where that is.
 * Return: enum fw_fate, or a negative errno.
 */
int let_through_judge(struct fw *fw, const struct let_through *l, struct fw_rule *ret_by,
		      enum nft_hook *ret_hook, struct err *e);

/*
 * let_through_fix: commands, narrow ones: the chain accepts what comes from these tasks and what
 * goes to them. Added to what @fix has, behind "; ".
 */
void let_through_fix(const struct fw *fw, const struct fw_rule *by, const char *bridge,
		     struct text *fix);

#endif
