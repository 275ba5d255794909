/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A drawing on the private host of a test, with its task: to be applied, and taken down again. */
#ifndef TEST_NETNS_SCENE_H
#define TEST_NETNS_SCENE_H

#include "drawings.h"
#include "fixture.h"

struct scene {
	struct attachment a;
	struct plan plan;
	struct plan_io io;
};

#define TASK_NAME "t1"

struct scene *scene_begin(const struct drawing *d);
void scene_end(struct scene *s, const struct drawing *d);
/* scene_undo_shared: the shared steps too, as after the last attachment. */
void scene_undo_shared(struct scene *s);

/* must: fail with the words of @e. */
void must(int r, const struct err *e);

#endif
