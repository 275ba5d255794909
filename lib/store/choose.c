/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses are given. Static ones first, so that no other choice of the same want takes
 * them; then each choice ranks its alternatives by the placement and takes the first free address.
 * If the choices cannot all be met like that, once more with addresses that still cool: the one
 * released first. The first choice that lands in a range with a group binds the later ones to that
 * group; if one of these then finds nothing, the alternative is put aside and the pass repeated.
 */
#include "file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/io.h"

struct pick {
	struct store *s;
	const struct store_want *want;
	struct store_grant *grant;
	bool have[STORE_ADDRESSES]; /* grant->addresses[i] is chosen */
	bool cooling;               /* addresses that cool may be taken */
	bool *quarantined;          /* one was passed over for its quarantine alone */
	unsigned group;             /* 0: no choice is bound yet */
	unsigned leader;            /* index of the range that bound them */
	uint64_t aside;             /* bit i: the leader must not take its range i */
};

struct candidate {
	uint64_t free;
	unsigned index; /* in choice.ranges */
};

static const struct ip_span *hole_at(const struct store_range *range, const struct ip *a)
{
	unsigned lo = 0, hi = range->n_holes;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (ip_cmp(&range->holes[mid].last, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < range->n_holes && ip_cmp(&range->holes[lo].first, a) <= 0)
		return &range->holes[lo];
	return NULL;
}

/* Offset of @a in the window: at most @n. */
static uint32_t offset_in(const struct window *w, const struct ip *a, uint32_t n)
{
	ip_num at;

	if (ip_cmp(a, &w->span.first) <= 0)
		return 0;
	at = ip_to_num(a) - ip_to_num(&w->span.first);
	return at < n ? (uint32_t)at : n;
}

static bool is_picked(const struct pick *p, const struct ip *a)
{
	for (unsigned i = 0; i < p->want->n_choices; i++)
		if (p->have[i] && ip_equal(&p->grant->addresses[i], a))
			return true;
	return false;
}

/* The first free address of @range in window offsets @from..@end-1. */
static bool search(const struct pick *p, const struct store_range *range, const struct window *w,
		   uint32_t from, uint32_t end)
{
	struct bits b;

	if (!window_bits(&p->s->index, w, &b))
		return false;
	while ((from = bits_next_free(&b, from)) < end) {
		struct ip a = ip_add(&w->span.first, from);
		const struct ip_span *hole = hole_at(range, &a);

		if (hole) {
			from = offset_in(w, &hole->last, b.n);
		} else if (!is_picked(p, &a)) {
			p->grant->addresses[p->grant->n_addresses] = a;
			return true;
		}
		from++;
	}
	return false;
}

/* The answer of the bitmap is asked of the table again: no address gets two owners. */
static int take_free(const struct pick *p, const struct store_range *range, struct err *e)
{
	struct slot_view v;
	struct window *w;
	unsigned i;
	int err = cache_window(p->s, &range->span, &w, e);
	uint32_t cursor;

	if (err)
		return err;
	cursor = w->cursor < w->n ? w->cursor : 0;
	if (!search(p, range, w, cursor, w->n) && !search(p, range, w, 0, cursor))
		return STORE_EXHAUSTED;
	err = index_find_address(&p->s->index, &p->s->records,
				 &p->grant->addresses[p->grant->n_addresses], &v, &i);
	return err == STORE_ABSENT ? STORE_OK : -EUCLEAN;
}

/* Free addresses of @range, as well as the bitmap can tell them from those in the holes. */
static int count_free(struct store *s, const struct store_range *range, uint64_t *ret,
		      struct err *e)
{
	uint64_t taken, in_holes = 0;
	struct window *w;
	struct bits b;
	int err = cache_window(s, &range->span, &w, e);

	if (err)
		return err;
	if (!window_bits(&s->index, w, &b))
		return -EUCLEAN;
	for (unsigned i = 0; i < range->n_holes; i++) {
		uint32_t first = offset_in(w, &range->holes[i].first, b.n);

		if (first < b.n)
			in_holes += bits_count(&b, first, offset_in(w, &range->holes[i].last, b.n));
	}
	taken = w->used + w->cooling;
	taken -= in_holes < taken ? in_holes : taken;
	*ret = range->capacity > taken ? range->capacity - taken : 0;
	return 0;
}

static int cmp_spread(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->free != y->free)
		return x->free > y->free ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static int cmp_pack(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->free != y->free && x->free && y->free)
		return x->free < y->free ? -1 : 1;
	return cmp_spread(a, b); /* the full ones last */
}

