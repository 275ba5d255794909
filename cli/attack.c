/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The victim of an attack, chosen alike for all modes. */
#include "attack.h"

#include "wire.h"

#define FURTHER 100 /* from the sender's address: within each of the lab's subnets */

const struct mac attack_other_mac = { { 2, 0, 0, 0, 0x0b, 0xad } };

bool attack_plan(const struct lab *lab, struct attack *k, struct answer *ret)
{
	if (!lab->a.nic.address.ip.family) {
		not_tried(ret, "a has no interface to attack by");
		return false;
	}
	if (lab_shares(&lab->a.ns, &lab->b.ns))
		*k = (struct attack){ .victim = &lab->lan,
				      .victim_ip = wire_ip(LAN_OTHER),
				      .victim_mac = lab->lan_nic.mac };
	else
		*k = (struct attack){ .victim = &lab->b.ns,
				      .victim_ip = lab->b.nic.address.ip,
				      .victim_mac = lab->b.nic.mac };
	return true;
}

struct ip attack_neighbour(const struct lab *lab)
{
	return ip_add(&lab->a.nic.address.ip, FURTHER);
}
