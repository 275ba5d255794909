/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes the index when a record appears, goes, cools and thaws. The caller has set the dirty
 * flag; an error leaves it set, and the index is made anew.
 */
#include "index.h"

#include <errno.h>

static struct table *table_of(struct index *ix, enum index_table t)
{
	return &ix->tables[t];
}

/* The ports of record @v, in the table and in the bitmaps for dynamic ports. */
static int add_ports(struct index *ix, const struct records *r, const struct slot_view *v)
{
	for (unsigned i = 0; i < v->h->n_ports; i++) {
		struct store_port p;

		if (slot_port(r, v, i, &p) ||
		    !table_add(table_of(ix, TABLE_PORTS), index_hash_port(&p),
			       v->n * STORE_PORTS + i))
			return -EUCLEAN;
		ix->ports[port_protocol(p.protocol)][p.port / 64] |= 1ULL << p.port % 64;
	}
	return 0;
}

static int remove_ports(struct index *ix, const struct records *r, const struct slot_view *v)
{
	struct table *t = table_of(ix, TABLE_PORTS);

	for (unsigned i = 0; i < v->h->n_ports; i++) {
		struct store_port p;
		struct entry *e;
		uint32_t probe = 0;

		if (slot_port(r, v, i, &p))
			return -EUCLEAN;
		e = table_find(t, index_hash_port(&p), v->n * STORE_PORTS + i);
		if (!e)
			return -EUCLEAN;
		table_remove(t, e);
		/* another record may hold the same port of another host address */
		if (!table_next(t, index_hash_port(&p), &probe))
			ix->ports[port_protocol(p.protocol)][p.port / 64] &= ~(1ULL << p.port % 64);
	}
	return 0;
}

static int add_tags(struct index *ix, const struct slot_view *v)
{
	struct table *t = table_of(ix, TABLE_TAGS);

	for (unsigned i = 0; i < v->h->n_tags; i++) {
		struct entry *e;

		if (!slot_tag_is_new(v, i))
			continue;
		e = table_find(t, v->tags[i], 1);
		if (!e)
			e = table_add(t, v->tags[i], 1);
		if (!e)
			return -EUCLEAN;
		e->count++;
	}
	return 0;
}

static int remove_tags(struct index *ix, const struct slot_view *v)
{
	for (unsigned i = 0; i < v->h->n_tags; i++) {
		struct entry *e;

		if (!slot_tag_is_new(v, i))
			continue;
		e = table_find(table_of(ix, TABLE_TAGS), v->tags[i], 1);
		if (!e || !e->count)
			return -EUCLEAN;
		if (!--e->count)
			table_remove(table_of(ix, TABLE_TAGS), e);
	}
	return 0;
}

int index_add_address(struct index *ix, const struct slot_view *v, unsigned i,
		      enum address_state state)
{
	const struct ip *a = &v->addresses[i];

	if (!table_add(table_of(ix, TABLE_ADDRESSES), index_hash_address(ix, a),
		       v->n * STORE_ADDRESSES + i))
		return -EUCLEAN;
	window_note(ix, a, ADDRESS_FREE, state);
	return 0;
}

static int remove_address(struct index *ix, const struct slot_view *v, unsigned i,
			  enum address_state state)
{
	const struct ip *a = &v->addresses[i];
	struct entry *e = table_find(table_of(ix, TABLE_ADDRESSES), index_hash_address(ix, a),
				     v->n * STORE_ADDRESSES + i);

	if (!e)
		return -EUCLEAN;
	table_remove(table_of(ix, TABLE_ADDRESSES), e);
	window_note(ix, a, state, ADDRESS_FREE);
	return 0;
}

int index_add(struct index *ix, const struct records *r, const struct slot_view *v)
{
	if (!table_add(table_of(ix, TABLE_KEYS), index_hash_key(ix, v), v->n))
		return -EUCLEAN;
	for (unsigned i = 0; i < v->h->n_addresses; i++)
		if (index_add_address(ix, v, i, ADDRESS_USED))
			return -EUCLEAN;
	if (add_ports(ix, r, v) || add_tags(ix, v))
		return -EUCLEAN;
	ix->h->records++;
	return 0;
}

