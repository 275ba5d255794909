/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting connections: a dump on one socket, deletes in batches on another while the dump goes
 * on, so that memory stays bounded however many there are. Each is deleted by its original tuple
 * and id, hence never a newer flow of the same tuple. What merely passes through the host to the
 * same port of somebody else is told apart by its destination, as our rules do it (fib daddr type
 * local): a third socket asks for that, once for many flows to one place.
 *
 * A dump walks the whole hash table with a lock for each bucket, 10 ms of a processor for 262144
 * buckets, and shows each flow. From Linux 6.11 on the kernel deletes by a filter, in 0.6 ms for
 * each question; so the flows of few IPv4 addresses are deleted by questions, all others by one
 * dump.
 */
#include "kernel/conntrack.h"

#include "kernel/message.h"
#include "kernel/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH_FLOWS 128
#define KNOWN       64 /* destinations whose answer is kept */

/* Bits of CTA_FILTER_ORIG_FLAGS and _REPLY_FLAGS, which the kernel's headers do not export. */
#define FILTER_IP_SRC    (1U << 0)
#define FILTER_PROTO_NUM (1U << 3)
#define FILTER_DST_PORT  (1U << 5)

/* A dump costs as much as so many questions, and one more for each of so many flows. */
#define DUMP_QUESTIONS 16u
#define QUESTION_FLOWS 256u
/* With fewer flows one dump of all costs less than one of each family. */
#define FEW_FLOWS 2048u

struct known {
	struct ip dst; /* family 0: nothing is known */
	bool local;
};

struct tuple {
	struct ip src, dst; /* family 0: not told */
	uint8_t protocol;
	uint16_t dst_port;
};

struct forget;
/* Return: 1 the flow is to be deleted, 0 not, or a negative errno. */
typedef int wants_fn(struct forget *f, struct nlattr **tb, uint8_t family);

struct forget {
	wants_fn *wants;
	uint8_t protocol;
	const struct conntrack_port *ports; /* sorted by their number */
	const struct ip *addresses;         /* sorted */
	unsigned n;                         /* of the one or the other */

	struct netlink *nl;
	const struct netns *ns;
	struct netlink drop, route; /* opened when the first match is seen */
	struct known known[KNOWN];
	struct batch *b;
	uint32_t tracked; /* flows of the namespace */
	bool seen;        /* something is tracked */
	struct err *e;
};

static struct nl_msg *flow_message(int type, int flags, uint8_t family)
{
	struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };

	return message_new(NFNL_SUBSYS_CTNETLINK << 8 | type, flags, &header, sizeof(header));
}

/* ---- what a flow is ---- */

static struct tuple tuple_of(struct nlattr *nested, uint8_t family)
{
	struct nlattr *tuple[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];
	struct tuple t = { .protocol = 0 };
	bool v4 = family == AF_INET;

	if (!nested || nla_parse_nested(tuple, CTA_TUPLE_MAX, nested, NULL) < 0)
		return t;
	if (tuple[CTA_TUPLE_IP] &&
	    nla_parse_nested(ip, CTA_IP_MAX, tuple[CTA_TUPLE_IP], NULL) >= 0) {
		t.src = attr_ip(ip[v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC], family);
		t.dst = attr_ip(ip[v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST], family);
	}
	if (!tuple[CTA_TUPLE_PROTO] ||
	    nla_parse_nested(proto, CTA_PROTO_MAX, tuple[CTA_TUPLE_PROTO], NULL) < 0)
		return t;
	if (proto[CTA_PROTO_NUM] && nla_len(proto[CTA_PROTO_NUM]) >= 1)
		t.protocol = nla_get_u8(proto[CTA_PROTO_NUM]);
	if (proto[CTA_PROTO_DST_PORT] && nla_len(proto[CTA_PROTO_DST_PORT]) >= 2)
		t.dst_port = ntohs(nla_get_u16(proto[CTA_PROTO_DST_PORT]));
	return t;
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

static int is_meant(struct forget *f, const struct conntrack_port *port, const struct ip *dst)
{
	const struct ip *named = &port->ip;

	if (!ip_is_set(dst) || (ip_is_set(named) && named->family != dst->family))
		return 0;
	/* Whoever names an address means the host's, even while the host has it not. */
	if (ip_is_set(named) && !ip_is_unspecified(named))
		return ip_equal(named, dst);
	return is_for_host(f, dst);
}

static int port_cmp(const void *a, const void *b)
{
	const struct conntrack_port *x = a, *y = b;

	return (int)x->port - (int)y->port;
}

static int wants_port(struct forget *f, struct nlattr **tb, uint8_t family)
{
	const struct tuple orig = tuple_of(tb[CTA_TUPLE_ORIG], family);
	const struct conntrack_port key = { .port = orig.dst_port };
	const struct conntrack_port *p, *end = f->ports + f->n;
	int r = 0;

	if (orig.protocol != f->protocol)
		return 0;
	p = bsearch(&key, f->ports, f->n, sizeof(key), port_cmp);
	while (p && p > f->ports && p[-1].port == key.port)
		p--;
	for (; p && p < end && p->port == key.port && r == 0; p++)
		r = is_meant(f, p, &orig.dst);
	return r;
}

static int address_cmp(const void *a, const void *b)
{
	return ip_cmp(a, b);
}

static bool has_address(const struct forget *f, const struct ip *ip)
{
	return ip_is_set(ip) && bsearch(ip, f->addresses, f->n, sizeof(*ip), address_cmp);
}

static int wants_address(struct forget *f, struct nlattr **tb, uint8_t family)
{
	const struct tuple orig = tuple_of(tb[CTA_TUPLE_ORIG], family),
			   reply = tuple_of(tb[CTA_TUPLE_REPLY], family);

	return has_address(f, &orig.src) || has_address(f, &orig.dst) ||
	       has_address(f, &reply.src) || has_address(f, &reply.dst);
}

/* ---- a dump, and a delete for each flow that is wanted ---- */

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
	uint8_t family;
	int r;

