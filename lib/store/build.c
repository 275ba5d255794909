/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index made from the records: after a kill in the middle of a change, for a larger one, and
 * for a comparison. Two walks: the census drops what is garbled and counts the rest, the build
 * enters it. Live records come before cooling ones, so an address that was taken while it cooled
 * has one owner even if the kill came between the two stores that say so.
 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TABLE_CAP_MIN 64u

static int complain(struct err *e, uint32_t n, const char *what)
{
	return err_set(e, ERR_STORE, EUCLEAN, "slot %u of the state file %s", n, what);
}

/* Slot @n is not what it should be: free it and count it, or say so. */
static int drop(const struct records *r, uint32_t n, unsigned *dropped, struct err *e)
{
	if (!dropped)
		return complain(e, n, "is garbled");
	/* Before the slot: a kill between the two must not forget that there was one. */
	records_header(r)->bereaved = true;
	slot_commit(slot_at(r, n), SLOT_FREE);
	++*dropped;
	return 0;
}

static void tally(struct census *c, const struct slot_view *v, uint32_t state)
{
	c->count[TABLE_ADDRESSES] += v->h->n_addresses;
	if (state != SLOT_LIVE)
		return;
	c->count[TABLE_KEYS]++;
	c->count[TABLE_PORTS] += v->h->n_ports;
	c->count[TABLE_TAGS] += v->h->n_tags;
}

/* Where a byte of the note has flipped: what the records hold, somebody had. */
static void see(const struct records *r, const struct slot_view *v)
{
	for (unsigned i = 0; i < v->h->n_addresses; i++)
		seen_add(&records_header(r)->seen, &v->addresses[i]);
}

int census_take(const struct records *r, bool repair, struct census *ret, struct err *e)
{
	*ret = (struct census){ 0 };
	for (uint32_t n = 1; n < r->n; n++) {
		uint32_t state = slot_state(slot_at(r, n));
		struct slot_view v;
		int err;

		if (state == SLOT_FREE)
			continue;
		if ((state == SLOT_LIVE || state == SLOT_COOLING) && slot_parse(r, n, &v) &&
		    slot_is_whole(r, &v)) {
			tally(ret, &v, state);
			if (repair)
				see(r, &v);
			continue;
		}
		err = drop(r, n, repair ? &ret->dropped : NULL, e);
		if (err)
			return err;
	}
	return 0;
}

/* Half full at most when new, so that growing again is as far away as it was expensive. */
static uint32_t table_cap(uint64_t entries)
{
	uint32_t cap = TABLE_CAP_MIN;

	while (cap < entries * 2 && cap < 1u << 31)
		cap *= 2;
	return cap;
}

struct shape census_shape(const struct census *c, const struct census *need, uint32_t n_slots)
{
	struct shape sh = { .n_slots = n_slots };
	uint64_t heap = (c->heap + need->heap) * 2;

	for (int i = 0; i < TABLES; i++) {
		uint64_t entries = c->count[i] + need->count[i];

		if ((i == TABLE_KEYS || i == TABLE_ADDRESSES) && entries < n_slots)
			entries = n_slots;
		sh.cap[i] = table_cap(entries);
	}
	sh.heap = heap < HEAP_MIN ? HEAP_MIN : (uint32_t)((heap + 4095) / 4096 * 4096);
	return sh;
}

bool shape_holds(const struct shape *have, const struct census *c, const struct census *need,
		 uint32_t n_slots)
{
	for (int i = 0; i < TABLES; i++)
		if (c->count[i] + need->count[i] > (uint64_t)have->cap[i] / 4 * 3)
			return false;
	return have->n_slots == n_slots && have->heap >= c->heap + need->heap;
}

static bool window_is_sane(const struct window *w)
{
	const struct ip *a = &w->span.first, *b = &w->span.last;

	return (a->family == AF_INET || a->family == AF_INET6) && a->family == b->family &&
	       ip_cmp(a, b) <= 0;
}

