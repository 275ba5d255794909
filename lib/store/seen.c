/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spans of addresses that were held; see seen.h for what a kill may not break. */
#include "seen.h"

#include <sys/socket.h>

/* So many addresses between two are no reason for another span. */
#define NEAR 8u

/* How far @a is from span @i: 0 within. */
static uint32_t distance(const struct seen *seen, unsigned i, uint32_t a)
{
	uint32_t first = seen->spans[i].first, last = seen->spans[i].last;

	return a < first ? first - a : a > last ? a - last : 0;
}

/* The span that is nearest to @a. Return: false if there is none. */
static bool nearest(const struct seen *seen, uint32_t a, unsigned *ret, uint32_t *far)
{
	bool found = false;

	*ret = 0;
	*far = UINT32_MAX;
	for (unsigned i = 0; i < seen->n; i++) {
		uint32_t d = distance(seen, i, a);

		if (found && d >= *far)
			continue;
		found = true;
		*ret = i;
		*far = d;
	}
	return found;
}

/* What is garbled says nothing. */
static bool is_sane(const struct seen *seen)
{
	bool sane = seen->n <= SEEN_SPANS;

	for (unsigned i = 0; sane && i < seen->n; i++)
		sane = seen->spans[i].first <= seen->spans[i].last;
	return sane;
}

bool seen_never(const struct seen *seen, const struct ip *a)
{
	uint32_t far;
	unsigned i;

	if (!seen->complete || !is_sane(seen) || a->family != AF_INET)
		return false;
	return !nearest(seen, (uint32_t)ip_to_num(a), &i, &far) || far > 0;
}

static void widen(struct seen *seen, unsigned i, uint32_t a)
{
	if (a < seen->spans[i].first)
		__atomic_store_n(&seen->spans[i].first, a, __ATOMIC_RELEASE);
	else if (a > seen->spans[i].last)
		__atomic_store_n(&seen->spans[i].last, a, __ATOMIC_RELEASE);
}

void seen_add(struct seen *seen, const struct ip *a)
{
	uint32_t num, far;
	unsigned i;

	if (a->family != AF_INET || !is_sane(seen))
		return;
	num = (uint32_t)ip_to_num(a);
	if (nearest(seen, num, &i, &far) && (far <= NEAR || seen->n == SEEN_SPANS)) {
		widen(seen, i, num);
		return;
	}
	/* The number of spans is what makes a new one count, so it comes last. */
	seen->spans[seen->n].first = seen->spans[seen->n].last = num;
	__atomic_store_n(&seen->n, seen->n + 1, __ATOMIC_RELEASE);
}
