/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside plan/: undoing the first part of a plan, for apply's rollback. */
#ifndef PLAN_UNDO_H
#define PLAN_UNDO_H

#include "plan/plan.h"

/*
 * undo_steps: undo steps 0..@n-1 from the end, but not shared ones, and not step @skip (-1: none),
 * which did not come about. Whatever is missing is fine.
 */
int undo_steps(const struct plan *p, struct plan_io *io, unsigned n, int skip, struct err *e);

#endif
