/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kind of step is: for plan/ only. One file a kind; it ends in one const struct step_kind.
 */
#ifndef PLAN_STEP_H
#define PLAN_STEP_H

#include "plan/plan.h"

enum step_via {
	VIA_ROUTE,
	VIA_NFT,
	VIA_CALL
};

struct step_kind {
	const char *name;
	enum step_via via;
	/*
	 * VIA_ROUTE, VIA_NFT: append the request to the batch of the step's side.
	 * drop may be NULL: then undo has nothing to do.
	 */
	void (*add)(const struct step *s, struct plan_io *io, struct batch *b);
	void (*drop)(const struct step *s, struct plan_io *io, struct batch *b);
	/* VIA_CALL: done at once, in the step's namespace (the caller has entered it). Either may
	 * be NULL: nothing to do. */
	int (*apply)(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e);
	int (*undo)(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e);
	/* 0: as planned; 1: different, with *e telling what; -errno. */
	int (*check)(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e);
	/* The command, without namespace prefix; undo form if @undo. May print nothing. */
	void (*print)(const struct step *s, const struct plan *p, bool undo, struct text *t);
};

extern const struct step_kind step_netns, step_veth, step_macvlan, step_link, step_addr, step_route,
	step_rule, step_neigh, step_sysctl, step_ruleset, step_element, step_bridge, step_ifb,
	step_qdisc, step_redirect, step_bpf, step_flows, step_flows_end, step_settle, step_toggle,
	step_marker, step_announce, step_join, step_rules_end, step_route_of_other;

/* plan_hint_need: where @e tells that the kernel does not know what the step asks for, the hint is the
 * module and the option of the kernel; a hint that is there stays. */
void plan_hint_need(const struct step *s, struct err *e);
/* plan_why: why the step is there (or undone), in a sentence; NULL: the one before it tells. */
const char *plan_why(const struct step *s, bool undo);

#endif
