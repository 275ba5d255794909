/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who reaches whom: a server listens in one namespace, a client of another comes, or does not. */
#include "questions.h"
#include "wire.h"

#define OTHER_PORT 7001

static void reach(const struct lab *lab, const struct rendezvous *where, struct answer *ret)
{
	struct meeting met;
	int r = wire_meet(lab, where, &met);
	char text[IP_TEXT];

	ip_text(&where->to, text);
	if (r == 0)
		answer_yes(ret, "%s:%u", text, where->port);
	else if (!met.tried)
		not_tried(ret, "nobody could listen: %s", wire_words(r));
	else
		answer_no(ret, "%s:%u: %s", text, where->port, wire_words(r));
	meeting_end(&met);
}

/* To the server in a, from @client, by the address @to. */
static void reach_a(const struct lab *lab, const struct netns *client, struct ip to,
		    struct answer *ret)
{
	const struct rendezvous where = {
		.client = client, .server = &lab->a.ns, .to = to, .port = TASK_PORT
	};

	reach(lab, &where, ret);
}

void ask_from_host(struct lab *lab, struct answer *ret)
{
	reach_a(lab, &lab->host, lab_client(lab, &lab->a), ret);
}

void ask_from_host_loopback(struct lab *lab, struct answer *ret)
{
	reach_a(lab, &lab->host, wire_ip("127.0.0.1"), ret);
}

void ask_from_lan(struct lab *lab, struct answer *ret)
{
	struct err e;

	if (lab_route(lab, false, &e) < 0)
		not_tried(ret, "%s", e.msg);
	else
		reach_a(lab, &lab->lan, lab_client(lab, &lab->a), ret);
}

void ask_from_lan_routed(struct lab *lab, struct answer *ret)
{
	struct err e;

	if (lab_route(lab, true, &e) < 0)
		not_tried(ret, "%s", e.msg);
	else
		reach_a(lab, &lab->lan, lab_own(&lab->a), ret);
}

void ask_from_task(struct lab *lab, struct answer *ret)
{
	reach_a(lab, &lab->b.ns, lab_own(&lab->a), ret);
}

void ask_to_lan(struct lab *lab, struct answer *ret)
{
	const struct rendezvous where = { .client = &lab->a.ns,
					  .server = &lab->lan,
					  .to = wire_ip(LAN_OTHER),
					  .port = OTHER_PORT };

	reach(lab, &where, ret);
}

void ask_host_loopback(struct lab *lab, struct answer *ret)
{
	const struct rendezvous where = { .client = &lab->a.ns,
					  .server = &lab->host,
					  .listen = wire_ip("127.0.0.1"),
					  .to = wire_ip("127.0.0.1"),
					  .port = OTHER_PORT };

	reach(lab, &where, ret);
}
