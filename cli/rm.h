/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending a task: what rm and restart share. */
#ifndef CLI_RM_H
#define CLI_RM_H

#include "chain.h"

struct removal {
	char path[CHAIN_PATH];
	bool all, force;
	const char *time;
	int patience_ms;
};

/* removal_time: from @m->time. Return: 0 or EXIT_USAGE. */
int removal_time(struct removal *m, struct err *e);
/* removal_task: end it and take it down. Return: 0 once nothing is left, or a negative errno. */
int removal_task(const struct removal *m, const char *name, struct err *e);

#endif