static bool in_group(const struct pick *p, const struct store_choice *c)
{
	for (unsigned i = 0; i < c->n_ranges; i++)
		if (c->ranges[i].group == p->group)
			return true;
	return false;
}

/* The alternatives of @c that may be taken now, the best first. Return: how many, or -errno. */
static int rank(const struct pick *p, const struct store_choice *c, struct candidate *ret,
		struct err *e)
{
	bool bound = p->group && in_group(p, c);
	int n = 0;

	for (unsigned i = 0; i < c->n_ranges; i++) {
		int err = 0;

		if (bound && c->ranges[i].group != p->group)
			continue;
		if (!p->group && c->ranges[i].group && i < 64 && p->aside >> i & 1)
			continue;
		ret[n] = (struct candidate){ 0, i };
		if (p->want->placement != STORE_FIRST && c->n_ranges > 1)
			err = count_free(p->s, &c->ranges[i], &ret[n].free, e);
		if (err)
			return err;
		n++;
	}
	if (n > 1 && p->want->placement == STORE_SPREAD)
		qsort(ret, (size_t)n, sizeof(*ret), cmp_spread);
	else if (n > 1 && p->want->placement == STORE_PACK)
		qsort(ret, (size_t)n, sizeof(*ret), cmp_pack);
	return n;
}

/* The alternative of @c among @list that @a may be taken from. */
static bool may_give(const struct store_choice *c, const struct candidate *list, int n,
		     const struct ip *a, unsigned *ret)
{
	for (int k = 0; k < n; k++) {
		const struct store_range *range = &c->ranges[list[k].index];

		if (!span_contains(&range->span, a) || hole_at(range, a))
			continue;
		*ret = list[k].index;
		return true;
	}
	return false;
}

/* A dry run gives it: an ADD would see to its quarantine. */
static bool must_wait(const struct pick *p, const struct slot_view *v)
{
	if (!slot_is_quarantined(v->h) || p->want->dry_run)
		return false;
	*p->quarantined = true;
	return true;
}

/*
 * The address released first of those that cool in one of the alternatives. This walks over what
 * cools elsewhere too; only a choice that has nothing else pays for that.
 */
static int take_cooling(const struct pick *p, const struct store_choice *c,
			const struct candidate *list, int n_list, unsigned *ret)
{
	const struct index *ix = &p->s->index;
	uint32_t n = ix->h->cooling.first;

	for (uint32_t steps = 0; n && steps < ix->shape.n_slots; steps++) {
		struct slot_view v;

		if (n >= ix->shape.n_slots || !slot_parse(&p->s->records, n, &v))
			return -EUCLEAN;
		for (unsigned i = 0; i < v.h->n_addresses; i++) {
			if (!(v.h->cooling >> i & 1) || is_picked(p, &v.addresses[i]) ||
			    !may_give(c, list, n_list, &v.addresses[i], ret))
				continue;
			if (must_wait(p, &v))
				continue;
			p->grant->addresses[p->grant->n_addresses] = v.addresses[i];
			return STORE_OK;
		}
		n = ix->nodes[n].next;
	}
	return STORE_EXHAUSTED;
}

