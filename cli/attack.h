/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom task a attacks, and as whom. */
#ifndef CLI_ATTACK_H
#define CLI_ATTACK_H

#include "lab.h"

struct attack {
	const struct netns *victim; /* b, or the LAN's machine where b is where a is */
	struct ip victim_ip;
	struct mac victim_mac;
};

/* attack_plan: Return: false if there is nothing to attack by; @ret says so. */
bool attack_plan(const struct lab *lab, struct attack *k, struct answer *ret);

/* attack_neighbour: an address of a's subnet that is not a's. */
struct ip attack_neighbour(const struct lab *lab);
extern const struct mac attack_other_mac;

#endif
