/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peak resident memory of each verb, and of the ADD that is a host's first. */
#include "suites.h"

static void measure(const struct contestant *c, const char *verb, const char *what, unsigned task)
{
	emit_value("memory", c->name, what, 0, "kB", (double)runtime_peak_kb(c, verb, task));
}

void suite_memory(void)
{
	tasks_make(0, 2);
	for (unsigned i = 0; i < all->n; i++) {
		const struct contestant *c = &all->list[i];

		/* It loads the nftables skeleton, and libnftables for it. */
		measure(c, "ADD", "first ADD", 1);
		measure(c, "ADD", "ADD", 0);
		runtime_call(c, "DEL", 0);
		runtime_call(c, "ADD", 0);
		measure(c, "CHECK", "CHECK", 0);
		measure(c, "DEL", "DEL", 0);
		runtime_call(c, "DEL", 0);
		runtime_call(c, "DEL", 1);
	}
	tasks_drop(0, 2);
}
