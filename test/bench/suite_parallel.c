/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many callers at once: attachments a second, made and removed. */
#include "suites.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define CALLERS_MAX 32
#define TASKS       128
#define PEER_TASKS  32 /* they take ten to a hundred times as long */
#define ROUNDS      3

/* Whoever is free takes the next, so that none waits for the slowest at the end. */
struct calls {
	const struct contestant *c;
	const char *verb;
	unsigned first, n;
	atomic_uint taken, failed;
};

static void *call_until_done(void *arg)
{
	struct calls *calls = arg;
	unsigned i;

	while ((i = atomic_fetch_add(&calls->taken, 1)) < calls->n)
		if (runtime_call(calls->c, calls->verb, calls->first + i).failed)
			atomic_fetch_add(&calls->failed, 1);
	return NULL;
}

static double call_at_once(const struct contestant *c, const char *verb, unsigned first, unsigned n,
			   unsigned callers)
{
	struct calls calls = { .c = c, .verb = verb, .first = first, .n = n };
	pthread_t threads[CALLERS_MAX];
	double start = bench_now_us();

	for (unsigned i = 0; i < callers; i++)
		if (pthread_create(&threads[i], NULL, call_until_done, &calls))
			bench_fail("no threads");
	for (unsigned i = 0; i < callers; i++)
		pthread_join(threads[i], NULL);
	if (calls.failed)
		bench_fail("%s: %u of %u %s failed", c->name, calls.failed, n, verb);
	return bench_now_us() - start;
}

double attach(const struct contestant *c, unsigned first, unsigned n, unsigned callers)
{
	return call_at_once(c, "ADD", first, n, callers);
}

double detach(const struct contestant *c, unsigned first, unsigned n, unsigned callers)
{
	return call_at_once(c, "DEL", first, n, callers);
}

/* A round of ours is over in a fifth of a second, which one stall of the machine makes a third: the
 * median of several. */
static void measure(const struct contestant *c, unsigned callers)
{
	unsigned n = c->ours ? TASKS : PEER_TASKS, rounds = c->ours ? ROUNDS : 1;
	static struct series took;

	memset(&took, 0, sizeof(took));
	for (unsigned i = 0; i < rounds; i++) {
		settle();
		samples_add(&took.add, attach(c, 1, n, callers), 0);
		settle();
		samples_add(&took.del, detach(c, 1, n, callers), 0);
	}
	emit_value("parallel", c->name, "ADD", callers, "per second",
		   n / samples_percentile(&took.add, 50) * 1e6);
	emit_value("parallel", c->name, "DEL", callers, "per second",
		   n / samples_percentile(&took.del, 50) * 1e6);
}

void suite_parallel(void)
{
	static const char *const names[] = { "awsvpc veth",          "ref ptp",
					     "awsvpc macvlan",       "ref macvlan",
					     "task-bridge, 3 ports", "ref bridge, 3 ports" };
	static const unsigned levels[] = { 1, 2, 4, 8, 16, 32 };

	tasks_make(0, TASKS + 1);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		const struct contestant *c = contestant_get(all, names[i]);

		if (!c)
			continue;
		attach(c, 0, 1, 1);
		for (unsigned l = 0; l < ARRAY_SIZE(levels); l++)
			if (c->ours || levels[l] == 1 || levels[l] == 8)
				measure(c, levels[l]);
		detach(c, 0, 1, 1);
	}
	tasks_drop(0, TASKS + 1);
}