/* The continuation slots of @v are free again. */
static int free_chain(struct index *ix, const struct records *r, const struct slot_view *v)
{
	const struct slot *s = slot_at(r, v->n);

	for (uint32_t i = 0; i < v->n_chain && s; i++) {
		uint32_t n = s->next;

		s = slot_at(r, n);
		if (s && n < ix->shape.n_slots)
			list_append(ix, &ix->h->free, n);
		else
			s = NULL;
	}
	return s ? 0 : -EUCLEAN;
}

static uint64_t end_of_cooling(const struct head *h)
{
	return h->released_ms + h->cooldown_s * 1000ULL;
}

void index_cool(struct index *ix, const struct records *r, const struct slot_view *v)
{
	struct slot_view last;

	if (slot_parse(r, ix->h->cooling.last, &last) &&
	    end_of_cooling(last.h) > end_of_cooling(v->h))
		ix->h->unsorted = 1;
	list_append(ix, &ix->h->cooling, v->n);
}

int index_remove(struct index *ix, const struct records *r, const struct slot_view *v,
		 bool keep_addresses)
{
	struct entry *e = table_find(table_of(ix, TABLE_KEYS), index_hash_key(ix, v), v->n);
	int err = 0;

	if (!e)
		return -EUCLEAN;
	table_remove(table_of(ix, TABLE_KEYS), e);
	for (unsigned i = 0; i < v->h->n_addresses && !err; i++) {
		if (keep_addresses)
			window_note(ix, &v->addresses[i], ADDRESS_USED, ADDRESS_COOLING);
		else
			err = remove_address(ix, v, i, ADDRESS_USED);
	}
	if (err || remove_ports(ix, r, v) || remove_tags(ix, v) || free_chain(ix, r, v))
		return -EUCLEAN;
	if (keep_addresses)
		index_cool(ix, r, v);
	else
		list_append(ix, &ix->h->free, v->n);
	ix->h->records--;
	return 0;
}

int index_thaw(struct index *ix, const struct records *r, const struct slot_view *v, unsigned i)
{
	if (remove_address(ix, v, i, ADDRESS_COOLING))
		return -EUCLEAN;
	v->h->cooling &= ~(1u << i);
	if (v->h->cooling & ~SLOT_QUARANTINE)
		return 0;
	slot_commit(slot_at(r, v->n), SLOT_FREE);
	if (list_remove(ix, &ix->h->cooling, v->n))
		return -EUCLEAN;
	list_append(ix, &ix->h->free, v->n);
	return 0;
}

static int thaw_all(struct index *ix, const struct records *r, const struct slot_view *v)
{
	int err = 0;

	if (v->h->cooling >> v->h->n_addresses || !v->h->cooling)
		return -EUCLEAN;
	for (unsigned i = 0; i < v->h->n_addresses && !err; i++)
		if (v->h->cooling >> i & 1)
			err = index_thaw(ix, r, v, i);
	return err;
}

int index_expire_one(struct index *ix, const struct records *r, uint32_t n, uint64_t now_ms)
{
	struct slot_view v;
	int err;

	if (n >= ix->shape.n_slots || !slot_parse(r, n, &v) ||
	    slot_state(slot_at(r, n)) != SLOT_COOLING)
		return -EUCLEAN;
	if (!slot_is_cooled(v.h, now_ms))
		return 0;
	index_begin(ix);
	err = thaw_all(ix, r, &v);
	if (err)
		return err;
	index_end(ix);
	return 1;
}

/* What is in quarantine does not end by time, and holds nothing back that comes behind it. */
static bool waits_for_time(const struct records *r, uint32_t n)
{
	struct slot_view v;

	return slot_parse(r, n, &v) && !slot_is_quarantined(v.h);
}

int index_expire(struct index *ix, const struct records *r, uint64_t now_ms, bool all)
{
	uint32_t n = ix->h->cooling.first;
	bool in_front = !all || !ix->h->unsorted;

	for (uint32_t steps = 0; n && steps < ix->shape.n_slots; steps++) {
		uint32_t next = n < ix->shape.n_slots ? ix->nodes[n].next : 0;
		int thawed = index_expire_one(ix, r, n, now_ms);

		if (thawed < 0)
			return thawed;
		if (!thawed && in_front && waits_for_time(r, n))
			break;
		n = next;
	}
	if (!ix->h->cooling.first)
		ix->h->unsorted = 0;
	return 0;
}
