/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of the index, its lists, and what it answers: who has a key, an address, a port, how
 * many bear a tag. What changes it is in index_change.c, the ranges are in window.c.
 */
#include "index.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

#define PAGE          4096u
#define TABLE_CAP_MAX (1u << 26)

static_assert((uint64_t)SLOTS_MAX * STORE_PORTS <= UINT32_MAX + 1ULL,
	      "a port's ref fits in 32 bits");
static_assert(STORE_ADDRESSES == 8, "an address's ref is slot * 8 + i");

bool shape_is_sane(const struct shape *sh)
{
	if (sh->n_slots < 2 || sh->n_slots > SLOTS_MAX || sh->heap % 8)
		return false;
	for (int i = 0; i < TABLES; i++)
		if (sh->cap[i] < 2 || sh->cap[i] > TABLE_CAP_MAX || (sh->cap[i] & (sh->cap[i] - 1)))
			return false;
	return true;
}

/* Header, port bitmaps, nodes, tables, heap: each begins where the one before it ends. */
struct index index_bind(void *base, const struct shape *sh, uint64_t file_id)
{
	struct index ix = { .h = base, .shape = *sh, .file_id = file_id };
	uint8_t *p = (uint8_t *)base + (sizeof(struct index_header) + PAGE - 1) / PAGE * PAGE;

	for (int i = 0; i < PORT_PROTOCOLS; i++, p += PORT_BITS / 8)
		ix.ports[i] = (uint64_t *)(void *)p;
	ix.nodes = (struct node *)(void *)p;
	p += (size_t)sh->n_slots * sizeof(struct node);
	for (int i = 0; i < TABLES; i++) {
		ix.tables[i] = (struct table){ .entries = (struct entry *)(void *)p,
					       .mask = sh->cap[i] - 1,
					       .used = &ix.h->used[i] };
		p += (size_t)sh->cap[i] * sizeof(struct entry);
	}
	ix.heap = p;
	return ix;
}

size_t index_size(const struct shape *sh)
{
	size_t size = (sizeof(struct index_header) + PAGE - 1) / PAGE * PAGE +
		      (size_t)PORT_PROTOCOLS * (PORT_BITS / 8) +
		      (size_t)sh->n_slots * sizeof(struct node) + sh->heap;

	for (int i = 0; i < TABLES; i++)
		size += (size_t)sh->cap[i] * sizeof(struct entry);
	return size;
}

void list_append(struct index *ix, struct list *l, uint32_t n)
{
	ix->nodes[n] = (struct node){ .prev = l->last };
	if (l->last && l->last < ix->shape.n_slots)
		ix->nodes[l->last].next = n;
	else
		l->first = n;
	l->last = n;
	l->count++;
}

/* The pointer to @n that its neighbour, or the list itself, must hold. */
static uint32_t *list_link(struct index *ix, uint32_t neighbour, uint32_t *own, bool next)
{
	if (!neighbour)
		return own;
	if (neighbour >= ix->shape.n_slots)
		return NULL;
	return next ? &ix->nodes[neighbour].next : &ix->nodes[neighbour].prev;
}

int list_remove(struct index *ix, struct list *l, uint32_t n)
{
	struct node *node;
	uint32_t *before, *after;

	if (!n || n >= ix->shape.n_slots)
		return -EUCLEAN;
	node = &ix->nodes[n];
	before = list_link(ix, node->prev, &l->first, true);
	after = list_link(ix, node->next, &l->last, false);
	if (!before || !after || *before != n || *after != n)
		return -EUCLEAN;
	*before = node->next;
	*after = node->prev;
	l->count--;
	return 0;
}

static uint64_t key_hash(const struct index *ix, const struct store_key *k)
{
	return hash_text(hash_text(hash_text(ix->file_id, k->network), k->container_id), k->ifname);
}

uint64_t index_hash_key(const struct index *ix, const struct slot_view *v)
{
	struct store_key key = { v->network, v->container_id, v->ifname };

	return key_hash(ix, &key);
}

