/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records that were found: the way back from the store to a plan. ADD (of the same key, or in need
 * of an address that a dead task holds), DEL and GC take attachments down by the one function here.
 */
#include <errno.h>
#include <string.h>

#include "cni/held.h"
#include "cni/turn.h"
#include "kernel/link.h"
#include "kernel/netns_id.h"

struct held *held_new(struct err *e)
{
	struct held *h = malloc(sizeof(*h));

	if (!h)
		err_sys(e, ERR_IO, ENOMEM, "a record");
	else
		h->io = (struct plan_io){ .batch = NULL };
	return h;
}

void held_freep(struct held **h)
{
	if (*h && (*h)->io.batch)
		plan_io_close(&(*h)->io);
	free(*h);
}

int held_decode(struct call *c, struct held *h, struct err *e)
{
	const struct store_holder *key = &h->record.key;
	int r;

	r = attachment_decode(h->record.text, h->record.len, h->record.schema, &h->a, e);
	if (r < 0) {
		err_prefix(e, "record of container %s, interface %s, network %s", key->container_id,
			   key->ifname, key->network);
		return r;
	}
	h->mode = mode_find(c->plugin, h->a.mode);
	plan_init(&h->plan, &h->a);
	if (h->mode)
		h->mode->plan(&h->a, &h->plan);
	return 0;
}

int held_get(struct call *c, const struct store_key *key, struct held *ret, struct err *e)
{
	int r = store_get(c->store, key, &ret->record, e);

	return r ? r : held_decode(c, ret, e);
}

int held_next(struct call *c, const char *network, uint64_t *cursor, struct held *ret,
	      struct err *e)
{
	int r = store_next(c->store, network, cursor, &ret->record, e);

	return r ? r : held_decode(c, ret, e);
}

int held_seize(struct call *c, const struct store_key *key, bool wait, struct held *ret,
	       struct err *e)
{
	int r = turn_key(c, key, wait, e);

	if (r)
		return r < 0 ? r : HELD_BUSY;
	return held_get(c, key, ret, e);
}

int held_seize_found(struct call *c, struct held *h, struct err *e)
{
	const struct store_holder of = h->record.key;
	const struct store_key key = { of.network, of.container_id, of.ifname };
	int r = held_seize(c, &key, false, h, e);

	if (r == 0 && h->mode)
		return 0;
	turn_key_end(c, &key);
	return r < 0 ? r : HELD_BUSY;
}

int held_needs_mode(const struct call *c, const struct held *h, struct err *e)
{
	char who[OWNER_TEXT];

	if (h->mode)
		return 0;
	err_set(e, ERR_CONFIG, 0,
		"attachment of container %s%s, interface %s, network %s: %s does not know the mode \"%s\"",
		h->a.container_id, owner_text(&h->a.owner, ", ", who), h->a.ifname, h->a.network,
		c->plugin->name, h->a.mode);
	err_hint(e, "call the plugin that made it, in the version that did");
	return -EINVAL;
}

int held_host_end(struct call *c, const struct attachment *a, struct err *e)
{
	struct link_info link;
	int r;

	if (!a->host_ifname[0])
		return 0;
	r = call_netlink(c, e);
	if (!r)
		r = link_by_index(&c->nl, a->ifindex, &link, e);
	if (r < 0)
		return r;
	return r == 0 && !strcmp(link.name, a->host_ifname);
}

/* Nothing on the host tells whether the task lives: the namespace itself must be looked for. */
static bool has_no_trace(const struct held *h)
{
	return !h->a.host_ifname[0] && h->a.netns_cookie;
}

/* Return: 1, 0, or a negative errno. */
static int is_in_sight(const struct held *h, struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r = netns_find(h->a.netns_cookie, &ns, e);

	netns_close(&ns);
	return r < 0 ? r : !r;
}

/*
 * The task's macvlan in the namespace that has the recorded id, which an open descriptor may keep.
 * Return: 1, 0 if it is not there, or a negative errno.
 */
static int find_hidden_link(struct call *c, const struct held *h, struct err *e)
{
	struct link_info link;
	int r = call_netlink(c, e);

	if (r == 0)
		r = link_by_index_in(&c->nl, h->a.netns_id - 1, h->a.ifindex, &link, e);
	if (r != 0)
		return r < 0 ? r : 0;
	return !strcmp(link.kind, "macvlan") && link.link == h->a.master_ifindex;
}

/* Does the recorded id stand, for the recorded namespace? Return: 1, 0, or a negative errno. */
static int has_id(struct call *c, const struct held *h, struct err *e)
{
	uint32_t id = h->a.netns_id - 1;
	int r = call_netlink(c, e);

	if (r == 0)
		r = netns_id_stands(&c->nl, id, e);
	if (r <= 0 || id == netns_id_own(h->a.netns_cookie))
		return r;
	/* One that the kernel chose may be another's by now. */
	if (h->mode->has_interface)
		return find_hidden_link(c, h, e);
	r = netns_id_is_anothers(&c->nl, id, h->a.netns_cookie, e);
	return r < 0 ? r : !r;
}

