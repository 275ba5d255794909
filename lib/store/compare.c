/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two indexes of the same records, one in use and one made a moment ago: whatever the store would
 * answer from the one it must answer from the other. Their shapes and orders may differ.
 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int differ(struct err *e, const char *what, uint64_t used, uint64_t fresh)
{
	return err_set(e, ERR_STORE, EUCLEAN,
		       "the index of the state file says %llu %s, the records say %llu",
		       (unsigned long long)used, what, (unsigned long long)fresh);
}

static int compare_table(const struct table *a, const struct table *fresh, const char *what,
			 struct err *e)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i <= a->mask; i++) {
		const struct entry *x = &a->entries[i];
		const struct entry *y;

		if (!x->ref)
			continue;
		y = table_find(fresh, x->hash, x->ref);
		if (!y || y->count != x->count || table_find(a, x->hash, x->ref) != x)
			return err_set(
				e, ERR_STORE, EUCLEAN,
				"the index of the state file holds a stray entry among its %s",
				what);
		found++;
	}
	if (found != *fresh->used || *a->used != found)
		return differ(e, what, *a->used, *fresh->used);
	return 0;
}

/* Mark the slots of @l, each at most once. Return: how many, or -EUCLEAN. */
static int64_t mark_list(const struct index *ix, const struct list *l, uint8_t *seen)
{
	uint32_t n = l->first, last = 0;
	int64_t count = 0;

	while (n) {
		if (n >= ix->shape.n_slots || seen[n] || ix->nodes[n].prev != last)
			return -EUCLEAN;
		seen[n] = 1;
		count++;
		last = n;
		n = ix->nodes[n].next;
	}
	return last == l->last ? count : -EUCLEAN;
}

static int compare_list(const struct index *ix, const struct list *a, const struct index *fresh,
			const struct list *b, struct err *e)
{
	uint32_t n = ix->shape.n_slots;
	cleanup_free uint8_t *seen = calloc(2, n);
	int64_t count, want;

	if (!seen)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot verify the state file");
	count = mark_list(ix, a, seen);
	want = mark_list(fresh, b, seen + n);
	if (count < 0 || want < 0 || count != a->count || memcmp(seen, seen + n, n) != 0)
		return differ(e, b == &fresh->h->free ? "free slots" : "cooling records", a->count,
			      b->count);
	return 0;
}

static int compare_window(const struct index *ix, const struct window *a, const struct index *fresh,
			  struct err *e)
{
	const struct window *b = window_find(fresh, &a->span);
	struct bits x, y;

	if (!b)
		return differ(e, "ranges", 1, 0);
	if (a->used != b->used)
		return differ(e, "used addresses of a range", a->used, b->used);
	if (a->cooling != b->cooling)
		return differ(e, "cooling addresses of a range", a->cooling, b->cooling);
	if (!window_bits(ix, a, &x) || !window_bits(fresh, b, &y) || x.n != y.n ||
	    memcmp(x.level[0], y.level[0], bits_size(x.n)) != 0)
		return err_set(e, ERR_STORE, EUCLEAN,
			       "the address bitmap of a range differs from the records");
	return 0;
}

int index_compare(const struct index *ix, const struct index *fresh, struct err *e)
{
	static const char *const names[TABLES] = { "records by key", "addresses", "ports", "tags" };
	int err = 0;

	if (ix->h->records != fresh->h->records)
		return differ(e, "records", ix->h->records, fresh->h->records);
	for (int i = 0; i < TABLES && !err; i++)
		err = compare_table(&ix->tables[i], &fresh->tables[i], names[i], e);
	for (int i = 0; i < PORT_PROTOCOLS && !err; i++)
		if (memcmp(ix->ports[i], fresh->ports[i], PORT_BITS / 8) != 0)
			err = err_set(e, ERR_STORE, EUCLEAN,
				      "the port bitmap differs from the records");
	if (!err)
		err = compare_list(ix, &ix->h->free, fresh, &fresh->h->free, e);
	if (!err)
		err = compare_list(ix, &ix->h->cooling, fresh, &fresh->h->cooling, e);
	for (unsigned i = 0; i < window_count(ix) && !err; i++)
		if (ix->h->windows[i].span.first.family)
			err = compare_window(ix, &ix->h->windows[i], fresh, e);
	return err;
}
