/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suites of bench_cni, and what they share. */
#ifndef BENCH_SUITES_H
#define BENCH_SUITES_H

#include "bench.h"

extern const struct contestants *all;

struct series {
	struct samples add, del;
};
void emit_series(const char *suite, const char *of, long at, struct series *s);

/* take: keep what a call cost; one that failed ends the benchmark. */
void take(struct samples *s, struct run run, const char *name, const char *verb);

/* settle: what ran before is over, and the machine at rest, before anything is timed. */
void settle(void);

/* attach, detach: tasks [first, first + n) by @callers at once. Return: microseconds of all of it.
 */
double attach(const struct contestant *c, unsigned first, unsigned n, unsigned callers);
double detach(const struct contestant *c, unsigned first, unsigned n, unsigned callers);

void suite_latency(void);
void suite_memory(void);
void suite_parallel(void);
void suite_scale(void);
void suite_gc(void);
void suite_churn(void);
void suite_packets(void);

#endif
