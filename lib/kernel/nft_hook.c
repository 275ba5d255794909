/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is a base chain met at a hook, and at which device? */
#include "kernel/nft_rule.h"

#include <string.h>
#include <sys/socket.h>

/* A name, or since Linux 6.16 the beginning of one (NFTA_DEVICE_PREFIX, which headers may lack). */
static bool is_device(const struct nlattr *a, const char *dev)
{
	char name[64];

	if (!nft_text(a, name, sizeof(name)))
		return false;
	return nla_type(a) == NFTA_DEVICE_NAME ? strcmp(name, dev) == 0
					       : strncmp(name, dev, strlen(name)) == 0;
}

static bool is_on(struct nlattr *const *hook, const char *dev)
{
	struct nlattr *item;
	char name[64];
	int left;

	if (nft_text(hook[NFTA_HOOK_DEV], name, sizeof(name)) && !strcmp(name, dev))
		return true;
	if (!hook[NFTA_HOOK_DEVS])
		return false;
	nla_for_each_nested (item, hook[NFTA_HOOK_DEVS], left)
		if (is_device(item, dev))
			return true;
	return false;
}

/* The hooks of IP and of bridges have the same numbers. */
bool nft_is_at(const struct nft_crossing *at, uint8_t family, const struct nlattr *hook)
{
	struct nlattr *tb[NFTA_HOOK_MAX + 1];
	uint32_t number;

	if (!nft_nested(tb, NFTA_HOOK_MAX, hook) || !tb[NFTA_HOOK_HOOKNUM])
		return false;
	number = ntohl(attr_u32(tb[NFTA_HOOK_HOOKNUM]));
	if (family == NFPROTO_NETDEV)
		return at->dev && number == (at->hook == NFT_EGRESS) && is_on(tb, at->dev);
	if ((family == NFPROTO_BRIDGE) != (at->family == NFT_BRIDGE) || number != at->hook)
		return false;
	if ((family == NFPROTO_IPV4 && at->ip == AF_INET6) ||
	    (family == NFPROTO_IPV6 && at->ip == AF_INET))
		return false;
	return !at->dev || is_on(tb, at->dev);
}
