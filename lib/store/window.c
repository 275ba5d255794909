/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows: the ranges that callers lease from, each with counters and a bitmap of its addresses.
 * They are found by their span; a span that is new is counted once over all records. The cursor
 * makes the choice go round the range instead of always taking the lowest free address: packets
 * that are still on their way to the last owner of an address then meet nobody, not a stranger.
 */
#include "index.h"

#include <errno.h>
#include <string.h>

static bool span_equal(const struct ip_span *a, const struct ip_span *b)
{
	return ip_equal(&a->first, &b->first) && ip_equal(&a->last, &b->last);
}

uint32_t window_length(const struct ip_span *span)
{
	uint64_t size = span_size(span);

	return size > WINDOW_MAX ? WINDOW_MAX : (uint32_t)size;
}

struct window *window_find(const struct index *ix, const struct ip_span *span)
{
	for (unsigned i = 0; i < window_count(ix); i++) {
		struct window *w = &ix->h->windows[i];

		if (!w->span.first.family || !span_equal(&w->span, span))
			continue;
		w->last_use = ++ix->h->clock;
		return w;
	}
	return NULL;
}

bool window_bits(const struct index *ix, const struct window *w, struct bits *ret)
{
	uint32_t n = w->n, offset = w->offset;

	if (!n || n > WINDOW_MAX || offset % 8 || offset > ix->shape.heap ||
	    bits_size(n) > ix->shape.heap - offset)
		return false;
	*ret = bits_bind(ix->heap + offset, n);
	return true;
}

bool window_place(struct index *ix, struct window *w)
{
	uint32_t used = ix->h->heap_used;
	struct bits b;

	w->n = window_length(&w->span);
	if (used > ix->shape.heap || bits_size(w->n) > ix->shape.heap - used)
		return false;
	w->offset = used;
	ix->h->heap_used = used + (uint32_t)bits_size(w->n);
	if (!window_bits(ix, w, &b))
		return false;
	bits_init(&b);
	return true;
}

static void count(struct window *w, enum address_state state, uint64_t by)
{
	if (state == ADDRESS_USED)
		w->used += by;
	else if (state == ADDRESS_COOLING)
		w->cooling += by;
}

static void note_in(struct index *ix, struct window *w, const struct ip *a, enum address_state from,
		    enum address_state to)
{
	ip_num at = ip_to_num(a) - ip_to_num(&w->span.first);
	struct bits b;

	count(w, from, (uint64_t)-1);
	count(w, to, 1);
	if (at >= w->n || !window_bits(ix, w, &b))
		return;
	if (to == ADDRESS_FREE)
		bits_clear(&b, (uint32_t)at);
	else
		bits_set(&b, (uint32_t)at);
}

void window_note(struct index *ix, const struct ip *a, enum address_state from,
		 enum address_state to)
{
	for (unsigned i = 0; i < window_count(ix); i++) {
		struct window *w = &ix->h->windows[i];

		if (w->span.first.family == a->family && span_contains(&w->span, a))
			note_in(ix, w, a, from, to);
	}
}

/* Count the addresses of @w that are held already. */
static int survey(struct index *ix, const struct records *r, struct window *w)
{
	for (uint32_t n = 1; n < ix->shape.n_slots; n++) {
		uint32_t state = slot_state(slot_at(r, n));
		struct slot_view v;

		if (state == SLOT_FREE)
			continue;
		if (!slot_parse(r, n, &v))
			return -EUCLEAN;
		for (unsigned i = 0; i < v.h->n_addresses; i++) {
			if (!span_contains(&w->span, &v.addresses[i]))
				continue;
			if (state == SLOT_LIVE)
				note_in(ix, w, &v.addresses[i], ADDRESS_FREE, ADDRESS_USED);
			else if (v.h->cooling >> i & 1)
				note_in(ix, w, &v.addresses[i], ADDRESS_FREE, ADDRESS_COOLING);
		}
	}
	return 0;
}

/* An unused entry if there is one, else the one not used for longest. */
static struct window *oldest(struct index *ix)
{
	struct window *w = &ix->h->windows[0];

	for (unsigned i = 0; i < WINDOWS && w->span.first.family; i++) {
		struct window *x = &ix->h->windows[i];

		if (!x->span.first.family || x->last_use < w->last_use)
			w = x;
	}
	return w;
}

void window_evict(struct index *ix)
{
	struct window *w = oldest(ix);

	*w = (struct window){ 0 };
}

int window_add(struct index *ix, const struct records *r, const struct ip_span *span)
{
	struct window *w = oldest(ix), was = *w;
	struct window fresh = { .span = *span, .n = window_length(span) };
	struct bits b;
	int err;

	index_begin(ix);
	*w = fresh;
	w->last_use = ++ix->h->clock;
	if (ix->h->n_windows <= w - ix->h->windows)
		ix->h->n_windows = (uint32_t)(w - ix->h->windows) + 1;
	if (was.span.first.family && was.n == fresh.n) {
		w->offset = was.offset; /* its bitmap has just the size */
		if (!window_bits(ix, w, &b))
			return -EUCLEAN;
		bits_init(&b);
	} else if (!window_place(ix, w)) {
		*w = was;
		index_end(ix);
		return -ENOBUFS;
	}
	err = survey(ix, r, w);
	if (!err)
		index_end(ix);
	return err;
}
