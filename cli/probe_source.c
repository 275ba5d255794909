/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose address a server sees: the client's own, or that of who translated it on the way. */
#include "questions.h"
#include "wire.h"

#define OTHER_PORT 7002

struct client {
	struct ip ip;    /* that it has itself */
	const char *own; /* what that is called */
};

static const char *whose(const struct lab *lab, const struct ip *seen, const struct client *client)
{
	if (wire_has(lab, &lab->host, seen))
		return "the host's";
	if (ip_equal(seen, &client->ip))
		return client->own;
	return ip_equal(seen, &lab->a.gateway) ? "the gateway's" : "another's";
}

static void look(const struct lab *lab, const struct rendezvous *where, struct client client,
		 struct answer *ret)
{
	struct meeting met;
	int r = wire_meet(lab, where, &met);
	char text[IP_TEXT];

	if (r == 0)
		answer_word(ret, whose(lab, &met.seen, &client), "%s", ip_text(&met.seen, text));
	else
		not_tried(ret, "no connection to %s: %s", ip_text(&where->to, text), wire_words(r));
	meeting_end(&met);
}

void ask_source_task(struct lab *lab, struct answer *ret)
{
	const struct rendezvous where = { .client = &lab->a.ns,
					  .server = &lab->b.ns,
					  .to = lab_own(&lab->b),
					  .port = OTHER_PORT };

	look(lab, &where, (struct client){ lab_own(&lab->a), "its own" }, ret);
}

void ask_source_lan(struct lab *lab, struct answer *ret)
{
	const struct rendezvous where = { .client = &lab->a.ns,
					  .server = &lab->lan,
					  .to = wire_ip(LAN_OTHER),
					  .port = OTHER_PORT };

	look(lab, &where, (struct client){ lab_own(&lab->a), "its own" }, ret);
}

void ask_source_client(struct lab *lab, struct answer *ret)
{
	const struct rendezvous where = { .client = &lab->lan,
					  .server = &lab->a.ns,
					  .to = lab_client(lab, &lab->a),
					  .port = TASK_PORT };
	struct err e;

	if (lab_route(lab, true, &e) < 0)
		not_tried(ret, "%s", e.msg);
	else
		look(lab, &where, (struct client){ wire_ip(LAN_OTHER), "the client's" }, ret);
}
