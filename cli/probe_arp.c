/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task a says by ARP that an address is its own, to everybody who could believe it: b, of its
 * gateway; the host, of b; the LAN's machine, of an address that it is looking for.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "attack.h"
#include "base/cleanup.h"
#include "frame.h"
#include "questions.h"

#define LOOKS   10
#define LOOK_NS 10000000

struct lie {
	const char *who; /* hears it */
	const struct netns *ns;
	struct frame_end hearer;
	struct ip about;
};

static bool believes(const struct lab *lab, const struct lie *lie)
{
	const struct timespec while_ns = { .tv_nsec = LOOK_NS };

	for (unsigned i = 0; i < LOOKS; i++) {
		struct mac known;

		if (wire_neighbour(lab, lie->ns, &lie->about, &known) == 0 &&
		    mac_equal(&known, &lab->a.nic.mac))
			return true;
		nanosleep(&while_ns, NULL);
	}
	return false;
}

/* Return: 1 if it is believed, 0, or a negative errno: it was not even told. */
static int tell(const struct lab *lab, int raw, const struct lie *lie)
{
	const struct frame_end claim = { .mac = lab->a.nic.mac, .ip = lie->about };
	struct frame f;
	int r;

	/* Who has no entry takes none: a lie is told where the truth is being asked for. */
	wire_greet(lab, lie->ns, &lie->about);
	frame_arp(&f, &claim, &lie->hearer, false);
	r = frame_send(raw, &f);
	frame_arp(&f, &claim, &lie->hearer, true);
	if (r == 0)
		r = frame_send(raw, &f);
	return r < 0 ? r : believes(lab, lie);
}

/* All that can be told in this lab. Return: how many. */
static unsigned lies(const struct lab *lab, const struct attack *k, struct lie ret[static 2])
{
	const bool on_host = lab_shares(&lab->a.ns, &lab->host);
	const struct nic *b = &lab->b.nic;

	ret[0] = (struct lie){ .who = on_host ? "the LAN's machine" : "b",
			       .ns = k->victim,
			       .hearer = { .mac = k->victim_mac, .ip = k->victim_ip },
			       .about = lab->b.gateway };
	if (!ret[0].about.family)
		ret[0].about = wire_ip(LAN_FREE);
	ret[1] = (struct lie){ .who = "the host",
			       .ns = &lab->host,
			       .hearer = { .ip = wire_ip(LAN_HOST) },
			       .about = b->address.ip };
	/* The host's MAC on this link is that of a's gateway. */
	wire_neighbour(lab, &lab->a.ns, &lab->a.gateway, &ret[1].hearer.mac);
	return on_host ? 1 : 2;
}

static void tell_all(const struct lab *lab, const struct attack *k, int raw, struct answer *ret)
{
	struct lie all[2];
	unsigned n = lies(lab, k, all);
	char about[IP_TEXT], mac[MAC_TEXT];

	for (unsigned i = 0; i < n; i++) {
		int r = tell(lab, raw, &all[i]);

		if (r == 0)
			continue;
		if (r < 0) {
			not_tried(ret, "a cannot send ARP: %s", wire_words(r));
			return;
		}
		answer_no(ret, "%s takes a (%s) for %s", all[i].who, mac_text(&lab->a.nic.mac, mac),
			  ip_text(&all[i].about, about));
		return;
	}
	answer_yes(ret, "%s%s did not believe it", all[0].who, n > 1 ? " and the host" : "");
}

void ask_spoofed_arp(struct lab *lab, struct answer *ret)
{
	struct attack k;
	int raw;

	if (!attack_plan(lab, &k, ret))
		return;
	raw = frame_socket(lab, &lab->a.ns, lab->a.nic.ifindex);
	if (raw < 0) {
		not_tried(ret, "no socket: %s", wire_words(raw));
		return;
	}
	tell_all(lab, &k, raw, ret);
	cleanup_closep(&raw);
	lab_again(lab);
}