uint64_t carry_take(const struct index *ix, struct carry *ret)
{
	uint64_t heap = 0;
	unsigned n = 0;

	*ret = (struct carry){ 0 };
	if (!ix->h)
		return 0;
	for (unsigned i = 0; i < WINDOWS; i++) {
		const struct window *w = &ix->h->windows[i];

		if (!window_is_sane(w))
			continue;
		heap += bits_size(window_length(&w->span));
		ret->windows[n++] = (struct window){ .span = w->span,
						     .cursor = w->cursor,
						     .last_use = w->last_use };
	}
	memcpy(ret->port_cursor, ix->h->port_cursor, sizeof(ret->port_cursor));
	ret->order = ix->h->order;
	ret->clock = ix->h->clock;
	ret->n_slots = ix->shape.n_slots;
	return heap;
}

static int begin_empty(struct index *ix, const struct carry *c)
{
	size_t head = offsetof(struct index_header, shape);

	/* the flag goes first and comes back never: a kill in here finds a dirty index */
	index_begin(ix);
	memset((uint8_t *)ix->h + head, 0, index_size(&ix->shape) - head);
	ix->h->magic = INDEX_MAGIC;
	ix->h->version = INDEX_VERSION;
	ix->h->file_id = ix->file_id;
	ix->h->shape = ix->shape;
	ix->h->order = c->order;
	ix->h->clock = c->clock;
	memcpy(ix->h->port_cursor, c->port_cursor, sizeof(c->port_cursor));
	memcpy(ix->h->windows, c->windows, sizeof(c->windows));
	for (unsigned i = 0; i < WINDOWS && c->windows[i].span.first.family; i++) {
		ix->h->n_windows = i + 1;
		if (!window_place(ix, &ix->h->windows[i]))
			return -EUCLEAN;
	}
	return 0;
}

/* Does a record that is entered already have something of @v? Only garbage makes that so, save for
 * ports, which records of one container may share. */
static bool collides(const struct index *ix, const struct records *r, const struct slot_view *v)
{
	struct store_key key = { v->network, v->container_id, v->ifname };
	struct slot_view other;
	unsigned i;

	if (index_find_key(ix, r, &key, &other) == STORE_OK)
		return true;
	for (i = 0; i < v->h->n_addresses; i++) {
		unsigned j;

		if (index_find_address(ix, r, &v->addresses[i], &other, &j) == STORE_OK)
			return true;
	}
	for (i = 0; i < v->h->n_ports; i++) {
		struct store_port p;

		if (slot_port(r, v, i, &p) ||
		    index_find_port(ix, r, &p, v->container_id, &other) == STORE_OK)
			return true;
	}
	return false;
}

/* Mark the slots of live record @v as taken; undo that if one of them has an owner already. */
static bool claim(const struct records *r, const struct slot_view *v, uint8_t *taken)
{
	uint32_t chain[CHAIN_MAX + 1];
	uint32_t n = v->n;

	for (uint32_t i = 0; i <= v->n_chain && i <= CHAIN_MAX; i++) {
		const struct slot *s = slot_at(r, n);

		if (!s || taken[n]) {
			while (i--)
				taken[chain[i]] = 0;
			return false;
		}
		taken[n] = 1;
		chain[i] = n;
		n = s->next;
	}
	return true;
}

static int enter_live(struct index *ix, const struct records *r, uint8_t *taken, unsigned *dropped,
		      struct err *e)
{
	for (uint32_t n = 1; n < r->n; n++) {
		struct slot_view v;
		int err;

		if (slot_state(slot_at(r, n)) != SLOT_LIVE)
			continue;
		if (slot_parse(r, n, &v) && !collides(ix, r, &v) && claim(r, &v, taken))
			err = index_add(ix, r, &v);
		else
			err = drop(r, n, dropped, e);
		if (err)
			return err;
	}
	return 0;
}

