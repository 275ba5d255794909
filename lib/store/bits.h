/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap of up to 2^20 bits with two levels of summary, so that the next free bit is found in a
 * few steps however full it is. Bit set = taken. It lies in memory that the caller lends.
 */
#ifndef STORE_BITS_H
#define STORE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITS_MAX (1u << 20)

struct bits {
	uint64_t *level[3]; /* bit i of a level: word i of the one below is full */
	uint32_t words[3];
	uint32_t n;
};

/* bits_size: bytes of memory for @n bits. */
size_t bits_size(uint32_t n);
/* bits_bind: lay @n bits over @mem, which stays borrowed. */
struct bits bits_bind(void *mem, uint32_t n);
/* bits_init: all free. */
void bits_init(struct bits *b);
void bits_set(struct bits *b, uint32_t i);
void bits_clear(struct bits *b, uint32_t i);
/* bits_next_free: Return: the first free bit from @from on, or b->n if there is none. */
uint32_t bits_next_free(const struct bits *b, uint32_t from);
/* bits_count: taken bits of @first..@last. */
uint32_t bits_count(const struct bits *b, uint32_t first, uint32_t last);

#endif
