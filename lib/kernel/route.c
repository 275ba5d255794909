/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about addresses, routes and neighbours, with the defaults that ip(8) has. */
#include "kernel/route.h"

#include "kernel/link.h"
#include "kernel/message.h"
#include "kernel/route_message.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static struct nl_msg *addr_message(int type, int flags, uint32_t ifindex, const struct cidr *c)
{
	struct ifaddrmsg header = { .ifa_family = c->ip.family,
				    .ifa_prefixlen = c->len,
				    .ifa_index = ifindex };
	struct nl_msg *m = message_new(type, flags, &header, sizeof(header));

	message_put_ip(m, IFA_LOCAL, &c->ip);
	message_put_ip(m, IFA_ADDRESS, &c->ip);
	return m;
}

void addr_add(struct batch *b, uint32_t ifindex, const struct cidr *c, unsigned options,
	      uint32_t tolerate)
{
	struct nl_msg *m = addr_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, c);
	uint32_t flags = (options & ADDR_NO_PREFIX_ROUTE) ? IFA_F_NOPREFIXROUTE : 0;

	/* The pool is the authority on who has an address: asking the link for 2 s adds nothing. */
	if (c->ip.family == AF_INET6 && !(options & ADDR_DETECT))
		flags |= IFA_F_NODAD;
	message_put_u32(m, IFA_FLAGS, flags);
	if (options & ADDR_MARK)
		message_put_u8(m, IFA_PROTO, ADDR_PROTO);
	batch_add(b, m, tolerate);
}

void addr_del(struct batch *b, uint32_t ifindex, const struct cidr *c, uint32_t tolerate)
{
	batch_add(b, addr_message(RTM_DELADDR, 0, ifindex, c), tolerate);
}

static bool route_refuses(const struct route_spec *r)
{
	return r->type == ROUTE_BLACKHOLE || r->type == ROUTE_UNREACHABLE;
}

uint8_t route_scope(const struct route_spec *r)
{
	if (r->has_scope)
		return (uint8_t)r->scope;
	if (r->dst.ip.family == AF_INET6 || ip_is_set(&r->gw) || route_refuses(r))
		return RT_SCOPE_UNIVERSE;
	return r->type == ROUTE_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
}

uint32_t route_table(const struct route_spec *r)
{
	if (r->table)
		return r->table;
	return r->type == ROUTE_LOCAL ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
}

uint8_t route_kernel_type(const struct route_spec *r)
{
	static const uint8_t types[] = { [ROUTE_UNICAST] = RTN_UNICAST,
					 [ROUTE_LOCAL] = RTN_LOCAL,
					 [ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
					 [ROUTE_UNREACHABLE] = RTN_UNREACHABLE };

	return types[r->type];
}

static void put_metrics(struct nl_msg *m, const struct route_spec *r)
{
	struct nlattr *nest;

	if (!r->mtu && !r->advmss)
		return;
	nest = message_nest(m, RTA_METRICS);
	if (r->mtu)
		message_put_u32(m, RTAX_MTU, r->mtu);
	if (r->advmss)
		message_put_u32(m, RTAX_ADVMSS, r->advmss);
	message_nest_end(m, nest);
}

static struct nl_msg *route_message(int type, int flags, const struct route_spec *r)
{
	uint32_t table = route_table(r);
	struct rtmsg header = { .rtm_family = r->dst.ip.family,
				.rtm_dst_len = r->dst.len,
				.rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC,
				.rtm_protocol = RTPROT_STATIC,
				.rtm_scope = route_scope(r),
				.rtm_type = route_kernel_type(r) };
	struct nl_msg *m = message_new(type, flags, &header, sizeof(header));

	if (r->dst.len)
		message_put_ip(m, RTA_DST, &r->dst.ip);
	message_put_ip(m, RTA_GATEWAY, &r->gw);
	message_put_ip(m, RTA_PREFSRC, &r->src);
	if (r->ifindex)
		message_put_u32(m, RTA_OIF, r->ifindex);
	if (r->priority)
		message_put_u32(m, RTA_PRIORITY, r->priority);
	message_put_u32(m, RTA_TABLE, table);
	put_metrics(m, r);
	return m;
}

void route_add(struct batch *b, const struct route_spec *r, uint32_t tolerate)
{
	batch_add(b, route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, r), tolerate);
}

void route_del(struct batch *b, const struct route_spec *r, uint32_t tolerate)
{
	struct route_spec del = *r;

	/* IPv6 deletes a route of any type, of whatever interface, unless one is named; it keeps
	 * those that lead nowhere on lo. */
	if (route_refuses(r) && r->dst.ip.family == AF_INET6)
		del.ifindex = LOOPBACK_INDEX;
	batch_add(b, route_message(RTM_DELROUTE, 0, &del), tolerate);
}

void neigh_add(struct batch *b, uint32_t ifindex, const struct ip *ip, const struct mac *mac)
{
	struct ndmsg header = { .ndm_family = ip->family,
				.ndm_ifindex = (int)ifindex,
				.ndm_state = NUD_PERMANENT };
	struct nl_msg *m =
		message_new(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));

	message_put_ip(m, NDA_DST, ip);
	message_put(m, NDA_LLADDR, mac->b, sizeof(mac->b));
	batch_add(b, m, TOLERATE_NOTHING);
}

void neigh_del(struct batch *b, uint32_t ifindex, const struct ip *ip, uint32_t tolerate)
{
	struct ndmsg header = { .ndm_family = ip->family, .ndm_ifindex = (int)ifindex };
	struct nl_msg *m = message_new(RTM_DELNEIGH, 0, &header, sizeof(header));

	message_put_ip(m, NDA_DST, ip);
	batch_add(b, m, tolerate);
}
