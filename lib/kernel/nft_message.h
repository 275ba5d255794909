/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfnetlink messages of the nf_tables subsystem: for lib/kernel only. */
#ifndef KERNEL_NFT_MESSAGE_H
#define KERNEL_NFT_MESSAGE_H

#include "kernel/message.h"
#include "kernel/nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* Linux 6.3; Debian 12 has older headers. Deletes what is there and is content with what is not. */
#define NFT_MSG_DESTROYSETELEM 30

/* nft_message: @type is NFT_MSG_*. */
static inline struct nl_msg *nft_message(int type, int flags, enum nft_family family)
{
	struct nfgenmsg header = {
		.nfgen_family = family == NFT_BRIDGE ? NFPROTO_BRIDGE : NFPROTO_INET,
		.version = NFNETLINK_V0,
	};

	return message_new(NFNL_SUBSYS_NFTABLES << 8 | type, flags, &header, sizeof(header));
}

static inline struct nlattr *nft_attributes(const struct nlmsghdr *h, struct nlattr **tb, int max)
{
	if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(struct nfgenmsg), tb, max, NULL) <
	    0)
		return NULL;
	return nlmsg_attrdata((struct nlmsghdr *)(uintptr_t)h, sizeof(struct nfgenmsg));
}

/* nft_begin_at: as nft_begin, but the commit fails with ERESTART unless the ruleset is still that
 * of generation @genid (0: any). */
struct batch;
void nft_begin_at(struct batch *b, uint32_t genid);

#endif
