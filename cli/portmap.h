/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The question where a port of the host leads, as the chain `publish` asks it (lib/mode/publish.c).
 */
#ifndef CLI_PORTMAP_H
#define CLI_PORTMAP_H

#include "kernel/nft.h"
#include "live.h"

/*
 * portmap_element: for nft_map_get: an element of the map of all addresses, or of that of one.
 * @ip: of the host; its family chooses the map. @one: only what is published on this address.
 */
struct nft_element portmap_element(const struct ip *ip, bool one, uint8_t protocol, uint16_t port);

/* What a packet to the host's own address asks for. */
struct portmap_want {
	struct ip ip;
	uint8_t protocol;
	uint16_t port;
};

/* portmap_is_recorded: does the task of @row, which is up, publish it by its record? */
bool portmap_is_recorded(const json *row, const struct portmap_want *want);

#endif