	f->seen = true;
	if (h->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*header), tb, CTA_MAX, NULL) < 0)
		return 0;
	family = header->nfgen_family;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	r = f->wants(f, tb, family);
	if (r <= 0)
		return r;
	add_delete(f->b, family, tb);
	return f->b->n < BATCH_FLOWS ? 0 : send_deletes(f);
}

/* nfnetlink says EINVAL where the kernel has no connection tracking. */
static bool untracked(int r)
{
	return r == -EINVAL || r == -ENOENT || r == -EOPNOTSUPP || r == -EPROTONOSUPPORT;
}

static int forget_dumped(struct forget *f, struct nl_msg *question)
{
	int r = netlink_ask(f->nl, question, take_flow, NULL, f, f->e);

	if (r == 0)
		return send_deletes(f);
	batch_reset(f->b);
	return !f->seen && untracked(r) ? 0 : r;
}

/*
 * Flows of @family to our ports. The kernel filters (Linux 5.8): a busy host tracks some hundred
 * thousand, and to be shown each of them takes seconds. It filters by one port, or by none.
 */
static struct nl_msg *ports_question(const struct forget *f, uint8_t family)
{
	struct nl_msg *m = flow_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
	struct nlattr *tuple = message_nest(m, CTA_TUPLE_ORIG | NLA_F_NESTED);
	struct nlattr *proto = message_nest(m, CTA_TUPLE_PROTO | NLA_F_NESTED), *filter;
	bool one = f->ports[0].port == f->ports[f->n - 1].port;
	uint16_t port = htons(f->ports[0].port);

	message_put_u8(m, CTA_PROTO_NUM, f->protocol);
	if (one)
		message_put(m, CTA_PROTO_DST_PORT, &port, sizeof(port));
	message_nest_end(m, proto);
	message_nest_end(m, tuple);
	filter = message_nest(m, CTA_FILTER | NLA_F_NESTED);
	message_put_u32(m, CTA_FILTER_ORIG_FLAGS, FILTER_PROTO_NUM | (one ? FILTER_DST_PORT : 0));
	message_nest_end(m, filter);
	return m;
}

/* All flows of a family, or of both. */
static struct nl_msg *all_question(uint8_t family)
{
	return flow_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
}

static bool ports_of(const struct forget *f, uint8_t family)
{
	for (unsigned i = 0; i < f->n; i++)
		if (!ip_is_set(&f->ports[i].ip) || f->ports[i].ip.family == family)
			return true;
	return false;
}

static int forget_ports(struct forget *f)
{
	bool v4 = ports_of(f, AF_INET), v6 = ports_of(f, AF_INET6);
	int r = 0;

	if (v4 && v6 && f->tracked < FEW_FLOWS)
		return forget_dumped(f, all_question(AF_UNSPEC));
	if (v4)
		r = forget_dumped(f, ports_question(f, AF_INET));
	if (v6 && r == 0)
		r = forget_dumped(f, ports_question(f, AF_INET6));
	return r;
}

/* ---- deletes by a filter ---- */

