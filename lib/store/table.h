/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table of (hash, ref, count) in lent memory: open addressing, linear probing, removal by
 * shifting back, so that it never fills with tombstones. One hash may be there several times, and
 * the caller decides by ref which entry is meant. Every walk is bounded, whatever the memory holds.
 */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct entry {
	uint64_t hash;
	uint32_t ref; /* 0 = the entry is empty */
	uint32_t count;
};

struct table {
	struct entry *entries;
	uint32_t mask; /* entries - 1; their number is a power of two */
	uint64_t *used;
};

/*
 * table_next: the next entry with @hash; *@probe is 0 before the first call.
 * Return: NULL when there are no more.
 */
struct entry *table_next(const struct table *t, uint64_t hash, uint32_t *probe);
/* table_find: the entry with both. Return: NULL if there is none. */
struct entry *table_find(const struct table *t, uint64_t hash, uint32_t ref);
/* table_add: Return: the new entry, NULL in a full table. */
struct entry *table_add(struct table *t, uint64_t hash, uint32_t ref);
void table_remove(struct table *t, const struct entry *e);
/* table_has_room: @n more entries leave it fast (three quarters full at most). */
bool table_has_room(const struct table *t, uint64_t n);

#endif
