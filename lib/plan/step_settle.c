/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for duplicate address detection: an address is ready, or somebody else's. */
#include "plan/step.h"

#include "base/io.h"

#include <errno.h>
#include <time.h>

#define SETTLE_MS 10000 /* the kernel asks for 1-2 s */
#define LOOK_MS   20

static int settle_apply(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t end = io_clock_ms() + SETTLE_MS;
	char text[IP_TEXT];
	struct netlink *nl;
	enum addr_detected state;
	int r = plan_io_route(io, s->side, &nl, e);

	(void)p;
	while (r == 0) {
		r = addr_detected(nl, s->addr.dev.ifindex, &s->addr.cidr, &state, e);
		if (r < 0 || (r == 0 && state == ADDR_READY))
			return r;
		if (r == 1 || state == ADDR_DUPLICATE)
			return err_set(e, ERR_ADDRESS, EADDRINUSE, "%s is in use on the link",
				       ip_text(&s->addr.cidr.ip, text));
		if (io_clock_ms() > end)
			return err_set(e, ERR_ADDRESS, ETIMEDOUT,
				       "%s is still tentative after %d s",
				       ip_text(&s->addr.cidr.ip, text), SETTLE_MS / 1000);
		nanosleep(&pause, NULL);
	}
	return r;
}

static void settle_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	if (undo)
		return;
	text_add(t, "sh -c 'while ip -6 addr show dev ");
	text_add_shell(t, s->addr.dev.name);
	text_add(t, " tentative | grep -q .; do sleep 0.1; done'");
}

const struct step_kind step_settle = {
	.name = "settle",
	.via = VIA_CALL,
	.apply = settle_apply,
	.print = settle_print,
};
