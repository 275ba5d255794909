/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One port, as a key of the maps of published ports. */
#include "portmap.h"

#include <sys/socket.h>

#include "mode/ruleset.h"

static struct nft_atom atom_number(enum nft_type type, uint16_t number)
{
	return (struct nft_atom){ .type = type, .number = number };
}

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
