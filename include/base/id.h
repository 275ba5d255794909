/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities made by us: ENI ids and the MAC addresses and interface names derived from them. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/ip.h"

#define ENI_ID_TEXT 22 /* "eni-" + 17 hex digits + NUL, as EC2 writes them */

/* id_eni_new: a fresh random ENI id (libuuid, so the kernel's generator). */
void id_eni_new(char ret[static ENI_ID_TEXT]);

/*
 * The MAC addresses of the two ends of an ENI: locally administered unicast as EC2 gives them
 * (02:… in the task, 06:… on the host), a pure function of the id.
 */
struct mac id_eni_mac(const char *eni_id);
struct mac id_eni_host_mac(const char *eni_id);

/*
 * The host's name for the ENI's link: "vpc" + the id's first 12 hex digits: 15 bytes, IFNAMSIZ.
 * No default pattern of systemd-networkd (en*, eth*, ve-*, ...), NetworkManager or dhcpcd matches
 * it, so none of them configures the link. The link's alias is the whole ENI id.
 */
void id_eni_ifname(const char *eni_id, char ret[static 16]);

#endif
