/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the doctor's checks share. Each looks, and tells what it found by doctor_tell. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "live.h"

enum verdict {
	DOCTOR_OK,
	DOCTOR_WARN, /* works, but not as one might expect; or some mode does not */
	DOCTOR_FAIL, /* tasks will not work, or do not */
};

struct doctor {
	const struct cli *cli;
	struct networks all;
	json *attachments; /* of live_attachments; empty if the store cannot be read */
	struct netns host;
	struct netlink route, nft;
	const char *about; /* the check that runs */
	json *stores;      /* findings of doctor_store, made before anything read a store */
	json *list;        /* of findings: {check, verdict, finding, fix} */
	unsigned told;     /* findings of this check */
	bool failed;
};

/* doctor_tell: @fix: a command or a sentence; NULL: there is nothing to do. */
void doctor_tell(struct doctor *d, enum verdict verdict, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The checks. Each returns nothing: what keeps it from looking is a finding, too. */
void doctor_kernel(struct doctor *d); /* tries what tasks need, in a namespace of its own */
void doctor_plugins(struct doctor *d);
void doctor_networks(struct doctor *d);
void doctor_store(struct doctor *d);
void doctor_stores_first(struct doctor *d); /* look, for doctor_store to tell */
void doctor_leftovers(struct doctor *d);
void doctor_forwarding(struct doctor *d);
void doctor_firewall(struct doctor *d);
void doctor_flows(struct doctor *d);
void doctor_rp_filter(struct doctor *d);
void doctor_ends(struct doctor *d);
void doctor_mac(struct doctor *d);
void doctor_capabilities(struct doctor *d); /* of tasks, over the host */
void doctor_mtu(struct doctor *d);

/* The next row at or behind @row that is up, NULL at the end. */
const json *doctor_next_up(const json *row);
/* Has a row before @row the same bridge? */
bool doctor_bridge_is_again(const struct doctor *d, const json *row, const char *bridge);
/* The value of a sysctl, or @fallback. */
long doctor_sysctl(const char *path, long fallback);

#endif
