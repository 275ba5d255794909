/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task a says that it is an IPv6 router. Who believes it sends what is for the outside to a. The
 * LAN's machine, which believes any router, is told the same by the host first: so the
 * advertisement is one that can be believed.
 */
#include <time.h>

#include "attack.h"
#include "base/cleanup.h"
#include "frame.h"
#include "questions.h"

#define LOOKS    5
#define LOOK_NS  10000000
#define LIFETIME 1800
#define FORGED   "fe80::bad"
#define CONTROL  "fe80::600d"

struct ear {
	const char *who;
	const struct netns *ns;
};

static bool believes(const struct lab *lab, const struct netns *ns, const struct ip *router)
{
	const struct timespec while_ns = { .tv_nsec = LOOK_NS };

	for (unsigned i = 0; i < LOOKS; i++) {
		if (wire_has_router(lab, ns, router))
			return true;
		nanosleep(&while_ns, NULL);
	}
	return false;
}

/* The advertisement out of @nic. With @lifetime 0 it takes the router back. */
static int advertise(const struct lab *lab, const struct netns *ns, const struct nic *nic,
		     const struct ip *router, uint16_t lifetime)
{
	const struct frame_end from = { .mac = nic->mac, .ip = *router };
	cleanup_close int raw = frame_socket(lab, ns, nic->ifindex);
	struct frame f;

	frame_router(&f, &from, lifetime);
	return raw < 0 ? raw : frame_send(raw, &f);
}

static bool can_be_believed(const struct lab *lab)
{
	const struct ip router = wire_ip(CONTROL);
	bool believed;
	struct nic nic;

	if (wire_nic(lab, &lab->host, &nic) < 0 ||
	    advertise(lab, &lab->host, &nic, &router, LIFETIME) < 0)
		return false;
	believed = believes(lab, &lab->lan, &router);
	advertise(lab, &lab->host, &nic, &router, 0);
	return believed;
}

static void tell(struct lab *lab, const struct attack *k, struct answer *ret)
{
	const bool on_host = lab_shares(&lab->a.ns, &lab->host);
	const struct ear ears[] = { { on_host ? "the LAN's machine" : "b", k->victim },
				    { "the host", &lab->host } };
	const struct ip router = wire_ip(FORGED);
	int r = advertise(lab, &lab->a.ns, &lab->a.nic, &router, LIFETIME);

	if (r < 0) {
		not_tried(ret, "a cannot send it: %s", wire_words(r));
		return;
	}
	answer_yes(ret, "%s%s did not believe it", ears[0].who, on_host ? "" : " and the host");
	for (unsigned i = 0; i < (on_host ? 1 : 2); i++) {
		if (!believes(lab, ears[i].ns, &router))
			continue;
		answer_no(ret, "%s has a default route to %s", ears[i].who, FORGED);
		break;
	}
	advertise(lab, &lab->a.ns, &lab->a.nic, &router, 0);
}

void ask_forged_router(struct lab *lab, struct answer *ret)
{
	struct attack k;

	if (!attack_plan(lab, &k, ret))
		return;
	if (can_be_believed(lab))
		tell(lab, &k, ret);
	else
		not_tried(ret, "not even the LAN's machine believes a router: is there no IPv6?");
}
