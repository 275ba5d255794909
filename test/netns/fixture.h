/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A private host for tests of plans: namespaces of our own, and the state of them as text. */
#ifndef TEST_NETNS_FIXTURE_H
#define TEST_NETNS_FIXTURE_H

#include "plan/plan.h"

/*
 * fixture_enter: leave the machine for a network and mount namespace of our own, with an empty
 * /run. Exits with 0 and a reason when not root.
 */
void fixture_enter(void);

/* fixture_run: run a shell command, which must succeed. */
void fixture_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * fixture_state: links, addresses, routes, neighbours and nftables of the host and of the
 * namespaces named in @tasks (separated by spaces; missing ones are said to be missing). The caller
 * frees it.
 */
char *fixture_state(const char *tasks);

/* fixture_same: fail with the first line that differs; frees both. */
void fixture_same(char *before, char *after, const char *what);

/* fixture_open: plan_io on this host and the namespace @name (NULL: a new one without a name). */
void fixture_open(struct plan_io *io, const char *name, struct attachment *a);

#endif
