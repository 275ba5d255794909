/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sysctl of one of the two namespaces. Shared ones (ip_forward) are ensured and then left. */
#include "plan/step.h"

#include "kernel/sysctl.h"

#include <string.h>

/* A kernel without IPv6 has nothing to turn off. */
static bool needless(const struct step *s)
{
	char now[32];
	struct err ignored;

	return strncmp(s->sysctl.path, "net/ipv6/", 9) == 0 &&
	       sysctl_read("net/ipv6/conf/all/disable_ipv6", now, sizeof(now), &ignored) == 1;
}

static int write_it(const struct step *s, const struct plan_io *io, struct err *e)
{
	if (s->shared)
		return sysctl_ensure(s->sysctl.path, s->sysctl.value, e);
	if (s->side == TASK && io->crowded)
		return sysctl_write_apart(s->sysctl.path, s->sysctl.value, e);
	return sysctl_write(s->sysctl.path, s->sysctl.value, e);
}

static int sysctl_apply(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	int r = write_it(s, io, e);

	(void)p;
	return r < 0 && needless(s) ? 0 : r;
}

static int sysctl_check(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	char now[32];
	int r = sysctl_read(s->sysctl.path, now, sizeof(now), e);

	(void)p;
	(void)io;
	if (r < 0 || (r == 0 && strcmp(now, s->sysctl.value) == 0) || (r == 1 && needless(s)))
		return r < 0 ? r : 0;
	err_set(e, ERR_CHECK, 0, "the sysctl %s is %s instead of %s", s->sysctl.path,
		r == 1 ? "gone" : now, s->sysctl.value);
	return 1;
}

static void sysctl_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	if (undo)
		return;
	text_add(t, "sysctl -qw ");
	text_add_shell(t, s->sysctl.path);
	text_add(t, "=%s", s->sysctl.value);
}

const struct step_kind step_sysctl = {
	.name = "sysctl",
	.via = VIA_CALL,
	.apply = sysctl_apply,
	.check = sysctl_check,
	.print = sysctl_print,
};
