/* SPDX-License-Identifier: GPL-2.0-or-later */
/* task-bridge: a Linux bridge a network, with everything that users of the reference chain expect. */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include "mode/mode.h"

struct bridge_conf {
	char bridge[64];		/* longer than IFNAMSIZ, so that the message can name it */
	bool gateway, default_gateway, force_address;
	bool masquerade;
	uint32_t masquerade_backend;	/* of the reference plugin; ours is nftables always */
	bool hairpin, promiscuous, isolated;
	bool mac_check, detect_duplicates;
	bool snat, masq_all;		/* of published ports */
	uint32_t vlan;
	uint32_t ingress_policy;	/* index into ingress_policy_names */
	char dynamic_ports[32];		/* "FIRST-LAST" */
	struct bandwidth bandwidth;
};

extern const struct field bridge_fields[];
extern const struct mode mode_bridge;

void bridge_defaults(void *own);
int bridge_judge(const struct netconf *c, struct err *e);
/* Keys of the reference chain that have no place here: refused, or told line by line. */
int bridge_refuse_keys(const json *root, struct err *e);
void bridge_warn_of_keys(const json *root, struct text *warn);
int bridge_dynamic_ports(const struct netconf *c, uint16_t *first, uint16_t *last, struct err *e);
/* bridge_find: is the name free, or that of a bridge, and `vlan` none? Changes nothing. */
int bridge_find(const struct netconf *c, struct plan_io *io, struct err *e);
int bridge_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a, struct err *e);
int bridge_accept(const struct attachment *a, struct err *e);
void bridge_plan(const struct attachment *a, struct plan *p);

#endif
