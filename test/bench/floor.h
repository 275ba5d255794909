/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's floor: the fewest requests that give a task an interface, an address and a way out,
 * in the fewest sendmsgs, all known beforehand: no lookups, no policy, no state, no process of its
 * own.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

struct floor_kind {
	const char *name;
	void (*host_link)(unsigned task); /* appends what the host's side needs before the task's */
	void (*host_end)(unsigned task);  /* and after the link exists */
	void (*task_end)(unsigned task);
	bool in_task; /* the side whose RTM_DELLINK removes it */
};

#define FLOORS 3
extern const struct floor_kind floors[FLOORS];

void floor_open(void);
void floor_close(void);

/* Both: microseconds. floor_del is one synchronous RTM_DELLINK. */
double floor_add(const struct floor_kind *kind, unsigned task);
double floor_del(const struct floor_kind *kind, unsigned task);

#endif
