/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting connections: a dump on one socket, deletes in batches on another while the dump goes
 * on, so that memory stays bounded however many there are. Each is deleted by its original tuple
 * and id, hence never a newer flow of the same tuple. What merely passes through the host to the
 * same port of somebody else is told apart by its destination, as our rules do it (fib daddr type
 * local): a third socket asks for that, once for many flows to one place.
 */
#include "kernel/conntrack.h"

#include "kernel/message.h"
#include "kernel/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH_FLOWS 128
#define KNOWN       64 /* destinations whose answer is kept */

/* Bits of CTA_FILTER_ORIG_FLAGS, which the kernel's headers do not export. */
#define FILTER_PROTO_NUM (1U << 3)
#define FILTER_DST_PORT  (1U << 5)

struct known {
	struct ip dst; /* family 0: nothing is known */
	bool local;
};

struct forget {
	const struct conntrack_match *match;
	const struct netns *ns;
	struct netlink drop, route; /* opened when the first match is seen */
	struct known known[KNOWN];
	struct batch *b;
	bool seen; /* something is tracked */
	struct err *e;
};

static struct nl_msg *flow_message(int type, int flags, uint8_t family)
{
	struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };

	return message_new(NFNL_SUBSYS_CTNETLINK << 8 | type, flags, &header, sizeof(header));
}

/*
 * All flows of @family to that port. The kernel filters (Linux 5.8): a busy host tracks some
 * hundred thousand, and to be shown each of them takes seconds.
 */
static struct nl_msg *flows_question(uint8_t family, const struct conntrack_match *match)
{
	struct nl_msg *m = flow_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
	struct nlattr *tuple = message_nest(m, CTA_TUPLE_ORIG | NLA_F_NESTED);
	struct nlattr *proto = message_nest(m, CTA_TUPLE_PROTO | NLA_F_NESTED), *filter;
	uint16_t port = htons(match->port);

	message_put_u8(m, CTA_PROTO_NUM, match->protocol);
	message_put(m, CTA_PROTO_DST_PORT, &port, sizeof(port));
	message_nest_end(m, proto);
	message_nest_end(m, tuple);
	filter = message_nest(m, CTA_FILTER | NLA_F_NESTED);
	message_put_u32(m, CTA_FILTER_ORIG_FLAGS, FILTER_PROTO_NUM | FILTER_DST_PORT);
	message_nest_end(m, filter);
	return m;
}

static bool same_port(const struct conntrack_match *m, const struct nlattr *proto)
{
	struct nlattr *tb[CTA_PROTO_MAX + 1];

	if (!proto ||
	    nla_parse_nested(tb, CTA_PROTO_MAX, (struct nlattr *)(uintptr_t)proto, NULL) < 0)
		return false;
	return tb[CTA_PROTO_NUM] && nla_get_u8(tb[CTA_PROTO_NUM]) == m->protocol &&
	       tb[CTA_PROTO_DST_PORT] && nla_get_u16(tb[CTA_PROTO_DST_PORT]) == htons(m->port);
}

static struct ip dst_of(uint8_t family, const struct nlattr *ips)
{
	struct nlattr *tb[CTA_IP_MAX + 1];

	if (!ips || nla_parse_nested(tb, CTA_IP_MAX, (struct nlattr *)(uintptr_t)ips, NULL) < 0)
		return (struct ip){ .family = 0 };
	return attr_ip(tb[family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST], family);
}

/* Return: where the flow goes to, family 0 if it does not match. */
static struct ip match_flow(const struct conntrack_match *m, uint8_t family, struct nlattr *orig)
{
	struct nlattr *tuple[CTA_TUPLE_MAX + 1];

	if (!orig || nla_parse_nested(tuple, CTA_TUPLE_MAX, orig, NULL) < 0 ||
	    !same_port(m, tuple[CTA_TUPLE_PROTO]))
		return (struct ip){ .family = 0 };
	return dst_of(family, tuple[CTA_TUPLE_IP]);
}

