/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses that the host is known by: for the mode that lends them to a task. */
#include "kernel/message.h"
#include "kernel/route.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

struct lasting {
	uint32_t ifindex;
	struct addr_info *list;
	unsigned n, max;
};

static void begin(void *ctx)
{
	((struct lasting *)ctx)->n = 0;
}

/* In use for good: no privacy address of IPv6, none that duplicate address detection may refuse. */
static bool is_lasting(const struct ifaddrmsg *a, uint32_t flags)
{
	uint32_t fading = IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_DADFAILED;

	/* In IPv4 the bit of TEMPORARY means secondary, which is as good as any. */
	if (a->ifa_family == AF_INET6)
		fading |= IFA_F_TEMPORARY;
	return a->ifa_scope == RT_SCOPE_UNIVERSE && !(flags & fading);
}

static int take(void *ctx, const struct nlmsghdr *h)
{
	struct lasting *l = ctx;
	const struct ifaddrmsg *a = message_data(h);
	struct nlattr *tb[IFA_MAX + 1];
	struct addr_info *info = &l->list[l->n];

	if (h->nlmsg_type != RTM_NEWADDR || l->n == l->max ||
	    (l->ifindex && a->ifa_index != l->ifindex) ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*a), tb, IFA_MAX, NULL) < 0 ||
	    !is_lasting(a, tb[IFA_FLAGS] ? attr_u32(tb[IFA_FLAGS]) : a->ifa_flags))
		return 0;
	info->ifindex = a->ifa_index;
	info->cidr.ip = attr_ip(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], a->ifa_family);
	info->cidr.len = a->ifa_prefixlen;
	l->n += ip_is_set(&info->cidr.ip);
	return 0;
}

int addr_lasting(struct netlink *nl, uint32_t ifindex, struct addr_info *ret, unsigned max,
		 unsigned *ret_n, struct err *e)
{
	struct ifaddrmsg header = { .ifa_family = AF_UNSPEC, .ifa_index = ifindex };
	struct lasting l = { .ifindex = ifindex, .list = ret, .max = max };
	struct nl_msg *m = message_new(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
	int r = netlink_ask(nl, m, take, begin, &l, e);

	*ret_n = l.n;
	return r == -ENODEV ? 0 : r;
}
