/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sysctl that is on while a task needs it, and off again after the last: route_localnet, because
 * the rule that stands before it may go with the same attachment; src_valid_mark, because it
 * changes how the host judges packets of others. Any value but 0 means yes to the kernel; ours is
 * one that nobody else writes, so what others switched on stays.
 */
#include "plan/step.h"

#include "kernel/sysctl.h"

#include <errno.h>
#include <string.h>

#define TOGGLE_VALUE 16
#define OURS         "118" /* as the protocol of our addresses: 0x76 */

static int toggle_apply(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	char now[TOGGLE_VALUE];
	int r = sysctl_read(s->toggle.path, now, sizeof(now), e);

	(void)p;
	(void)io;
	if (r == 0 && strcmp(now, "0") != 0)
		return 0;
	return r < 0 ? r : sysctl_write(s->toggle.path, OURS, e);
}

static int toggle_undo(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	char now[TOGGLE_VALUE];
	int r = sysctl_read(s->toggle.path, now, sizeof(now), e);

	(void)p;
	(void)io;
	if (r != 0 || strcmp(now, OURS) != 0)
		return r < 0 ? r : 0;
	r = sysctl_write(s->toggle.path, "0", e);
	/* /proc/sys has become read-only since ADD: DEL takes back what ADD wrote all the same. */
	return r == -EROFS ? sysctl_write_apart(s->toggle.path, "0", e) : r;
}

static int toggle_check(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	char now[TOGGLE_VALUE];
	int r = sysctl_read(s->toggle.path, now, sizeof(now), e);

	(void)p;
	(void)io;
	if (r < 0 || (r == 0 && strcmp(now, "0") != 0))
		return r;
	err_set(e, ERR_CHECK, 0, "the sysctl %s is %s: %s", s->toggle.path, r == 1 ? "gone" : now,
		s->toggle.loss);
	return 1;
}

static void toggle_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	text_add(t, "sysctl -qw ");
	text_add_shell(t, s->toggle.path);
	text_add(t, "=%s", undo ? "0" : OURS);
}

const struct step_kind step_toggle = {
	.name = "toggle",
	.via = VIA_CALL,
	.apply = toggle_apply,
	.undo = toggle_undo,
	.check = toggle_check,
	.print = toggle_print,
};
