/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DELs for a minute, by eight callers at once: how many a second, and what one costs on a processor
 * with all that it leaves behind. Connections are tracked, as on every host with a firewall.
 */
#include "suites.h"

#include <stdlib.h>
#include <sys/resource.h>

#define TASKS   128
#define CALLERS 8
#define SECONDS 60

static double children_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* What is left behind is waited for, and so counted, at the end alone: ADD leaves nothing. */
static void churn(const struct contestant *c, double seconds)
{
	double began = bench_now_us(), took = 0, cpu = 0, left, before;
	unsigned n = 0;

	while (bench_now_us() - began < seconds * 1e6) {
		attach(c, 0, TASKS, CALLERS);
		before = children_us();
		took += detach(c, 0, TASKS, CALLERS);
		cpu += children_us() - before;
		n += TASKS;
	}
	before = children_us();
	settle();
	left = children_us() - before;
	emit_value("churn", c->name, "DEL", CALLERS, "per second", n / took * 1e6);
	emit_value("churn", c->name, "DEL", CALLERS, "us of a processor", (cpu + left) / n);
	emit_value("churn", c->name, "DEL", CALLERS, "us of what is left behind", left / n);
}

/* Connections to an address that no task has, so that there is something to look at. */
static void track(void)
{
	if (system("nft 'add table inet churn; add chain inet churn in { type filter hook output "
		   "priority 0; }; add rule inet churn in ct state new counter'; "
		   "ping -n -q -c 1 127.0.0.1 >/dev/null") != 0)
		bench_fail("cannot track connections");
}

void suite_churn(void)
{
	const char *seconds = getenv("CHURN_SECONDS");

	tasks_make(0, TASKS);
	track();
	for (unsigned i = 0; i < all->n; i++)
		if (all->list[i].ours)
			churn(&all->list[i], seconds ? atof(seconds) : SECONDS);
	tasks_drop(0, TASKS);
}
