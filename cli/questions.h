/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions behind the table in questions.c; each file of probes is about one idea. */
#ifndef CLI_QUESTIONS_H
#define CLI_QUESTIONS_H

#include "compare.h"

typedef void probe_fn(struct lab *lab, struct answer *ret);

/* probe_address.c */
probe_fn ask_own_address, ask_same_port;
/* probe_reach.c */
probe_fn ask_from_host, ask_from_host_loopback, ask_from_lan, ask_from_lan_routed, ask_from_task,
	ask_to_lan, ask_host_loopback;
/* probe_source.c */
probe_fn ask_source_task, ask_source_lan, ask_source_client;
/* probe_spoof.c, probe_arp.c, probe_router.c, probe_sniff.c */
probe_fn ask_spoofed_address, ask_spoofed_mac, ask_spoofed_arp, ask_forged_router, ask_sniffing;
/* probe_host.c */
probe_fn ask_loopback_service, ask_metadata;
/* probe_speed.c */
probe_fn ask_start, ask_stop, ask_rtt_task, ask_rtt_lan, ask_flood_task, ask_flood_lan;
/* probe_cost.c */
probe_fn ask_addresses, ask_ports, ask_links, ask_fit;

#endif