/* Which addresses of cooling head @v really cool: bits of its own that nobody else holds. */
static uint32_t cooling_mask(const struct index *ix, const struct records *r,
			     const struct slot_view *v)
{
	uint32_t mask = v->h->cooling & ((1u << v->h->n_addresses) - 1);

	for (unsigned i = 0; i < v->h->n_addresses; i++) {
		struct slot_view other;
		unsigned j;

		if (index_find_address(ix, r, &v->addresses[i], &other, &j) == STORE_OK)
			mask &= ~(1u << i);
	}
	return mask;
}

static int enter_cooling(struct index *ix, const struct records *r, uint32_t n, bool repair,
			 struct err *e)
{
	struct slot_view v;
	uint32_t mask;

	if (!slot_parse(r, n, &v))
		return complain(e, n, "is garbled");
	mask = cooling_mask(ix, r, &v);
	if (!repair && (mask != (v.h->cooling & ~SLOT_QUARANTINE) || !mask))
		return complain(e, n, "cools addresses that it does not hold");
	v.h->cooling = mask | (v.h->cooling & SLOT_QUARANTINE);
	if (!mask) {
		slot_commit(slot_at(r, n), SLOT_FREE);
		return 0;
	}
	for (unsigned i = 0; i < v.h->n_addresses; i++)
		if (mask >> i & 1 && index_add_address(ix, &v, i, ADDRESS_COOLING))
			return -EUCLEAN;
	index_cool(ix, r, &v);
	return 0;
}

struct release {
	uint64_t order;
	uint32_t n;
};

static int release_cmp(const void *a, const void *b)
{
	const struct release *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static uint32_t collect_cooling(const struct records *r, struct release *ret)
{
	uint32_t count = 0;

	for (uint32_t n = 1; n < r->n; n++) {
		struct slot_view v;

		if (slot_state(slot_at(r, n)) != SLOT_COOLING || !slot_parse(r, n, &v))
			continue;
		if (ret)
			ret[count] = (struct release){ v.h->order, n };
		count++;
	}
	return count;
}

static int enter_all_cooling(struct index *ix, const struct records *r, bool repair, struct err *e)
{
	uint32_t count = collect_cooling(r, NULL);
	cleanup_free struct release *list = calloc(count + 1u, sizeof(*list));
	int err = 0;

	if (!list)
		return -ENOMEM;
	count = collect_cooling(r, list);
	qsort(list, count, sizeof(*list), release_cmp);
	for (uint32_t i = 0; i < count && !err; i++)
		err = enter_cooling(ix, r, list[i].n, repair, e);
	if (count && list[count - 1].order > ix->h->order)
		ix->h->order = list[count - 1].order;
	return err;
}

/* Free slots of the numbers from @from to below @to, in this order. */
static void enter_free(struct index *ix, const struct records *r, const uint8_t *taken,
		       uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to && n < r->n; n++)
		if (!taken[n] && slot_state(slot_at(r, n)) == SLOT_FREE)
			list_append(ix, &ix->h->free, n);
}

int index_build(struct index *ix, const struct records *r, const struct carry *c, bool repair,
		unsigned *dropped, struct err *e)
{
	cleanup_free uint8_t *taken = calloc(r->n, 1);
	int err;

	err_set(e, ERR_STORE, EUCLEAN, "the index of the state file cannot be built");
	if (!taken)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot rebuild the index");
	err = begin_empty(ix, c);
	if (!err)
		err = enter_live(ix, r, taken, repair ? dropped : NULL, e);
	if (!err)
		err = enter_all_cooling(ix, r, repair, e);
	if (err)
		return err;
	/* Those that are new come first: the others may have been freed a moment ago. */
	enter_free(ix, r, taken, c->n_slots ? c->n_slots : 1, r->n);
	enter_free(ix, r, taken, 1, c->n_slots);
	*e = (struct err){ 0 };
	return 0;
}
