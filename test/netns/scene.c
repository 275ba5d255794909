/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct scene *scene_begin(const struct drawing *d)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	d->fill(&s->a);
	if (!d->creates_namespace)
		fixture_run("ip netns add " TASK_NAME "; ip -n " TASK_NAME " link set lo up");
	fixture_open(&s->io, TASK_NAME, &s->a);
	d->mode->plan(&s->a, &s->plan);
	return s;
}

void scene_end(struct scene *s, const struct drawing *d)
{
	plan_io_close(&s->io);
	if (!d->creates_namespace)
		fixture_run("ip netns del " TASK_NAME);
	assert_int_not_equal(access("/run/netns/" TASK_NAME, F_OK), 0);
	free(s);
}

void scene_undo_shared(struct scene *s)
{
	uint64_t tags[STORE_TAGS];
	struct err e;
	unsigned n;

	n = plan_tags(&s->plan, tags, STORE_TAGS);
	if (plan_undo_shared(&s->plan, &s->io, tags, n, &e) < 0)
		fail_msg("%s", e.msg);
}

void must(int r, const struct err *e)
{
	if (r < 0)
		fail_msg("%s (%s)", e->msg, e->details);
}