uint64_t index_hash_address(const struct index *ix, const struct ip *a)
{
	return hash_bytes(ix->file_id, a, sizeof(*a));
}

/* No two ports share it, whatever their host addresses. */
uint64_t index_hash_port(const struct store_port *p)
{
	return (uint64_t)p->protocol << 16 | p->port;
}

int index_find_key(const struct index *ix, const struct records *r, const struct store_key *key,
		   struct slot_view *ret)
{
	uint64_t hash = key_hash(ix, key);
	struct entry *e;
	uint32_t probe = 0;

	while ((e = table_next(&ix->tables[TABLE_KEYS], hash, &probe))) {
		if (!slot_parse(r, e->ref, ret) || slot_state(slot_at(r, e->ref)) != SLOT_LIVE)
			return -EUCLEAN;
		if (slot_has_key(ret, key))
			return STORE_OK;
	}
	return STORE_ABSENT;
}

int index_find_address(const struct index *ix, const struct records *r, const struct ip *a,
		       struct slot_view *ret, unsigned *ret_i)
{
	uint64_t hash = index_hash_address(ix, a);
	struct entry *e;
	uint32_t probe = 0;

	while ((e = table_next(&ix->tables[TABLE_ADDRESSES], hash, &probe))) {
		uint32_t n = e->ref / STORE_ADDRESSES, i = e->ref % STORE_ADDRESSES;

		if (!slot_parse(r, n, ret) || i >= ret->h->n_addresses ||
		    slot_state(slot_at(r, n)) == SLOT_FREE)
			return -EUCLEAN;
		if (!ip_equal(&ret->addresses[i], a))
			continue;
		*ret_i = i;
		return STORE_OK;
	}
	return STORE_ABSENT;
}

/* The next record from @probe on that conflicts with @p. Return: as the questions. */
static int next_port(const struct index *ix, const struct records *r, const struct store_port *p,
		     uint32_t *probe, struct slot_view *ret)
{
	uint64_t hash = index_hash_port(p);
	struct entry *e;

	while ((e = table_next(&ix->tables[TABLE_PORTS], hash, probe))) {
		struct store_port held;
		uint32_t n = e->ref / STORE_PORTS;

		if (!slot_parse(r, n, ret) || slot_state(slot_at(r, n)) != SLOT_LIVE ||
		    slot_port(r, ret, e->ref % STORE_PORTS, &held))
			return -EUCLEAN;
		if (store_port_conflict(&held, p))
			return STORE_OK;
	}
	return STORE_ABSENT;
}

int index_find_port(const struct index *ix, const struct records *r, const struct store_port *p,
		    const char *except, struct slot_view *ret)
{
	uint32_t probe = 0;
	int rc;

	do
		rc = next_port(ix, r, p, &probe, ret);
	while (rc == STORE_OK && except && strcmp(ret->container_id, except) == 0);
	return rc;
}

int index_find_joint(const struct index *ix, const struct records *r, const struct slot_view *v,
		     uint64_t after, struct slot_view *ret)
{
	struct slot_view other;
	bool found = false;
	int rc;

	for (unsigned i = 0; i < v->h->n_ports; i++) {
		struct store_port p;
		uint32_t probe = 0;

		if (slot_port(r, v, i, &p))
			return -EUCLEAN;
		while ((rc = next_port(ix, r, &p, &probe, &other)) == STORE_OK) {
			if (other.n == v->n || other.n <= after || (found && other.n >= ret->n) ||
			    strcmp(other.container_id, v->container_id) != 0)
				continue;
			*ret = other;
			found = true;
		}
		if (rc < 0)
			return rc;
	}
	return found ? STORE_OK : STORE_ABSENT;
}

uint64_t index_tag_count(const struct index *ix, uint64_t tag)
{
	const struct entry *e = table_find(&ix->tables[TABLE_TAGS], tag, 1);

	return e ? e->count : 0;
}
