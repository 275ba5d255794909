/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_lease: make room, choose, let the caller compose the body, write, commit. Whatever can fail
 * comes before the dirty flag is set; behind it there are only stores to memory that is there.
 */
#include "file.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/text.h"

struct lease {
	const struct store_want *want;
	store_compose_fn *compose;
	void *ctx;
	struct store_grant *grant;
	struct store_holder *holder;
	int refused; /* what compose returned: its affair, not a state of the store */
};

static bool is_family(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool key_is_sane(const struct store_key *k)
{
	return k->network && k->container_id && k->ifname && strlen(k->network) <= STORE_NAME_MAX &&
	       strlen(k->container_id) <= STORE_NAME_MAX && strlen(k->ifname) <= STORE_IFNAME_MAX;
}

static bool choice_is_sane(const struct store_choice *c)
{
	if (ip_is_set(&c->address))
		return is_family(c->address.family);
	for (unsigned i = 0; i < c->n_ranges; i++) {
		const struct ip_span *s = &c->ranges[i].span;

		if (!is_family(s->first.family) || s->first.family != s->last.family ||
		    ip_cmp(&s->first, &s->last) > 0)
			return false;
	}
	return true;
}

static bool port_is_sane(const struct store_port *p)
{
	return port_protocol(p->protocol) >= 0 &&
	       (!p->host_ip.family || is_family(p->host_ip.family));
}

static int check_want(const struct store_want *w, struct err *e)
{
	if (!key_is_sane(&w->key))
		return err_set(e, ERR_STORE, EINVAL, "the key of a record is missing or too long");
	if (w->n_choices > STORE_ADDRESSES)
		return err_set(e, ERR_STORE, E2BIG, "%u addresses for one record, at most %u",
			       w->n_choices, STORE_ADDRESSES);
	if (w->n_ports > STORE_PORTS)
		return err_set(e, ERR_STORE, E2BIG, "%u ports for one record, at most %u",
			       w->n_ports, STORE_PORTS);
	for (unsigned i = 0; i < w->n_choices; i++)
		if (!choice_is_sane(&w->choices[i]))
			return err_set(e, ERR_STORE, EINVAL, "choice %u is no address or range", i);
	for (unsigned i = 0; i < w->n_ports; i++)
		if (!port_is_sane(&w->ports[i]))
			return err_set(e, ERR_STORE, EINVAL, "port %u has no known protocol", i);
	return 0;
}

static int check_body(const struct store_body *b, struct err *e)
{
	if (b->len > STORE_BODY_MAX)
		return err_set(e, ERR_STORE, E2BIG, "a record of %zu bytes, at most %d", b->len,
			       STORE_BODY_MAX);
	if (b->n_tags > STORE_TAGS)
		return err_set(e, ERR_STORE, E2BIG, "%u tags for one record, at most %d", b->n_tags,
			       STORE_TAGS);
	if (b->len && !b->text)
		return err_set(e, ERR_STORE, EINVAL, "a record has no text");
	return 0;
}

/*
 * Free slots that are left where more can be had. The oldest is taken first, so a slot rests for as
 * many leases: its number is an interface index, which somebody may still believe to be the last
 * holder's.
 */
#define RESTING 32u

/*
 * Room in the index for one more record, and @slots free slots, besides those that rest; where the
 * store cannot grow they rest no more.
 */
static int make_room(struct store *s, const struct store_want *w, uint32_t slots, struct err *e)
{
	const struct census need = { .count = { 1, w->n_choices, w->n_ports, STORE_TAGS } };
	uint32_t free = s->index.h->free.count, good = slots + RESTING;
	bool room = true;
	int err;

	for (int i = 0; i < TABLES; i++)
		room = room && table_has_room(&s->index.tables[i], need.count[i]);
	if (room && free >= good)
		return 0;
	err = cache_grow(s, &need, free < good ? good - free : 0, e);
	return room && free >= slots && err != -EUCLEAN ? 0 : err;
}

static int take_slot(struct store *s, uint32_t n)
{
	const struct slot *slot = slot_at(&s->records, n);

	if (!slot || slot_state(slot) != SLOT_FREE)
		return -EUCLEAN;
	return list_remove(&s->index, &s->index.h->free, n);
}

/* Searches of the ranges and ports given go on behind them. */
static void move_cursors(struct store *s, const struct store_want *w, const struct store_grant *g)
{
	for (unsigned i = 0; i < w->n_choices; i++) {
		const struct store_choice *c = &w->choices[i];
		struct window *win;
		ip_num at;

		if (ip_is_set(&c->address))
			continue;
		win = window_find(&s->index, &c->ranges[g->range_index[i]].span);
		if (!win)
			continue;
		at = ip_to_num(&g->addresses[i]) - ip_to_num(&win->span.first) + 1;
		win->cursor = at < win->n ? (uint32_t)at : 0;
	}
	for (unsigned i = 0; i < w->n_ports; i++)
		if (!w->ports[i].port)
			s->index.h->port_cursor[port_protocol(w->ports[i].protocol)] =
				g->ports[i] + 1u;
}

/* An address that cooled is the new record's alone, which is committed already. */
static int thaw_taken(struct store *s, const struct store_grant *g)
{
	for (unsigned i = 0; i < g->n_addresses; i++) {
		struct slot_view v;
		unsigned j;
		int r = index_find_address(&s->index, &s->records, &g->addresses[i], &v, &j);

		if (r == STORE_ABSENT)
			continue;
		if (r || slot_state(slot_at(&s->records, v.n)) != SLOT_COOLING ||
		    index_thaw(&s->index, &s->records, &v, j))
			return -EUCLEAN;
	}
	return 0;
}

static int write_record(struct store *s, uint32_t n, const struct slot_content *c)
{
	uint32_t chain[CHAIN_MAX];
	uint32_t len = slot_chain_length(c);
	int err = take_slot(s, n);

	for (uint32_t i = 0; i < len && !err; i++) {
		chain[i] = s->index.h->free.first;
		err = take_slot(s, chain[i]);
	}
	if (err)
		return err;
	slot_write(&s->records, n, chain, c);
	slot_commit(slot_at(&s->records, n), SLOT_LIVE);
	return 0;
}

static int commit(struct store *s, const struct lease *l, const struct slot_content *c)
{
	uint32_t n = l->grant->id;
	struct slot_view v;
	int err;

	for (unsigned i = 0; i < c->n_addresses; i++) /* before the record: a kill forgets none */
		seen_add(&records_header(&s->records)->seen, &c->addresses[i]);
	index_begin(&s->index);
	err = write_record(s, n, c);
	if (!err)
		err = thaw_taken(s, l->grant);
	if (!err)
		err = slot_parse(&s->records, n, &v) ? index_add(&s->index, &s->records, &v)
						     : -EUCLEAN;
	if (err)
		return err;
	move_cursors(s, l->want, l->grant);
	index_end(&s->index);
	return 0;
}

static int compose_and_commit(struct store *s, struct lease *l, struct err *e)
{
	struct store_body body = { 0 };
	struct store_port ports[STORE_PORTS];
	struct slot_content content = { .key = &l->want->key,
					.body = &body,
					.ports = ports,
					.n_ports = l->want->n_ports,
					.addresses = l->grant->addresses,
					.n_addresses = l->want->n_choices };
	int err;

	l->refused = l->compose ? l->compose(l->ctx, l->grant, &body, e) : 0;
	if (l->refused)
		return 0;
	err = check_body(&body, e);
	if (err || l->want->dry_run)
		return err;
	for (unsigned i = 0; i < l->want->n_ports; i++) {
		ports[i] = l->want->ports[i];
		ports[i].port = l->grant->ports[i];
	}
	err = make_room(s, l->want, 1 + slot_chain_length(&content), e);
	return err ? err : commit(s, l, &content);
}

static bool all_never_held(const struct store *s, const struct store_grant *g)
{
	const struct seen *seen = &records_header(&s->records)->seen;
	bool never = true;

	for (unsigned i = 0; i < g->n_addresses; i++)
		never = never && seen_never(seen, &g->addresses[i]);
	return never;
}

static int lease_locked(struct store *s, void *args, struct err *e)
{
	struct lease *l = args;
	struct index *ix = &s->index;
	struct slot_view v;
	int r = index_find_key(ix, &s->records, &l->want->key, &v);

	if (r == STORE_OK)
		slot_holder(&v, l->holder);
	if (r != STORE_ABSENT)
		return r == STORE_OK ? STORE_KEY_EXISTS : r;
	r = index_expire(ix, &s->records, (uint64_t)io_clock_ms(), false);
	if (!r && !l->want->dry_run)
		r = make_room(s, l->want, 1, e);
	if (!r)
		r = choose_addresses(s, l->want, l->grant, l->holder, e);
	if (!r)
		r = choose_ports(s, l->want, l->grant, l->holder);
	if (r)
		return r;
	l->grant->id = ix->h->free.first ? ix->h->free.first : ix->shape.n_slots;
	l->grant->boot_base = records_header(&s->records)->boot_base;
	l->grant->never_held = all_never_held(s, l->grant);
	return compose_and_commit(s, l, e);
}

/* What stands in the way is another part of the same want. */
static void name_self(const struct store_want *w, struct store_holder *h)
{
	text_copy(h->network, sizeof(h->network), w->key.network);
	text_copy(h->container_id, sizeof(h->container_id), w->key.container_id);
	text_copy(h->ifname, sizeof(h->ifname), w->key.ifname);
}

/* NOLINTNEXTLINE(readability-function-size): the contract has so many parameters */
int store_lease(struct store *s, const struct store_want *want, store_compose_fn *compose,
		void *ctx, struct store_grant *grant, struct store_holder *holder, struct err *e)
{
	struct lease l = { want, compose, ctx, grant, holder, 0 };
	int r = check_want(want, e);

	if (r)
		return r;
	if (s->access == STORE_READ)
		return err_set(e, ERR_STORE, EROFS, "the store in %s is open for reading", s->dir);
	*grant = (struct store_grant){ 0 };
	*holder = (struct store_holder){ 0 };
	r = store_locked(s, lease_locked, &l, e);
	if ((r == STORE_ADDRESS_HELD || r == STORE_PORT_HELD) && !holder->since)
		name_self(want, holder);
	return l.refused ? l.refused : r;
}
