/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task a sends frames under a false name. They go to b, or to the LAN's machine where b shares its
 * namespace with a. An honest frame goes first: only where that arrives does silence say anything.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "attack.h"
#include "base/cleanup.h"
#include "frame.h"
#include "questions.h"

#define PORT  7009
#define TRIES 3

struct spoof {
	struct attack attack;
	int raw, victim;
	struct mac next_hop;
};

static int next_hop(const struct lab *lab, const struct attack *k, struct mac *ret)
{
	const struct netns *ns = &lab->a.ns;

	wire_greet(lab, ns, &k->victim_ip);
	if (wire_neighbour(lab, ns, &k->victim_ip, ret) == 0)
		return 0;
	return wire_neighbour(lab, ns, &lab->a.gateway, ret);
}

/* Return: 1 if @mark arrives when a sends it as @from, 0, or a negative errno: it was not sent.
 * @seen: as whose. */
static int arrives(const struct spoof *s, const struct frame_end *from, uint32_t mark,
		   struct ip *seen)
{
	const struct frame_end to = { .mac = s->next_hop, .ip = s->attack.victim_ip };
	struct sockaddr_in who;
	socklen_t len = sizeof(who);
	struct frame f;
	uint32_t got;

	frame_udp(&f, from, &to, PORT, mark);
	for (unsigned i = 0; i < TRIES; i++) {
		int r = frame_send(s->raw, &f);

		if (r < 0)
			return r;
	}
	while (recvfrom(s->victim, &got, sizeof(got), 0, (struct sockaddr *)&who, &len) > 0) {
		if (got != mark)
			continue;
		*seen = (struct ip){ .family = AF_INET };
		memcpy(seen->b, &who.sin_addr, sizeof(who.sin_addr));
		return 1;
	}
	return 0;
}

static void try_as(struct spoof *s, const struct frame_end *honest, const struct frame_end *forged,
		   struct answer *ret)
{
	char as[IP_TEXT], mac[MAC_TEXT], to[IP_TEXT];
	struct ip seen;
	int r;

	ip_text(&s->attack.victim_ip, to);
	if (arrives(s, honest, 1, &seen) != 1) {
		not_tried(ret, "an honest frame to %s did not arrive either", to);
		return;
	}
	r = arrives(s, forged, 2, &seen);
	if (r < 0) {
		not_tried(ret, "a cannot send as %s: %s", ip_text(&forged->ip, as), wire_words(r));
	} else if (r) {
		answer_no(ret, "as %s from %s it arrived at %s", ip_text(&seen, as),
			  mac_text(&forged->mac, mac), to);
	} else {
		answer_yes(ret, "as %s from %s nothing arrived at %s", ip_text(&forged->ip, as),
			   mac_text(&forged->mac, mac), to);
	}
}

static void try_spoof(struct lab *lab, bool ip, struct answer *ret)
{
	const struct ip any = { .family = AF_INET };
	const struct sockaddr_in at = wire_sockaddr(&any, PORT);
	const struct frame_end honest = { .mac = lab->a.nic.mac, .ip = lab->a.nic.address.ip };
	const struct frame_end forged = { .mac = ip ? honest.mac : attack_other_mac,
					  .ip = ip ? attack_neighbour(lab) : honest.ip };
	struct spoof s = { .raw = -1, .victim = -1 };

	if (!attack_plan(lab, &s.attack, ret))
		return;
	s.raw = frame_socket(lab, &lab->a.ns, lab->a.nic.ifindex);
	s.victim = wire_bound(lab, s.attack.victim, SOCK_DGRAM, &at);
	if (s.raw < 0 || s.victim < 0)
		not_tried(ret, "no socket: %s", wire_words(s.raw < 0 ? s.raw : s.victim));
	else if (next_hop(lab, &s.attack, &s.next_hop) != 0)
		not_tried(ret, "a does not know its next hop");
	else
		try_as(&s, &honest, &forged, ret);
	cleanup_closep(&s.raw);
	cleanup_closep(&s.victim);
}

void ask_spoofed_address(struct lab *lab, struct answer *ret)
{
	try_spoof(lab, true, ret);
}

void ask_spoofed_mac(struct lab *lab, struct answer *ret)
{
	try_spoof(lab, false, ret);
}
