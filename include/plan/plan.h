/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans. A mode does not touch the kernel: it lists steps, and everything else is a reading of that
 * list: apply it, undo it from the end, check each step, print each step as a command.
 *
 * A step is one kernel request as a value. It holds all it needs (names, indexes, addresses are in
 * the record), so applying looks nothing up. Steps of one socket that follow one another travel in
 * one sendmsg; a mode therefore lists the steps of one side together.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/text.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "kernel/route.h"
#include "kernel/rule.h"
#include "task/attachment.h"

/* An element of a map and one of a set for each family of each port, and room for all else that a
 * mode plans. */
#define PLAN_STEPS (4 * STORE_PORTS + 256)

enum side {
	HOST,
	TASK
};

struct step_kind;

/* A link as a step refers to it: by index for the kernel, by name for people. */
struct ifref {
	const char *name; /* borrowed from the attachment, or static */
	uint32_t ifindex;
};

/* What is special about an address; all false: nothing. */
struct addr_how {
	bool no_prefix_route; /* no connected route */
	bool detect;          /* IPv6: with duplicate address detection */
	bool gone;            /* the step takes the address away */
	bool stays;           /* undo leaves it: the interface is somebody else's */
	bool again;           /* it is there, but may have gone along with one before it */
};

struct macvlan_of {
	const char *master;
	uint32_t master_ifindex;
	uint32_t mode; /* index into macvlan_mode_names */
	uint32_t mtu;
};

struct step {
	const struct step_kind *kind;
	enum side side; /* the namespace it acts in */
	bool shared;    /* ensured; undone only when no other record has the same step */
	int dies_with;  /* number of the step whose undo takes this one along; -1: none */
	int tag_with;   /* number of the shared step with whose tag this one is counted; -1: its own
			 */
	union {
		struct {
			struct link_end host, task;
			uint32_t mtu;
		} veth;
		struct {
			struct link_end end;
			struct macvlan_of of;
			bool in_task; /* side is HOST all the same: the master is there */
		} macvlan;
		struct {
			struct link_end end;
			uint32_t mtu;
		} bridge;
		struct {
			struct link_end end;
		} ifb;
		struct {
			struct ifref dev;
			bool ingress; /* the ingress hook; else a token bucket (tbf) as root */
			uint64_t rate, burst; /* bits per second, bits */
		} qdisc;
		struct {
			struct ifref dev, to; /* all that enters dev leaves by to */
		} redirect;
		struct {
			struct ifref dev; /* whose owner is the plan's attachment */
		} bpf;
		struct {
			struct ifref dev;
			struct link_settings set;
		} link;
		struct {
			char path[64];    /* of a sysctl, with slashes */
			const char *loss; /* what does not work without it; static */
		} toggle;
		struct {
			struct ifref dev;
			struct cidr cidr;
			struct addr_how how;
		} addr;
		struct {
			struct ifref dev;
			struct route_spec spec;
		} route;
		struct rule_spec rule;
		struct {
			struct ifref dev;
			struct ip ip;
			struct mac mac;
		} neigh;
		struct {
			char path[80]; /* slashes: net/ipv6/conf/eth0/accept_ra */
			char value[16];
		} sysctl;
		struct {
			const struct nft_ruleset *rules;
			struct nft_values values; /* of its text; none: whatever is loaded */
		} ruleset;
		struct {
			const char *table;
			struct nft_element element;
		} element;
	};
};

struct plan {
	const struct attachment *a; /* borrowed for the life of the plan: names point into it */
	unsigned n;
	bool overflow; /* more than PLAN_STEPS: apply refuses */
	struct step steps[PLAN_STEPS];
};

/* What a plan acts through: namespaces and sockets, opened when first needed. */
struct plan_io {
	struct netns host;
	struct netns task;            /* fd -1: gone; then its steps count as undone */
	struct netlink route[2];      /* by enum side */
	struct netlink nft;           /* of the host */
	struct batch *batch;          /* on the heap, made by plan_io_open */
	const struct mac *expect_mac; /* plan_check: of the task's interface, if not the plan's */
	struct batch_failure failure; /* of the last batch that failed */
	bool expiring;                /* dropped elements may live for a moment: nft_wait_expired */
	bool crowded;                 /* many tasks: their sysctls are written apart */
	bool ruleset_loaded;          /* apply had to load a skeleton: other attachments' elements
				       * may be missing and must be restored from the store */
	bool name_taken; /* apply found a file of others where the task's namespace gets its name */
	bool stuck;      /* a failed apply could not undo all it had made: the record must stay */
};

