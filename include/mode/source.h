/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source-based routing in the task: what an address sends leaves by its own interface. */
#ifndef MODE_SOURCE_H
#define MODE_SOURCE_H

#include "plan/plan.h"

/*
 * source_find: does the interface need a table of its own, and which one had the task's default
 * route before it? Reads the task's namespace through @io; fills a->source_routed and a->first_….
 */
int source_find(struct plan_io *io, struct attachment *a, struct err *e);
/*
 * source_needs_table: published ports are reached through the bridge, but the answers have no route
 * there, because the network brings no default route. For compose.
 */
bool source_needs_table(const struct attachment *a);
/*
 * plan_source: the table of the interface (its number is the interface's index) with all its
 * routes, and the rules that lead there. Before its routes in the main table, whose gateways the
 * kernel finds by these rules.
 * @connected: the subnets of the addresses are on the link.
 */
void plan_source(struct plan *p, int link, const struct ifref *dev, bool connected);
/* plan_source_unknown: the addresses are not known yet: what DEL has to undo all the same. */
void plan_source_unknown(struct plan *p);

#endif