/* Return: 1, 0, or a negative errno. */
static int is_somewhere(struct call *c, const struct held *h, struct err *e)
{
	return h->a.netns_id && h->mode ? has_id(c, h, e) : is_in_sight(h, e);
}

int held_fate(struct call *c, const struct held *h, struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r;

	if (h->mode && h->mode->host_namespace)
		return HELD_ALIVE;
	r = netns_reopen(h->a.netns, h->a.netns_cookie, &ns, e);
	netns_close(&ns);
	if (r <= 0)
		return r < 0 ? r : HELD_ALIVE;
	r = has_no_trace(h) ? is_somewhere(c, h, e) : held_host_end(c, &h->a, e);
	return r < 0 ? r : r ? HELD_UNCERTAIN : HELD_DEAD;
}

/* By CNI_NETNS, or the recorded path. Return: as netns_reopen. */
static int reopen_either(const struct call *c, const struct held *h, struct netns *ret,
			 struct err *e)
{
	struct err theirs;
	int given, recorded;

	given = c->env.netns ? netns_reopen(c->env.netns, h->a.netns_cookie, ret, e) : 1;
	if (given == 0)
		return 0;
	recorded = netns_reopen(h->a.netns, h->a.netns_cookie, ret, &theirs);
	if (recorded == 0 || given < 0)
		return recorded == 0 ? 0 : given;
	if (recorded < 0)
		*e = theirs;
	return recorded;
}

int held_namespace(const struct call *c, const struct held *h, struct netns *ret, struct err *e)
{
	int r = reopen_either(c, h, ret, e);

	if (r == 1 && h->mode && h->mode->has_interface && has_no_trace(h))
		r = netns_find(h->a.netns_cookie, ret, e);
	if (r == 1)
		*ret = (struct netns)NETNS_NONE;
	return r < 0 ? r : 0;
}

/* Put back what @other, another attachment of the same container, can have now. */
static void hand_over_to(struct call *c, struct held *other, struct plan_io *io)
{
	struct err e;
	int r = plan_apply_elements(&other->plan, io, &e);

	if (r == 0)
		r = plan_apply_joins(&other->plan, io, &e);
	if (r < 0)
		call_warn(c, "the ports of container %s on network %s: %s: GC restores them",
			  other->a.container_id, other->a.network, e.msg);
}

/*
 * Hand the ports that @a has given up to the attachments of its container that joined them. Before
 * the record of @a goes: a kill in between leaves the DEL to be called again. An attachment that
 * another call holds is left to that call: waiting for it may be a deadlock.
 */
static int hand_over(struct call *c, const struct attachment *a, struct plan_io *io, struct err *e)
{
	const struct store_key key = attachment_key(a);
	cleanup_held struct held *other = NULL;
	uint64_t cursor = 0;
	int r = 0;

	if (a->n_ports)
		other = held_new(e);
	if (!other)
		return a->n_ports ? -ENOMEM : 0;
	while ((r = store_next_joint(c->store, &key, &cursor, &other->record, e)) == STORE_OK) {
		r = held_seize_found(c, other, e);
		if (r < 0)
			return r;
		if (r == HELD_BUSY)
			continue;
		if (io->expiring)
			nft_wait_expired();
		io->expiring = false;
		hand_over_to(c, other, io);
		turn_key_end(c, &(struct store_key){ other->a.network, other->a.container_id,
						     other->a.ifname });
	}
	return r < 0 ? r : 0;
}

struct last {
	const struct plan *plan;
	struct plan_io *io;
};

static int undo_shared(void *ctx, const uint64_t *tags, unsigned n, struct err *e)
{
	struct last *last = ctx;

	return n ? plan_undo_shared(last->plan, last->io, tags, n, e) : 0;
}

int plan_release(struct call *c, const struct plan *plan, struct plan_io *io, uint32_t cooldown_s,
		 struct err *e)
{
	const struct store_key key = attachment_key(plan->a);
	struct last last = { .plan = plan, .io = io };
	bool tracked = plan_is_tracked(plan) && plan->a->n_addresses;
	int r = hand_over(c, plan->a, io, e);

	if (!r)
		r = store_release(c->store, &key, cooldown_s | (tracked ? STORE_QUARANTINE : 0),
				  undo_shared, &last, e);
	c->quarantined |= tracked && r == 0;
	return r < 0 ? r : 0;
}