static int ask_local(struct forget *f, const struct ip *dst)
{
	int r = 0;

	if (f->route.fd < 0)
		r = netlink_open(NETLINK_ROUTE, f->ns, f->ns, &f->route, f->e);
	return r < 0 ? r : route_is_local(&f->route, dst, f->e);
}

/* Was it sent to the host itself? Return: 1, 0, or a negative errno. */
static int is_for_host(struct forget *f, const struct ip *dst)
{
	struct known *k = &f->known[dst->b[ip_size(dst) - 1] % KNOWN];
	int r;

	if (ip_is_set(&k->dst) && ip_equal(&k->dst, dst))
		return k->local;
	r = ask_local(f, dst);
	if (r >= 0)
		*k = (struct known){ .dst = *dst, .local = r };
	return r;
}

/* Return: 1, 0, or a negative errno. */
static int is_meant(struct forget *f, const struct ip *dst)
{
	const struct ip *named = &f->match->ip;

	if (!ip_is_set(dst) || (ip_is_set(named) && named->family != dst->family))
		return 0;
	/* Whoever names an address means the host's, even while the host has it not. */
	if (ip_is_set(named) && !ip_is_unspecified(named))
		return ip_equal(named, dst);
	return is_for_host(f, dst);
}

static void add_delete(struct batch *b, uint8_t family, struct nlattr **tb)
{
	static const int keys[] = { CTA_TUPLE_ORIG, CTA_ID, CTA_ZONE };
	struct nl_msg *m = flow_message(IPCTNL_MSG_CT_DELETE, 0, family);

	/* As the kernel wrote them, whatever they hold. */
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct nlattr *a = tb[keys[i]];

		if (a)
			message_put(m, a->nla_type, nla_data(a), (size_t)nla_len(a));
	}
	batch_add(b, m, TOLERATE_ABSENT);
}

static int send_deletes(struct forget *f)
{
	struct batch_failure failure;
	int r = 0;

	if (f->b->n == 0)
		return 0;
	if (f->drop.fd < 0)
		r = netlink_open(NETLINK_NETFILTER, f->ns, f->ns, &f->drop, f->e);
	if (r == 0)
		return batch_send(f->b, &f->drop, &failure, f->e);
	batch_reset(f->b);
	return r;
}

static int take_flow(void *ctx, const struct nlmsghdr *h)
{
	struct forget *f = ctx;
	const struct nfgenmsg *header = message_data(h);
	struct nlattr *tb[CTA_MAX + 1];
	struct ip dst;
	int r;

	f->seen = true;
	if (h->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*header), tb, CTA_MAX, NULL) < 0)
		return 0;
	dst = match_flow(f->match, header->nfgen_family, tb[CTA_TUPLE_ORIG]);
	r = is_meant(f, &dst);
	if (r <= 0)
		return r;
	add_delete(f->b, header->nfgen_family, tb);
	return f->b->n < BATCH_FLOWS ? 0 : send_deletes(f);
}

/* nfnetlink says EINVAL where the kernel has no connection tracking. */
static bool untracked(int r)
{
	return r == -EINVAL || r == -ENOENT || r == -EOPNOTSUPP || r == -EPROTONOSUPPORT;
}

static int forget_family(struct netlink *nl, uint8_t family, struct forget *f)
{
	int r = netlink_ask(nl, flows_question(family, f->match), take_flow, NULL, f, f->e);

	if (r == 0)
		return send_deletes(f);
	batch_reset(f->b);
	return !f->seen && untracked(r) ? 0 : r;
}

int conntrack_forget(struct netlink *nl, const struct netns *ns,
		     const struct conntrack_match *match, struct batch *b, struct err *e)
{
	struct forget f = { .match = match, .ns = ns, .b = b, .e = e };
	int r = 0;

	f.drop = f.route = (struct netlink)NETLINK_CLOSED;
	if (match->ip.family != AF_INET6)
		r = forget_family(nl, AF_INET, &f);
	if (r == 0 && match->ip.family != AF_INET)
		r = forget_family(nl, AF_INET6, &f);
	netlink_close(&f.drop);
	netlink_close(&f.route);
	return r;
}
