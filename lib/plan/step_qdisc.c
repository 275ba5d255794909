/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A queueing discipline: a token bucket that limits what leaves, or the hook for what enters. */
#include "plan/step.h"

#include "kernel/qdisc.h"

#include <inttypes.h>

static void qdisc_step_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	if (s->qdisc.ingress)
		qdisc_add_ingress(b, s->qdisc.dev.ifindex);
	else
		qdisc_add_tbf(b, s->qdisc.dev.ifindex, s->qdisc.rate, s->qdisc.burst);
}

static void qdisc_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	qdisc_del(b, s->qdisc.dev.ifindex, s->qdisc.ingress);
}

static int qdisc_check(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	uint32_t ifindex = s->qdisc.dev.ifindex;
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	(void)p;
	if (r == 0 && s->qdisc.ingress)
		r = qdisc_find_ingress(nl, ifindex, e);
	else if (r == 0)
		r = qdisc_find_tbf(nl, ifindex, s->qdisc.rate, s->qdisc.burst, e);
	if (r == 1 && s->qdisc.ingress)
		err_set(e, ERR_CHECK, 0, "the ingress hook of %s is gone", s->qdisc.dev.name);
	else if (r == 1)
		err_set(e, ERR_CHECK, 0,
			"%s is not limited to %" PRIu64 " bits per second with a burst "
			"of %" PRIu64 " bits",
			s->qdisc.dev.name, s->qdisc.rate, s->qdisc.burst);
	return r;
}

static void qdisc_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	text_add(t, "tc qdisc %s dev ", undo ? "del" : "add");
	text_add_shell(t, s->qdisc.dev.name);
	text_add(t, "%s", s->qdisc.ingress ? " ingress" : " root");
	if (!undo && !s->qdisc.ingress)
		text_add(t, " handle 1: tbf rate %" PRIu64 "bit burst %" PRIu32 "b limit %" PRIu64,
			 s->qdisc.rate, qdisc_tbf_burst(s->qdisc.rate, s->qdisc.burst),
			 qdisc_tbf_limit(s->qdisc.rate, s->qdisc.burst));
}

const struct step_kind step_qdisc = {
	.name = "qdisc",
	.via = VIA_ROUTE,
	.add = qdisc_step_add,
	.drop = qdisc_drop,
	.check = qdisc_check,
	.print = qdisc_print,
};
