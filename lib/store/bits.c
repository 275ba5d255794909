/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three levels of 64-bit words. A bit of an upper level says that a word below is full; the bits
 * beyond the end are set at every level, so that a search never has to look at the length.
 */
#include "bits.h"

#include <string.h>

static uint32_t words_of(uint32_t bits)
{
	return (bits + 63) / 64;
}

size_t bits_size(uint32_t n)
{
	uint32_t a = words_of(n), b = words_of(a);

	return (size_t)(a + b + words_of(b)) * sizeof(uint64_t);
}

struct bits bits_bind(void *mem, uint32_t n)
{
	struct bits b = { .n = n };

	b.words[0] = words_of(n);
	b.words[1] = words_of(b.words[0]);
	b.words[2] = words_of(b.words[1]);
	b.level[0] = mem;
	b.level[1] = b.level[0] + b.words[0];
	b.level[2] = b.level[1] + b.words[1];
	return b;
}

void bits_init(struct bits *b)
{
	uint32_t n = b->n;

	for (int k = 0; k < 3; k++) {
		memset(b->level[k], 0, b->words[k] * sizeof(uint64_t));
		if (n % 64)
			b->level[k][n / 64] = ~0ULL << n % 64;
		n = b->words[k];
	}
}

void bits_set(struct bits *b, uint32_t i)
{
	for (int k = 0; k < 3 && i < b->words[k] * 64; k++) {
		uint64_t *w = &b->level[k][i / 64];

		*w |= 1ULL << i % 64;
		if (*w != ~0ULL)
			return;
		i /= 64;
	}
}

void bits_clear(struct bits *b, uint32_t i)
{
	for (int k = 0; k < 3 && i < b->words[k] * 64; k++) {
		b->level[k][i / 64] &= ~(1ULL << i % 64);
		i /= 64;
	}
}

/* The first clear bit of one level from @from on within its own word; ~0 if the word has none. */
static uint32_t in_word(const struct bits *b, int k, uint32_t from)
{
	uint64_t open;

	if (from >= b->words[k] * 64)
		return UINT32_MAX;
	open = ~b->level[k][from / 64] & ~0ULL << from % 64;
	return open ? from / 64 * 64 + (uint32_t)__builtin_ctzll(open) : UINT32_MAX;
}

/* The first word of level 0, from @w on, that is not full; words[0] if there is none. */
static uint32_t next_open_word(const struct bits *b, uint32_t w)
{
	uint32_t found = in_word(b, 1, w);

	if (found != UINT32_MAX)
		return found;
	for (uint32_t v = w / 64 + 1; v < b->words[1]; v = (v / 64 + 1) * 64) {
		uint32_t up = in_word(b, 2, v);

		if (up == UINT32_MAX)
			continue;
		found = in_word(b, 1, up * 64);
		break;
	}
	return found == UINT32_MAX ? b->words[0] : found;
}

uint32_t bits_next_free(const struct bits *b, uint32_t from)
{
	uint32_t found;

	if (from >= b->n)
		return b->n;
	found = in_word(b, 0, from);
	if (found == UINT32_MAX) {
		uint32_t w = next_open_word(b, from / 64 + 1);

		found = w < b->words[0] ? in_word(b, 0, w * 64) : b->n;
	}
	return found < b->n ? found : b->n;
}

uint32_t bits_count(const struct bits *b, uint32_t first, uint32_t last)
{
	uint32_t count = 0;

	if (last >= b->n)
		last = b->n - 1;
	for (uint32_t w = first / 64; first <= last && w <= last / 64; w++) {
		uint64_t x = b->level[0][w];

		if (w == first / 64)
			x &= ~0ULL << first % 64;
		if (w == last / 64)
			x &= ~0ULL >> (63 - last % 64);
		count += (uint32_t)__builtin_popcountll(x);
	}
	return count;
}
