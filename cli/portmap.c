/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One port, as a key of the maps of published ports. */
#include "portmap.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "mode/ruleset.h"

struct nft_element portmap_element(const struct ip *ip, bool one, uint8_t protocol, uint16_t port)
{
	static const char *const maps[2][2] = { { "ports4", "ports6" },
						{ "host_ports4", "host_ports6" } };
	struct nft_element el = { .set = maps[one][ip->family == AF_INET6], .n_data = 2 };

	if (one)
		el.key[el.n_key++] = atom_ip(ip);
	el.key[el.n_key++] = atom_number(NFT_TYPE_PROTO, protocol);
	el.key[el.n_key++] = atom_number(NFT_TYPE_PORT, port);
	el.data[0] = (struct nft_atom){ .type = NFT_TYPE_IP, .net.ip.family = ip->family };
	el.data[1] = atom_number(NFT_TYPE_PORT, 0);
	return el;
}

static bool has_family(const json *row, uint8_t family)
{
	struct cidr c;

	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a))
		if (cidr_parse(live_text(a, "address"), &c) && c.ip.family == family)
			return true;
	return false;
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

/* Of several networks of a container the one that holds the port serves it. */
bool portmap_is_recorded(const json *row, const struct portmap_want *want)
{
	int64_t port;
	struct ip ip;

	if (strcmp(live_text(row, "mode"), "bridge") != 0 ||
	    strcmp(live_text(row, "state"), "up") != 0 || !has_family(row, want->ip.family))
		return false;
	for (const json *p = json_first(json_get(row, "held")); p; p = json_next(p)) {
		if (!json_integer(json_get(p, "hostPort"), &port) || port != want->port ||
		    strcmp(live_text(p, "protocol"), protocol_name(want->protocol)) != 0)
			continue;
		if (!ip_parse(live_text(p, "hostIP"), &ip) || ip_equal(&ip, &want->ip) ||
		    ip_is_unspecified(&ip))
			return true;
	}
	return false;
}
