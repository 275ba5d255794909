/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the store, in numbers, and whether the index says the same as the records. */
#include "file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/io.h"

struct count_call {
	const struct ip_span *span;
	struct store_usage *usage;
	uint64_t tag;
	uint64_t *tag_count;
};

/* A span that nobody leases from is no reason to keep counters of it. */
static int scan_span(const struct store *s, const struct ip_span *span, struct store_usage *ret)
{
	for (uint32_t n = 1; n < s->records.n; n++) {
		uint32_t state = slot_state(slot_at(&s->records, n));
		struct slot_view v;

		if (state == SLOT_FREE)
			continue;
		if (!slot_parse(&s->records, n, &v))
			return -EUCLEAN;
		for (unsigned i = 0; i < v.h->n_addresses; i++) {
			if (!span_contains(span, &v.addresses[i]))
				continue;
			if (state == SLOT_LIVE)
				ret->used++;
			else if (v.h->cooling >> i & 1)
				ret->cooling++;
		}
	}
	return 0;
}

static int count_locked(struct store *s, void *args, struct err *e)
{
	const struct count_call *c = args;
	const struct window *w;
	int err = index_expire(&s->index, &s->records, (uint64_t)io_clock_ms(), true);

	(void)e;
	if (err)
		return err;
	*c->usage = (struct store_usage){ .records = s->index.h->records };
	if (!c->span)
		return 0;
	w = window_find(&s->index, c->span);
	if (!w)
		return scan_span(s, c->span, c->usage);
	c->usage->used = w->used;
	c->usage->cooling = w->cooling;
	return 0;
}

int store_count(struct store *s, const struct ip_span *span, struct store_usage *ret, struct err *e)
{
	struct count_call c = { .span = span, .usage = ret };
	int r;

	*ret = (struct store_usage){ 0 };
	r = store_locked(s, count_locked, &c, e);
	return r == STORE_ABSENT ? 0 : r;
}

static int tag_count_locked(struct store *s, void *args, struct err *e)
{
	const struct count_call *c = args;

	(void)e;
	*c->tag_count = index_tag_count(&s->index, c->tag);
	return 0;
}

int store_tag_count(struct store *s, uint64_t tag, uint64_t *ret, struct err *e)
{
	struct count_call c = { .tag = tag, .tag_count = ret };
	int r;

	*ret = 0;
	r = store_locked(s, tag_count_locked, &c, e);
	return r == STORE_ABSENT ? 0 : r;
}

static int boot_base_locked(struct store *s, void *ctx, struct err *e)
{
	(void)e;
	*(uint32_t *)ctx = records_header(&s->records)->boot_base;
	return 0;
}

uint32_t store_boot_base(struct store *s)
{
	uint32_t base = 0;
	struct err ignored;

	return store_locked(s, boot_base_locked, &base, &ignored) == 0 ? base : 0;
}

/* An index of the same slots in plain memory. Nothing is repaired. */
static int build_scratch(struct store *s, struct carry *carry, void **mem, struct index *ret,
			 struct err *e)
{
	static const struct census nothing = { 0 };
	struct records r = { s->records.base, s->index.shape.n_slots };
	struct census census;
	struct shape sh;
	int err = census_take(&r, false, &census, e);

	if (err)
		return err;
	census.heap = carry_take(&s->index, carry);
	sh = census_shape(&census, &nothing, r.n);
	*mem = calloc(1, index_size(&sh));
	if (!*mem)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot verify the store in %s", s->dir);
	*ret = index_bind(*mem, &sh, s->index.file_id);
	return index_build(ret, &r, carry, false, NULL, e);
}

/* No address of a record may pass for one that nobody had. */
static int compare_seen(const struct records *r, struct err *e)
{
	const struct seen *seen = &records_header(r)->seen;
	char text[IP_TEXT];

	for (uint32_t n = 1; n < r->n; n++) {
		struct slot_view v;

		if (slot_state(slot_at(r, n)) == SLOT_FREE || !slot_parse(r, n, &v))
			continue;
		for (unsigned i = 0; i < v.h->n_addresses; i++)
			if (seen_never(seen, &v.addresses[i]))
				return err_set(e, ERR_STORE, EUCLEAN,
					       "the state file takes %s, which slot %u holds, for "
					       "an address that nobody had",
					       ip_text(&v.addresses[i], text), n);
	}
	return 0;
}

/* Its findings are the answer, so they must not set off a repair: they go by the side. */
static int verify_locked(struct store *s, void *args, struct err *e)
{
	cleanup_free struct carry *carry = calloc(1, sizeof(*carry));
	cleanup_free void *mem = NULL;
	struct index fresh;
	int *found = args;

	*found = carry ? build_scratch(s, carry, &mem, &fresh, e)
		       : err_sys(e, ERR_STORE, ENOMEM, "cannot verify the store in %s", s->dir);
	if (!*found)
		*found = index_compare(&s->index, &fresh, e);
	if (!*found)
		*found = compare_seen(&s->records, e);
	return 0;
}

int store_verify(struct store *s, struct err *e)
{
	int found = 0;
	int r = store_locked(s, verify_locked, &found, e);

	return r == STORE_ABSENT ? 0 : r ? r : found;
}
