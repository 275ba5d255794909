/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file "index" as a whole: mapped, mistrusted, made anew. Where its shape still does, the
 * content is made in place, which needs no space and so cannot fail on a full disk. A larger one is
 * a new file that replaces the old under its name; others notice at their next call. Growing by
 * half and by doubling keeps the price of an operation constant on the average.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME     "index"
#define NEW_NAME "index.new"

/* Lay the index over what is mapped, or know that there is none. */
static void bind_mapped(struct store *s)
{
	struct map *m = &s->index_map;
	struct index_header *h = (struct index_header *)(void *)m->p;
	struct shape sh;

	s->index.h = NULL;
	if (m->len < sizeof(*h) || h->magic != INDEX_MAGIC || h->version != INDEX_VERSION)
		return;
	sh = h->shape;
	if (shape_is_sane(&sh) && index_size(&sh) == m->len)
		s->index = index_bind(h, &sh, h->file_id);
}

bool cache_exists(const struct store *s)
{
	return faccessat(s->dirfd, NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int reopen(struct store *s, struct err *e)
{
	int err;

	map_close(&s->index_map);
	s->index.h = NULL;
	err = map_open(s, NAME, &s->index_map, e);
	if (err == -ENOENT)
		return 0;
	if (!err)
		bind_mapped(s);
	return err;
}

static void warn_dropped(struct store *s, unsigned dropped)
{
	if (dropped && s->warn)
		snprintf(s->warn, s->warn_size,
			 "%u garbled records were dropped from %s: what they held is free", dropped,
			 s->dir);
}

static int build(struct store *s, struct index *ix, const struct carry *c, unsigned dropped,
		 struct err *e)
{
	struct records r = { s->records.base, ix->shape.n_slots };
	int err = index_build(ix, &r, c, true, &dropped, e);

	if (err)
		return err;
	warn_dropped(s, dropped);
	index_end(ix);
	return 0;
}

/* A new file of shape @sh takes the place of the old. */
static int replace(struct store *s, const struct shape *sh, const struct carry *c, unsigned dropped,
		   struct err *e)
{
	uint64_t file_id = records_header(&s->records)->file_id;
	struct map m = { .fd = -1 };
	struct index ix;
	int err = map_create(s, NEW_NAME, index_size(sh), &m, e);

	if (err)
		return err;
	ix = index_bind(m.p, sh, file_id);
	err = build(s, &ix, c, dropped, e);
	if (!err) {
		/* The slots first: an index of fewer slots than there are is right, the
		 * other way round it is not. */
		__atomic_store_n(&records_header(&s->records)->n_slots, sh->n_slots,
				 __ATOMIC_SEQ_CST);
		if (renameat(s->dirfd, NEW_NAME, s->dirfd, NAME))
			err = err_sys(e, ERR_STORE, errno, "cannot name %s/%s", s->dir, NAME);
	}
	if (err) {
		map_close(&m);
		return err;
	}
	map_close(&s->index_map);
	s->index_map = m;
	s->index = ix;
	return 0;
}

/* Make the index of the first @n_slots slots, with room for @need beyond what is in them. */
static int rebuild(struct store *s, const struct census *need, uint32_t n_slots, struct err *e)
{
	cleanup_free struct carry *carry = calloc(1, sizeof(*carry));
	struct records r = { s->records.base, n_slots };
	struct census census;
	struct shape sh;
	int err;

	if (!carry)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot rebuild the index of %s", s->dir);
	err = census_take(&r, true, &census, e);
	if (err)
		return err; /* cppcheck-suppress memleak ; it has a cleanup attribute */
	census.heap = carry_take(&s->index, carry);
	if (s->index.h && shape_holds(&s->index.shape, &census, need, n_slots)) {
		s->index.file_id = records_header(&r)->file_id;
		return build(s, &s->index, carry, census.dropped, e);
	}
	sh = census_shape(&census, need, n_slots);
	return replace(s, &sh, carry, census.dropped, e);
}

int cache_attach(struct store *s, struct err *e)
{
	static const struct census nothing = { 0 };
	uint32_t n = s->records.n;
	bool ours;

	if (!map_is_current(s, NAME, &s->index_map)) {
		int err = reopen(s, e);

		if (err)
			return err;
	}
	ours = s->index.h && s->index.h->file_id == records_header(&s->records)->file_id &&
	       s->index.shape.n_slots <= n;
	if (ours) {
		s->index.file_id = s->index.h->file_id;
		if (!s->index.h->dirty)
			return 0;
		n = s->index.shape.n_slots; /* no record lies beyond, and it can be done in place */
	}
	if (s->access == STORE_VISIT)
		return err_set(e, ERR_STORE, ESTALE, "%s/" NAME " is to be repaired", s->dir);
	return rebuild(s, &nothing, n, e);
}

/* Make the records @n_slots long, and the index with them; only both together are seen. */
static int grow_to(struct store *s, const struct census *need, uint32_t n_slots, struct err *e)
{
	uint32_t was = s->records.n;
	int err = map_grow(s, &s->records_map, (size_t)n_slots * SLOT_SIZE, e);

	s->records.base = s->records_map.p;
	if (err)
		return err;
	s->records.n = n_slots;
	err = rebuild(s, need, n_slots, e);
	if (err)
		s->records.n = was;
	return err;
}

int cache_grow(struct store *s, const struct census *need, uint32_t slots, struct err *e)
{
	uint32_t now = s->index.shape.n_slots, step = now / 2;
	int err;

	if (slots > SLOTS_MAX - now)
		return err_set(e, ERR_STORE, ENOSPC, "the store in %s is at its limit of %u slots",
			       s->dir, SLOTS_MAX);
	if (!slots)
		return rebuild(s, need, s->records.n, e);
	if (step < slots)
		step = slots;
	if (step > SLOTS_MAX - now)
		step = SLOTS_MAX - now;
	if (now + step < s->records.n)
		step = s->records.n - now;
	err = grow_to(s, need, now + step, e);
	if (err == -ENOSPC && step > slots && now + slots >= s->records.n)
		err = grow_to(s, need, now + slots, e);
	return err;
}

int cache_window(struct store *s, const struct ip_span *span, struct window **ret, struct err *e)
{
	struct census need = { .heap = bits_size(window_length(span)) };
	int err;

	*ret = window_find(&s->index, span);
	if (*ret)
		return 0;
	err = window_add(&s->index, &s->records, span);
	if (err == -ENOBUFS) {
		window_evict(&s->index);
		err = rebuild(s, &need, s->records.n, e);
		if (!err)
			err = window_add(&s->index, &s->records, span);
	}
	if (err)
		return err == -ENOBUFS ? -EUCLEAN : err;
	*ret = window_find(&s->index, span);
	return *ret ? 0 : -EUCLEAN;
}
