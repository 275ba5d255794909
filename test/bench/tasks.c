/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces of tasks, made as `ip netns add` makes them. */
#include "bench.h"

#include "kernel/netns.h"

#include <stdio.h>
#include <sys/stat.h>

void tasks_make(unsigned first, unsigned n)
{
	struct netns host, task;
	char path[64];
	struct err e;

	mkdir(BENCH_NETNS, 0755);
	if (netns_self(&host, &e) < 0)
		bench_fail("%s", e.msg);
	for (unsigned i = first; i < first + n; i++) {
		snprintf(path, sizeof(path), BENCH_NETNS "/b%u", i);
		if (netns_new(&host, &task, &e) < 0 || netns_bind(&task, path, &e) < 0)
			bench_fail("%s: %s", path, e.msg);
		netns_close(&task);
	}
	netns_close(&host);
}

void tasks_drop(unsigned first, unsigned n)
{
	char path[64];
	struct err e;

	for (unsigned i = first; i < first + n; i++) {
		struct netns host, task;

		snprintf(path, sizeof(path), BENCH_NETNS "/b%u", i);
		if (netns_self(&host, &e) < 0)
			bench_fail("%s", e.msg);
		if (netns_open(path, &host, &task, &e) == 0) {
			uint64_t cookie = task.cookie;

			netns_close(&task);
			netns_unbind(path, cookie, &e);
		}
		netns_close(&host);
	}
}