/*
 * Delete all flows whose source in this direction is @ip: by it the initiator of a flow is known
 * before any translation, and the responder after it. A kernel that cannot do it misses members of
 * the tuple (EINVAL), or does not filter (EOPNOTSUPP); it never deletes more. Of IPv4 alone: for
 * IPv6 the kernel's comparison is the wrong way round (ctnetlink_filter_match_tuple, seen in 6.18),
 * and it deletes all flows but those of the address.
 */
static struct nl_msg *address_question(const struct ip *ip, bool reply)
{
	struct nl_msg *m = flow_message(IPCTNL_MSG_CT_DELETE, 0, AF_INET);
	struct nlattr *tuple =
		message_nest(m, (reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG) | NLA_F_NESTED);
	struct nlattr *ips = message_nest(m, CTA_TUPLE_IP | NLA_F_NESTED), *filter;

	message_put_ip(m, CTA_IP_V4_SRC, ip);
	message_nest_end(m, ips);
	message_nest_end(m, tuple);
	filter = message_nest(m, CTA_FILTER | NLA_F_NESTED);
	message_put_u32(m, reply ? CTA_FILTER_REPLY_FLAGS : CTA_FILTER_ORIG_FLAGS, FILTER_IP_SRC);
	message_nest_end(m, filter);
	return m;
}

static int delete_address(struct forget *f, const struct ip *ip)
{
	int r = netlink_ask(f->nl, address_question(ip, false), NULL, NULL, NULL, f->e);

	return r ? r : netlink_ask(f->nl, address_question(ip, true), NULL, NULL, NULL, f->e);
}

static int delete_addresses4(struct forget *f)
{
	int r = 0;

	for (unsigned i = 0; i < f->n && r == 0; i++)
		if (f->addresses[i].family == AF_INET)
			r = delete_address(f, &f->addresses[i]);
	return r < 0 && untracked(r) ? forget_dumped(f, all_question(AF_INET)) : r;
}

static int forget_addresses(struct forget *f)
{
	unsigned n4 = 0;
	bool v6, dump4;
	int r;

	for (unsigned i = 0; i < f->n; i++)
		n4 += f->addresses[i].family == AF_INET;
	v6 = n4 < f->n;
	dump4 = 2 * n4 > DUMP_QUESTIONS + f->tracked / QUESTION_FLOWS;
	if (n4 && v6 && (dump4 || f->tracked < FEW_FLOWS))
		return forget_dumped(f, all_question(AF_UNSPEC));
	r = dump4 ? forget_dumped(f, all_question(AF_INET)) : delete_addresses4(f);
	return r == 0 && v6 ? forget_dumped(f, all_question(AF_INET6)) : r;
}

/* ---- how many are tracked ---- */

static int take_count(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[CTA_STATS_GLOBAL_MAX + 1];
	struct forget *f = ctx;

	if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(struct nfgenmsg), tb,
			CTA_STATS_GLOBAL_MAX, NULL) < 0 ||
	    !tb[CTA_STATS_GLOBAL_ENTRIES])
		return 0;
	f->seen = true;
	f->tracked = ntohl(attr_u32(tb[CTA_STATS_GLOBAL_ENTRIES]));
	return 0;
}

/* Nothing tracked is the usual case on a small host, and costs one question then. */
static int forget(struct forget *f, int (*walk)(struct forget *f))
{
	int r = netlink_ask(f->nl, flow_message(IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC), take_count,
			    NULL, f, f->e);

	if (r < 0 && untracked(r))
		return 0;
	f->drop = f->route = (struct netlink)NETLINK_CLOSED;
	if (r == 0 && f->tracked > 0)
		r = walk(f);
	netlink_close(&f->drop);
	netlink_close(&f->route);
	return r;
}

int conntrack_forget_ports(struct netlink *nl, const struct netns *ns, struct conntrack_ports *p,
			   struct batch *b, struct err *e)
{
	struct forget f = { .wants = wants_port,
			    .protocol = p->protocol,
			    .ports = p->ports,
			    .n = p->n,
			    .nl = nl,
			    .ns = ns,
			    .b = b,
			    .e = e };

	if (!p->n)
		return 0;
	qsort(p->ports, p->n, sizeof(p->ports[0]), port_cmp);
	return forget(&f, forget_ports);
}

int conntrack_forget_addresses(struct netlink *nl, const struct netns *ns,
			       struct conntrack_addresses *a, struct batch *b, struct err *e)
{
	struct forget f = { .wants = wants_address,
			    .addresses = a->ips,
			    .n = a->n,
			    .nl = nl,
			    .ns = ns,
			    .b = b,
			    .e = e };

	if (!a->n)
		return 0;
	qsort(a->ips, a->n, sizeof(a->ips[0]), address_cmp);
	return forget(&f, forget_addresses);
}