/* plan_io_open: @task is taken over (its descriptor is closed by plan_io_close). */
int plan_io_open(struct plan_io *io, const struct netns *host, const struct netns *task,
		 struct err *e);
/*
 * plan_io_turn: to another task, taken over as well. The sockets in the host stay; all else is as
 * after plan_io_open.
 */
void plan_io_turn(struct plan_io *io, const struct netns *task);
void plan_io_close(struct plan_io *io);
#define cleanup_plan_io CLEANUP(plan_io_close)

/* Sockets on demand, for resolve and status. Borrowed from @io. */
int plan_io_route(struct plan_io *io, enum side side, struct netlink **ret, struct err *e);
int plan_io_nft(struct plan_io *io, struct netlink **ret, struct err *e);

/* ---- for modes: each appends one step and returns its number ---- */
void plan_init(struct plan *p, const struct attachment *a);
int plan_netns(struct plan *p); /* shared: the name of a task's namespace that we made */
int plan_veth(struct plan *p, const struct link_end *host, const struct link_end *task,
	      uint32_t mtu);
int plan_macvlan(struct plan *p, enum side side, const struct link_end *end,
		 const struct macvlan_of *of);
/* plan_bridge: shared; undone only when no port is left, and never if it was there before us. */
int plan_bridge(struct plan *p, const struct link_end *end, uint32_t mtu);
/* plan_ifb: an intermediate device, up, on the host: what is redirected to it can be shaped. */
int plan_ifb(struct plan *p, const struct link_end *end);
/*
 * plan_flows: forget tracked connections to the UDP host ports of the attachment, which keep their
 * old destination otherwise. After the ports' elements, so that nothing is tracked to the old one
 * again.
 */
int plan_flows(struct plan *p);
/*
 * plan_flows_end: the host tracks what the attachment's addresses send and receive, so that these
 * are quarantined when the attachment goes: plan_is_tracked. First in a plan, because it is undone
 * last.
 */
int plan_flows_end(struct plan *p);
bool plan_is_tracked(const struct plan *p);
/* @with: the step this one dies with, -1: none; for all that follow. */
int plan_link(struct plan *p, int with, enum side side, const struct ifref *dev,
	      const struct link_settings *set);
int plan_addr(struct plan *p, int with, enum side side, const struct ifref *dev,
	      const struct cidr *c, struct addr_how how);
/* plan_announce: tell the neighbours on the task's bridge that @dev of the task has @mac. */
int plan_announce(struct plan *p, int with, const struct ifref *dev, const struct mac *mac);
/* plan_settle: wait until duplicate address detection has spoken; a duplicate is an error. */
int plan_settle(struct plan *p, int with, enum side side, const struct ifref *dev,
		const struct cidr *c);
int plan_route(struct plan *p, int with, enum side side, const struct ifref *dev,
	       const struct route_spec *spec);
/* plan_route_of_other: by an interface that is not ours, and may go before the plan is undone. */
int plan_route_of_other(struct plan *p, enum side side, const struct ifref *dev,
			const struct route_spec *spec);
/* plan_rule: @spec->iif is borrowed for the life of the plan. */
int plan_rule(struct plan *p, enum side side,
	      const struct rule_spec *spec); /* spec->ifindex is taken from @dev */
/* plan_rules_end: undoing takes away the rules of @spec's priority and table from any address: a
 * record may tell of none. Applying does nothing. */
int plan_rules_end(struct plan *p, enum side side, const struct rule_spec *spec);
int plan_neigh(struct plan *p, int with, enum side side, const struct ifref *dev,
	       const struct ip *ip, const struct mac *mac);
int plan_sysctl(struct plan *p, int with, enum side side, const char *value, const char *path_fmt,
		...) __attribute__((format(printf, 5, 6)));
int plan_tbf(struct plan *p, int with, const struct ifref *dev, uint64_t rate, uint64_t burst);
int plan_ingress(struct plan *p, int with, const struct ifref *dev);
int plan_redirect(struct plan *p, int with, const struct ifref *dev, const struct ifref *to);
/* plan_bpf: what the attachment sends by the host's end @dev, which has the ingress hook, to other
 * tasks is taken there past the host's stack: kernel/bpf.h. */
