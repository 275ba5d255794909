/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checking: every step against the live kernel; the error carries the command that repairs it: the
 * step itself, unless its check knows a better one.
 */
#include "plan/io.h"

#include <errno.h>
#include <string.h>

static int differs(const struct plan *p, const struct step *s, struct err *e)
{
	char line[1024];
	struct text t;

	e->code = ERR_CHECK;
	e->sys = EUCLEAN;
	text_init(&t, line, sizeof(line));
	plan_print_step(p, s, false, &t);
	if (!e->details[0] && strlen(line) < sizeof(line) - 1)
		err_hint(e, "to repair it: %s", line);
	return -EUCLEAN;
}

int plan_check(const struct plan *p, struct plan_io *io, const struct mac *mac, struct err *e)
{
	io->expect_mac = mac;
	if (io->task.fd < 0)
		return err_set(e, ERR_CHECK, EUCLEAN, "the task's network namespace %s is gone",
			       p->a->netns);
	for (unsigned i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		int r = s->kind->check ? plan_call(s->kind->check, s, p, io, e) : 0;

		if (r != 0)
			return r < 0 ? r : differs(p, s, e);
	}
	return 0;
}

void plan_differences(const struct plan *p, struct plan_io *io,
		      void (*tell)(void *ctx, const char *difference), void *ctx)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		struct err e = { 0 };

		if (s->kind->check && plan_call(s->kind->check, s, p, io, &e) > 0)
			tell(ctx, e.msg);
	}
}
