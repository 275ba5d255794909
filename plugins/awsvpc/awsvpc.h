/* SPDX-License-Identifier: GPL-2.0-or-later */
/* awsvpc: a task has its own interface and its own address out of a VPC subnet. */
#ifndef AWSVPC_AWSVPC_H
#define AWSVPC_AWSVPC_H

#include "mode/mode.h"
#include "mode/nat.h"
#include "mode/task.h"

/* The plugin's own part of a configuration; both modes have it in common. */
struct awsvpc_conf {
	uint32_t attach; /* index into the names: veth, macvlan */
	struct {
		struct cidr cidr[ATTACHMENT_CIDRS];
		unsigned n_cidr;
	} vpc;
	bool masquerade;
	uint32_t guard_mark;
	bool block_imds;
	uint32_t host_routing; /* index into host_routing_names */
	char master[64];       /* longer than IFNAMSIZ, so that the message can name it */
	uint32_t macvlan_mode; /* index into macvlan_mode_names */
	bool host_access;
	struct nat_conf nat;
};

extern const struct field awsvpc_fields[];
extern const struct mode mode_routed;
extern const struct mode mode_macvlan;

/* awsvpc_judge: what both modes refuse: foreign host ports, a VPC whose blocks overlap, subnets
 * outside of it, a route to what is blocked. Code 7. */
int awsvpc_judge(const struct netconf *c, struct err *e);
/* awsvpc_accept: likewise of a whole record, whose routes a foreign IPAM plugin may have given. */
int awsvpc_accept(const struct attachment *a, struct err *e);
/* awsvpc_plan_imds: the courtesy route in the task: instance metadata leads nowhere. */
void awsvpc_plan_imds(struct plan *p);

/* awsvpc_find_host: the host's addresses on a->master, and the host's macvlan of it. Reads only. */
int awsvpc_find_host(struct netlink *nl, struct attachment *a, struct err *e);
/* awsvpc_plan_host_access: the host's macvlan, and from there to the task. */
void awsvpc_plan_host_access(struct plan *p);
/* awsvpc_plan_host_neighbours: in the task: the host's addresses are at the host's macvlan. */
void awsvpc_plan_host_neighbours(struct plan *p, int link, const struct ifref *dev);

#endif
