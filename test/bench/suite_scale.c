/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one more task costs with many there, and what a GC of many costs. */
#include "suites.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS  41
#define CALLERS 8
#define STALE   200

static const unsigned crowd[] = { 1, 250, 1000, 4000 };

static void one_more(const struct contestant *c, unsigned present)
{
	static struct series series;

	memset(&series, 0, sizeof(series));
	settle();
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned task = present + i;

		settle();
		take(&series.add, runtime_call(c, "ADD", task), c->name, "ADD");
		settle();
		take(&series.del, runtime_call(c, "DEL", task), c->name, "DEL");
	}
	emit_series("scale", c->name, present, &series);
}

static void grow(const struct contestant *c, unsigned limit)
{
	unsigned present = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(crowd) && crowd[i] <= limit; i++) {
		attach(c, present, crowd[i] - present, CALLERS);
		present = crowd[i];
		one_more(c, present);
	}
	detach(c, 0, present, CALLERS);
}

void suite_scale(void)
{
	static const struct {
		const char *name;
		unsigned limit; /* a bridge has 1023 ports; peers take minutes for more */
	} list[] = { { "awsvpc veth", 4000 },
		     { "awsvpc macvlan", 1000 },
		     { "task-bridge", 1000 },
		     { "ref ptp", 250 },
		     { "ref bridge", 250 } };

	tasks_make(0, 4000 + ROUNDS);
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		const struct contestant *c = contestant_get(all, list[i].name);

		if (c)
			grow(c, list[i].limit);
	}
	tasks_drop(0, 4000 + ROUNDS);
}

/* Attachments whose namespaces are gone, or which a runtime has forgotten while they still stand.
 */
static void sweep(const struct contestant *c, const char *what, bool dead)
{
	static struct samples gc;

	memset(&gc, 0, sizeof(gc));
	for (unsigned i = 0; i < 3; i++) {
		tasks_make(0, STALE);
		attach(c, 0, STALE, CALLERS);
		if (dead)
			tasks_drop(0, STALE);
		sleep(1); /* the kernel takes namespaces apart behind our back */
		settle();
		take(&gc, runtime_call(c, "GC", 0), c->name, "GC");
		detach(c, 0, STALE, CALLERS);
		if (!dead)
			tasks_drop(0, STALE);
	}
	emit("gc", c->name, what, STALE, &gc);
}

void suite_gc(void)
{
	const struct contestant *c = contestant_get(all, "awsvpc veth");

	if (!c)
		return;
	sweep(c, "200 whose namespaces are gone", true);
	sweep(c, "200 that still stand", false);
}
