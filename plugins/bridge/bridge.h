/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task-bridge: a Linux bridge a network, with everything that users of the reference chain expect.
 *
 * fields.c    the configuration, and what it cannot be
 * reference.c keys of the reference chain that have no place here
 * ports.c     published ports: what they may be, and where dynamic ones come from
 * resolve.c   the bridge as it is, and what the configuration means for this attachment
 * plan.c      the plan, a pure function of the record
 * bridge.c    the mode that names them
 */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include "mode/mode.h"
#include "mode/nat.h"

struct bridge_conf {
	char bridge[64]; /* longer than IFNAMSIZ, so that the message can name it */
	bool gateway, default_gateway, force_address;
	bool masquerade;
	uint32_t masquerade_backend; /* of the reference plugin; ours is nftables always */
	bool hairpin, promiscuous, isolated;
	bool mac_check, detect_duplicates;
	uint32_t vlan;           /* only 0 */
	uint32_t ingress_policy; /* index into ingress_policy_names */
	bool snat, masq_all;     /* of published ports */
	char dynamic_ports[32];  /* "FIRST-LAST" */
	struct bandwidth bandwidth;
	struct nat_conf nat;
};

static inline const struct bridge_conf *bridge_conf(const struct netconf *c)
{
	return (const void *)c->own;
}

extern const struct field bridge_fields[];
extern const struct mode mode_bridge;

void bridge_defaults(void *own);
int bridge_judge(const struct netconf *c, struct err *e);

/* Keys of the reference chain that have no place here: refused, or told line by line. */
int bridge_refuse_keys(const json *root, struct err *e);
void bridge_warn_of_keys(const json *root, struct text *warn);
/* bridge_knows_key: of those that the two above judge. */
bool bridge_knows_key(const char *key);

int bridge_judge_ports(const struct netconf *c, struct err *e);
/* bridge_judge_ranges: dynamic ports lie outside of those of masqueraded flows (@nat). Code 7. */
int bridge_judge_ranges(const struct netconf *c, const struct nat *nat, struct err *e);
int bridge_dynamic_ports(const struct netconf *c, uint16_t *first, uint16_t *last, struct err *e);
/* bridge_accept_ports: has the task an address for each? */
int bridge_accept_ports(const struct attachment *a, struct err *e);

int bridge_resolve(const struct netconf *c, struct plan_io *io, struct attachment *a,
		   struct err *e);
int bridge_accept(const struct attachment *a, struct err *e);
void bridge_plan(const struct attachment *a, struct plan *p);

#endif
