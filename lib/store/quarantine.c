/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that are for nobody: heads that cool, with a mark that time does not end. The mark lies
 * in the record, so a kill of whoever works on it loses nothing. A list names each head by its slot
 * and its release, because the slot may be another release's when the work is done.
 */
#include "file.h"

#include <errno.h>

#include "base/io.h"

/* Whole heads alone: each is released from quarantine as one. Return: false: no room. */
static bool note(struct store_quarantine *q, const struct slot_view *v)
{
	if (q->n + v->h->n_addresses > STORE_QUARANTINES)
		return false;
	for (unsigned i = 0; i < v->h->n_addresses; i++)
		if (v->h->cooling >> i & 1)
			q->addresses[q->n++] = v->addresses[i];
	q->records[q->n_records++] = (struct store_released){ .id = v->n,
							      .order = v->h->order,
							      .released_ms = v->h->released_ms };
	if (v->h->released_ms > q->released_ms)
		q->released_ms = v->h->released_ms;
	return true;
}

static int list_locked(struct store *s, void *args, struct err *e)
{
	struct store_quarantine *q = args;
	const struct index *ix = &s->index;
	uint32_t n = ix->h->cooling.first;

	(void)e;
	q->n = q->n_records = 0;
	q->released_ms = 0;
	for (uint32_t steps = 0; n && steps < ix->shape.n_slots; steps++) {
		struct slot_view v;

		if (n >= ix->shape.n_slots || !slot_parse(&s->records, n, &v))
			return -EUCLEAN;
		if (slot_is_quarantined(v.h) && !note(q, &v))
			break;
		n = ix->nodes[n].next;
	}
	return 0;
}

int store_quarantine(struct store *s, struct store_quarantine *ret, struct err *e)
{
	return store_locked(s, list_locked, ret, e);
}

struct end_call {
	const struct store_quarantine *q;
};

/* It may have cooled meanwhile, and then nobody else looks at it before others are over. */
static int end_one(struct store *s, const struct store_released *of, uint64_t now)
{
	struct slot_view v;
	int r;

	if (!slot_parse(&s->records, of->id, &v) ||
	    slot_state(slot_at(&s->records, of->id)) != SLOT_COOLING || v.h->order != of->order ||
	    v.h->released_ms != of->released_ms)
		return 0;
	v.h->cooling &= ~SLOT_QUARANTINE;
	r = index_expire_one(&s->index, &s->records, of->id, now);
	return r < 0 ? r : 0;
}

static int end_locked(struct store *s, void *args, struct err *e)
{
	const struct end_call *c = args;
	uint64_t now = (uint64_t)io_clock_ms();
	int r = 0;

	(void)e;
	for (unsigned i = 0; i < c->q->n_records && !r; i++)
		r = end_one(s, &c->q->records[i], now);
	return r;
}

int store_unquarantine(struct store *s, const struct store_quarantine *q, struct err *e)
{
	struct end_call c = { .q = q };

	if (s->access == STORE_READ)
		return err_set(e, ERR_STORE, EROFS, "the store in %s is open for reading", s->dir);
	return store_locked(s, end_locked, &c, e);
}