/* Sockets cost as much as what is asked over them: GC takes all down over the same ones. */
static int reach(struct call *c, struct held *h, struct err *e)
{
	struct netns task;
	int r = held_namespace(c, h, &task, e);

	if (r < 0)
		return r;
	if (h->io.batch) {
		plan_io_turn(&h->io, &task);
		return 0;
	}
	r = plan_io_open(&h->io, &c->host, &task, e);
	if (r < 0)
		netns_close(&task);
	return r;
}

/*
 * No path leads to the task's namespace, but a descriptor or a socket keeps it: its macvlan would
 * go on answering for an address that is given to the next.
 */
static int remove_hidden_link(struct call *c, const struct held *h, struct err *e)
{
	int r;

	if (h->io.task.fd >= 0 || !h->a.netns_id || !h->mode->has_interface)
		return 0;
	r = find_hidden_link(c, h, e);
	return r <= 0 ? r : link_del_in(&c->nl, h->a.netns_id - 1, h->a.ifindex, e);
}

static int undo_and_release(struct call *c, struct held *h, uint32_t cooldown_s, struct err *e)
{
	const struct netns none = NETNS_NONE;
	int r = reach(c, h, e);

	if (r < 0)
		return r;
	r = remove_hidden_link(c, h, e);
	if (!r)
		r = plan_undo(&h->plan, &h->io, e);
	if (!r)
		r = plan_release(c, &h->plan, &h->io, cooldown_s, e);
	/* The task's namespace must not live until the last is down; after an error nobody knows
	 * what the sockets have not answered yet. */
	if (r < 0)
		plan_io_close(&h->io);
	else
		plan_io_turn(&h->io, &none);
	return r;
}

int held_take_down(struct call *c, struct held *h, uint32_t cooldown_s, struct err *e)
{
	int r, turn;

	r = held_needs_mode(c, h, e);
	if (!r)
		r = call_host(c, e);
	if (r < 0)
		return r;
	turn = turn_share(c, e);
	if (turn < 0)
		return turn;
	r = undo_and_release(c, h, cooldown_s, e);
	if (turn)
		turn_end(c);
	return r;
}

struct restore {
	struct call *c;
	struct plan_io *io;
	struct held *h;
	bool joins; /* those of plan_join; else all others */
	bool found; /* an attachment has joins */
};

static int restore_one(struct restore *w, struct err *e)
{
	w->found |= plan_has_joins(&w->h->plan);
	return w->joins ? plan_apply_joins(&w->h->plan, w->io, e)
			: plan_apply_elements(&w->h->plan, w->io, e);
}

/* Of each record. Return: 0, or the first failure. */
static int restore_each(struct restore *w, struct err *e)
{
	uint64_t cursor = 0, before;
	struct err now;
	int r, first = 0;

	do {
		before = cursor;
		r = held_next(w->c, NULL, &cursor, w->h, &now);
		if (!r && w->h->mode)
			r = restore_one(w, &now);
		if (r < 0 && first)
			call_warn(w->c, "restoring rules: %s", now.msg);
		if (r < 0 && !first) {
			first = r;
			*e = now;
		}
	} while (r != STORE_ABSENT && cursor != before);
	return first;
}

/* By the record of any attachment that has the store marker in its plan. */
static int mark_store(struct call *c, struct plan_io *io, struct held *h, struct err *e)
{
	uint64_t cursor = 0, before;
	struct err ignored;
	int r;

	do {
		before = cursor;
		r = held_next(c, NULL, &cursor, h, &ignored);
		if (!r && h->mode && plan_has_marker(&h->plan))
			return plan_marker_write(&h->plan, io, e);
	} while (r != STORE_ABSENT && cursor != before);
	return 0;
}

/* Joined ports come last: the attachment that had one first serves it again. */
static int restore_all(struct call *c, struct plan_io *io, struct held *h, struct err *e)
{
	struct restore w = { .c = c, .io = io, .h = h };
	struct err later;
	int r = restore_each(&w, e), r_joins = 0;

	w.joins = true;
	if (w.found)
		r_joins = restore_each(&w, &later);
	if (r == 0 && r_joins < 0)
		*e = later;
	r = r < 0 ? r : r_joins;
	/* Also where an element cannot be had: that is told now, and each ADD would try again. */
	r_joins = mark_store(c, io, h, &later);
	if (r == 0 && r_joins < 0)
		*e = later;
	return r < 0 ? r : r_joins;
}

int held_restore(struct call *c, struct plan_io *io, struct err *e)
{
	cleanup_held struct held *h = held_new(e);
	int r = h ? turn_alone(c, e) : -ENOMEM;

	if (r == 0)
		r = restore_all(c, io, h, e);
	if (r < 0)
		err_prefix(e, "restoring rules");
	turn_end(c);
	return r;
}
