/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ids of network namespaces (RTM_NEWNSID). The kernel forgets an id when its namespace ends and at
 * no other time: an open descriptor, a socket or a mount elsewhere keeps the namespace, and the id
 * with it. Links are asked for and deleted in there by the id (IFLA_TARGET_NETNSID), without a
 * path.
 */
#include "kernel/netns_id.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "kernel/message.h"

#define OURS_FIRST 0x40000000U /* the kernel itself counts from 0 */
#define NO_ID      UINT32_MAX  /* NETNSA_NSID_NOT_ASSIGNED */

static struct nl_msg *id_message(uint16_t type, uint16_t flags)
{
	struct rtgenmsg header = { .rtgen_family = AF_UNSPEC };

	return message_new(type, flags, &header, sizeof(header));
}

static int take_id(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NETNSA_MAX + 1];

	if (h->nlmsg_type == RTM_NEWNSID &&
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(struct rtgenmsg), tb, NETNSA_MAX,
			NULL) == 0 &&
	    tb[NETNSA_NSID])
		*(uint32_t *)ctx = attr_u32(tb[NETNSA_NSID]);
	return 0;
}

int netns_id_of(struct netlink *nl, int fd, uint32_t *ret, struct err *e)
{
	struct nl_msg *m = id_message(RTM_GETNSID, 0);
	uint32_t id = NO_ID;
	int r;

	message_put_u32(m, NETNSA_FD, (uint32_t)fd);
	r = netlink_ask(nl, m, take_id, NULL, &id, e);
	if (r < 0)
		return r;
	*ret = id;
	return id == NO_ID;
}

static int give(struct netlink *nl, int fd, uint32_t id, struct err *e)
{
	struct nl_msg *m = id_message(RTM_NEWNSID, 0);

	message_put_u32(m, NETNSA_NSID, id);
	message_put_u32(m, NETNSA_FD, (uint32_t)fd);
	return netlink_ask(nl, m, NULL, NULL, NULL, e);
}

uint32_t netns_id_own(uint64_t cookie)
{
	return OURS_FIRST | (uint32_t)(cookie & (OURS_FIRST - 1));
}

int netns_id_give(struct netlink *nl, const struct netns *ns, uint32_t *ret, struct err *e)
{
	int r = give(nl, ns->fd, netns_id_own(ns->cookie), e);

	if (r == 0) {
		*ret = netns_id_own(ns->cookie);
		return 0;
	}
	if (r != -EEXIST && r != -ENOSPC)
		return r;
	/* It has one already, or ours is in use: then any will do. */
	r = netns_id_of(nl, ns->fd, ret, e);
	if (r != 1)
		return r;
	r = give(nl, ns->fd, NO_ID, e);
	if (r == 0 || r == -EEXIST)
		r = netns_id_of(nl, ns->fd, ret, e);
	return r == 1 ? err_set(e, ERR_KERNEL, EAGAIN, "the network namespace has no id") : r;
}

int netns_id_stands(struct netlink *nl, uint32_t id, struct err *e)
{
	struct nl_msg *m = id_message(RTM_GETNSID, 0);
	uint32_t seen = NO_ID;
	int r;

	message_put_u32(m, NETNSA_NSID, id);
	r = netlink_ask(nl, m, take_id, NULL, &seen, e);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : seen != NO_ID;
}
