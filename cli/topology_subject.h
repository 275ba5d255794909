/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task that is being looked at, from inside (topology_look.c) and from outside. */
#ifndef CLI_TOPOLOGY_SUBJECT_H
#define CLI_TOPOLOGY_SUBJECT_H

#include "topology.h"

struct subject {
	struct topology_look *look;
	const json *row;
	const char *name, *ifname;
	struct netlink nl; /* in its namespace */
	struct link_info link;
	bool has_link, broken;
	json *task;
	const char *wire;
};

/* subject_complain: it is broken, and this is why; @fix may be empty. */
void subject_complain(struct subject *s, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* subject_is_routed: its subnet is not on its link: the host routes within it, too. */
bool subject_is_routed(const json *row);

/* subject_outside: its link's end in the host, and what that hangs on: topology_outside.c. */
void subject_outside(struct subject *s);
/* subject_far_wire: the state of the link of a task that cannot be visited. */
const char *subject_far_wire(const struct subject *s);
/* subject_find_end: of what others attached, the host's end of a pair is found by its index. */
void subject_find_end(struct subject *s);

#endif
