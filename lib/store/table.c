/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hash table of table.h. */
#include "table.h"

#include <stddef.h>

static uint32_t home(const struct table *t, uint64_t hash)
{
	return (uint32_t)(hash * 0x9e3779b97f4a7c15ULL >> 32) & t->mask;
}

struct entry *table_next(const struct table *t, uint64_t hash, uint32_t *probe)
{
	uint32_t at = home(t, hash);

	while (*probe <= t->mask) {
		struct entry *e = &t->entries[(at + (*probe)++) & t->mask];

		if (!e->ref)
			break;
		if (e->hash == hash)
			return e;
	}
	*probe = t->mask + 1;
	return NULL;
}

struct entry *table_find(const struct table *t, uint64_t hash, uint32_t ref)
{
	uint32_t probe = 0;
	struct entry *e;

	while ((e = table_next(t, hash, &probe)))
		if (e->ref == ref)
			break;
	return e;
}

struct entry *table_add(struct table *t, uint64_t hash, uint32_t ref)
{
	uint32_t at = home(t, hash);

	for (uint32_t i = 0; i <= t->mask; i++) {
		struct entry *e = &t->entries[(at + i) & t->mask];

		if (e->ref)
			continue;
		*e = (struct entry){ hash, ref, 0 };
		++*t->used;
		return e;
	}
	return NULL;
}

void table_remove(struct table *t, const struct entry *e)
{
	uint32_t hole = (uint32_t)(e - t->entries);
	uint32_t at = hole;

	for (uint32_t i = 0; i < t->mask; i++) {
		struct entry *next;

		at = (at + 1) & t->mask;
		next = &t->entries[at];
		if (!next->ref)
			break;
		/* it may fill the hole unless its home lies between the hole and itself */
		if (((at - home(t, next->hash)) & t->mask) < ((at - hole) & t->mask))
			continue;
		t->entries[hole] = *next;
		hole = at;
	}
	t->entries[hole] = (struct entry){ 0 };
	--*t->used;
}

bool table_has_room(const struct table *t, uint64_t n)
{
	uint64_t cap = (uint64_t)t->mask + 1;

	return *t->used <= cap && *t->used + n <= cap / 4 * 3;
}