int plan_bpf(struct plan *p, int with, const struct ifref *dev);
/* plan_localnet: shared: 127.0.0.0/8 may cross the host's link @dev (route_localnet). */
int plan_localnet(struct plan *p, const struct ifref *dev);
/* plan_valid_mark: shared: reverse path filtering asks with the packet's mark (src_valid_mark). */
int plan_valid_mark(struct plan *p);
int plan_ruleset(struct plan *p, const struct nft_ruleset *r); /* shared */
/* plan_ruleset_values: one whose text has numbers that are the same for all of the host. */
int plan_ruleset_values(struct plan *p, const struct nft_ruleset *r,
			const struct nft_values *values);
/* plan_marker: shared: the store marker @id of @table's set "stores". */
int plan_marker(struct plan *p, const char *table, uint32_t id);
int plan_element(struct plan *p, const char *table, const struct nft_element *el);
/* plan_join: an element of a map that another attachment of the container may have already. */
int plan_join(struct plan *p, const char *table, const struct nft_element *el);
void plan_share(struct plan *p, int step); /* mark a step as shared */
/* plan_share_with: likewise, where every plan that has @step has the shared step @lead: one tag
 * does for both. */
void plan_share_with(struct plan *p, int step, int lead);

/* ---- the readings ---- */

/*
 * plan_apply: make it real. On failure everything that was applied is undone again, so the host is
 * as before, unless io->stuck; the error names the printed step that failed and the kernel's
 * sentence.
 */
int plan_apply(const struct plan *p, struct plan_io *io, struct err *e);

/*
 * plan_apply_rest: apply those steps of @p that @done, applied already, does not have. On failure
 * they are undone again, and only they.
 */
int plan_apply_rest(const struct plan *p, const struct plan *done, struct plan_io *io,
		    struct err *e);

/*
 * plan_undo: undo from the end, all of it, whatever is missing; shared steps stay.
 * Goes on after a failure and reports the first.
 */
int plan_undo(const struct plan *p, struct plan_io *io, struct err *e);

/* plan_undo_shared: undo the shared steps that have one of @tags (of plan_tags, in any order). */
int plan_undo_shared(const struct plan *p, struct plan_io *io, const uint64_t *tags, unsigned n,
		     struct err *e);

/*
 * plan_tags: a hash for each shared step that can be undone, of how: two plans with the same tag
 * share what that step made, however they made it (a bridge of another MTU is the same bridge).
 * Return: how many there are; those beyond @max are not in @ret.
 */
unsigned plan_tags(const struct plan *p, uint64_t *ret, unsigned max);

/*
 * plan_check: compare the kernel with every step; the first difference is the error (code 106),
 * with the command that repairs it as its details.
 * @mac: the task interface's MAC to expect instead of the plan's (a chained plugin changed it), or
 * NULL.
 */
int plan_check(const struct plan *p, struct plan_io *io, const struct mac *mac, struct err *e);
/* plan_differences: call @tell for each step that the kernel does not have as planned. */
void plan_differences(const struct plan *p, struct plan_io *io,
		      void (*tell)(void *ctx, const char *difference), void *ctx);

/*
 * plan_fits: would the kernel take it, as the host is now? Asks only for what would be in every
 * task's way, and changes nothing: IPv6 that the host has turned off, an interval of a set within
 * another's. Return: 0, or a negative errno with the words of plan_apply.
 */
int plan_fits(const struct plan *p, struct plan_io *io, struct err *e);

/* plan_apply_elements: only what is in nftables again, rules and elements: after a foreign flush.
 * An element that cannot be had, because its key leads elsewhere by now, is told; the others come.
 */
int plan_apply_elements(const struct plan *p, struct plan_io *io, struct err *e);
/* plan_apply_joins: likewise those of plan_join, after the elements of all other attachments. */
int plan_apply_joins(const struct plan *p, struct plan_io *io, struct err *e);
bool plan_has_joins(const struct plan *p);

/* plan_marker_find: Return: 0 if the store marker of the plan stands, or the plan has none; 1 if it
 * is gone; or a negative errno. */
int plan_marker_find(const struct plan *p, struct plan_io *io, struct err *e);
/* plan_marker_write: once the elements of all records are there. */
int plan_marker_write(const struct plan *p, struct plan_io *io, struct err *e);
bool plan_has_marker(const struct plan *p);
/* plan_marker_tag: the tag of its step, as among plan_tags. Return: whether there is one. */
bool plan_marker_tag(const struct plan *p, uint64_t *ret);

enum plan_print {
	PLAN_PRINT_APPLY,
	PLAN_PRINT_UNDO = 1,
	PLAN_PRINT_WHY = 2, /* or it: a comment above a step says why it is there */
};
/* plan_print: a line a step, runnable by sh as root. @what: of enum plan_print. */
void plan_print(const struct plan *p, unsigned what, struct text *t);

#endif