static int take(const struct pick *p, const struct store_choice *c, unsigned *ret, struct err *e)
{
	cleanup_free struct candidate *list = calloc(c->n_ranges + 1u, sizeof(*list));
	int n, r = STORE_EXHAUSTED;

	if (!list)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot choose an address");
	n = rank(p, c, list, e);
	for (int k = 0; k < n && r == STORE_EXHAUSTED; k++) {
		*ret = list[k].index;
		r = take_free(p, &c->ranges[list[k].index], e);
	}
	if (n >= 0 && r == STORE_EXHAUSTED && p->cooling)
		r = take_cooling(p, c, list, n, ret);
	return n < 0 ? n : r;
}

/* Meet every choice that is not static. *@failed: the one that could not be met. */
static int pass(struct pick *p, unsigned *failed, struct err *e)
{
	const struct store_want *want = p->want;

	p->group = 0;
	for (unsigned i = 0; i < want->n_choices; i++)
		p->have[i] = ip_is_set(&want->choices[i].address);
	for (unsigned i = 0; i < want->n_choices; i++) {
		const struct store_choice *c = &want->choices[i];
		unsigned chosen = 0;
		int r;

		if (p->have[i])
			continue;
		p->grant->n_addresses = i; /* where the next one is put */
		r = take(p, c, &chosen, e);
		if (r) {
			*failed = i;
			return r;
		}
		p->have[i] = true;
		p->grant->range_index[i] = chosen;
		if (!p->group && c->ranges[chosen].group) {
			p->group = c->ranges[chosen].group;
			p->leader = chosen;
		}
	}
	p->grant->n_addresses = want->n_choices;
	return STORE_OK;
}

/* Passes until one succeeds or no other group is left. */
static int passes(struct pick *p, unsigned *failed, struct err *e)
{
	unsigned at;
	int r;

	p->aside = 0;
	r = pass(p, failed, e);
	while (r == STORE_EXHAUSTED && p->group && p->leader < 64) {
		p->aside |= 1ULL << p->leader;
		r = pass(p, &at, e);
	}
	return r;
}

static int take_static(struct pick *p, unsigned i, struct store_holder *holder)
{
	const struct ip *a = &p->want->choices[i].address;
	struct slot_view v;
	unsigned j;
	int r;

	holder->choice = i;
	for (j = 0; j < i; j++)
		if (ip_equal(&p->want->choices[j].address, a))
			return STORE_ADDRESS_HELD; /* by this very want */
	r = index_find_address(&p->s->index, &p->s->records, a, &v, &j);
	if (r < 0)
		return r;
	p->grant->addresses[i] = *a;
	p->grant->range_index[i] = 0;
	if (r == STORE_ABSENT)
		return STORE_OK;
	if (slot_state(slot_at(&p->s->records, v.n)) == SLOT_COOLING)
		return must_wait(p, &v) ? STORE_QUARANTINED : STORE_OK;
	slot_holder(&v, holder);
	return STORE_ADDRESS_HELD;
}

int choose_addresses(struct store *s, const struct store_want *want, struct store_grant *grant,
		     struct store_holder *holder, struct err *e)
{
	bool quarantined = false;
	struct pick p = { .s = s, .want = want, .grant = grant, .quarantined = &quarantined };
	unsigned failed = 0;
	int r;

	for (unsigned i = 0; i < want->n_choices; i++) {
		if (!ip_is_set(&want->choices[i].address))
			continue;
		r = take_static(&p, i, holder);
		if (r)
			return r;
	}
	r = passes(&p, &failed, e);
	if (r == STORE_EXHAUSTED && s->index.h->cooling.count) {
		/* what has cooled behind something that cools for longer */
		r = index_expire(&s->index, &s->records, (uint64_t)io_clock_ms(), true);
		r = r ? r : passes(&p, &failed, e);
	}
	if (r == STORE_EXHAUSTED && s->index.h->cooling.count) {
		p.cooling = true;
		r = passes(&p, &failed, e);
	}
	if (r == STORE_EXHAUSTED)
		holder->choice = failed;
	return r == STORE_EXHAUSTED && quarantined ? STORE_QUARANTINED : r;
}
