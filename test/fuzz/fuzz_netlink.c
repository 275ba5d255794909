/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's answers, garbled, truncated, endless: sendto and recvfrom are ours (--wrap), and
 * hand out the input piece by piece: a length, then so many bytes. Whatever they are, a question
 * ends in an outcome, or in an error with words.
 */
#include "fuzz.h"

#include "kernel/firewall.h"
#include "kernel/conntrack.h"
#include "kernel/link.h"
#include "kernel/nft.h"
#include "kernel/qdisc.h"
#include "kernel/route.h"
#include "kernel/rule.h"
#include "kernel/socket.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

ssize_t __wrap_sendto(int fd, const void *p, size_t len, int flags, const struct sockaddr *to,
		      socklen_t n);
ssize_t __wrap_recvfrom(int fd, void *p, size_t size, int flags, struct sockaddr *from,
			socklen_t *n_from);

static const uint8_t *rest;
static size_t left;

ssize_t __wrap_sendto(int fd, const void *p, size_t len, int flags, const struct sockaddr *to,
		      socklen_t n)
{
	(void)fd, (void)p, (void)flags, (void)to, (void)n;
	return (ssize_t)len;
}

/*
 * A message for somebody else in front, of so many bytes: then what is handed out ends where the
 * buffer does, and AddressSanitizer sees who reads on.
 */
static size_t fill(void *p, size_t len)
{
	struct nlmsghdr h = { .nlmsg_len = (uint32_t)len,
			      .nlmsg_type = NLMSG_NOOP,
			      .nlmsg_seq = UINT32_MAX };

	if (len < sizeof(h) || len > BATCH_BYTES)
		return 0;
	memset(p, 0, len);
	memcpy(p, &h, sizeof(h));
	return len;
}

ssize_t __wrap_recvfrom(int fd, void *p, size_t size, int flags, struct sockaddr *from,
			socklen_t *n_from)
{
	size_t n, before;

	(void)fd, (void)from, (void)n_from;
	if (left < 2) {
		errno = EAGAIN;
		return -1;
	}
	n = (size_t)(rest[0] | rest[1] << 8);
	if (n > left - 2)
		n = left - 2;
	if (flags & MSG_PEEK)
		return (ssize_t)n;
	rest += 2, left -= 2;
	if (n > size)
		n = size;
	before = fill(p, size - NLMSG_ALIGN(n));
	memcpy((char *)p + before, rest, n);
	rest += n, left -= n;
	return (ssize_t)(before + n);
}

static struct batch batch;

static int ask_links(unsigned which, struct netlink *nl, struct err *e)
{
	struct link_info link, *list;
	size_t n;
	int r;

	switch (which) {
	case 0:
		return link_by_index(nl, 2, &link, e);
	case 1:
		return link_by_name(nl, "eth0", &link, e);
	case 2:
		return link_has_ports(nl, 2, e);
	case 3:
		return link_bridge_vlans(nl, e);
	default:
		r = link_list(nl, &list, &n, e);
		if (r == 0)
			free(list);
		return r;
	}
}

static int ask_addresses(unsigned which, struct netlink *nl, struct err *e)
{
	struct addr_info lasting[8];
	enum addr_detected how;
	struct cidr list[8], c;
	struct ip ip;
	unsigned n;
	int r;

	cidr_parse("10.0.0.1/24", &c);
	switch (which) {
	case 0:
		return addr_find(nl, 2, &c, e);
	case 1:
		r = addr_list(nl, 2, list, ARRAY_SIZE(list), &n, e);
		must(r < 0 || n <= ARRAY_SIZE(list));
		return r;
	case 2:
		return addr_detected(nl, 2, &c, &how, e);
	case 3:
		return addr_first(nl, 2, AF_INET, &ip, e);
	default:
		r = addr_lasting(nl, 0, lasting, ARRAY_SIZE(lasting), &n, e);
		must(r < 0 || n <= ARRAY_SIZE(lasting));
		return r;
	}
}

static int ask_routes(unsigned which, struct netlink *nl, struct err *e)
{
	struct route_spec route = { .ifindex = 2 };
	struct route_ask ask = { .iif = 0 };
	struct route_uplink uplink;
	struct mac mac = { 0 };
	struct neigh_info neigh;
	struct route_way way;
	struct rule_spec rule = { .family = AF_INET, .iif = "lo", .action = RULE_GOTO };
	int why;

	cidr_parse("10.0.0.1/24", &route.dst);
	ask.dst = route.dst.ip;
	switch (which) {
	case 0:
		return route_find(nl, &route, ROUTE_OF_INTERFACE, e);
	case 1:
		return neigh_find(nl, 2, &ask.dst, &mac, e);
	case 2:
		return route_uplink_find(nl, AF_INET, &uplink, e);
	case 3:
		return route_way_find(nl, &ask, &way, &why, e);
	case 4:
		ip_parse("fd00::1", &ask.dst);
		return route_way_find(nl, &ask, &way, &why, e);
	case 5:
		return route_is_taken(nl, &route, e);
	case 6:
		return rule_find(nl, &rule, e);
	default:
		return neigh_get(nl, 2, &ask.dst, &neigh, e);
	}
}

/* An element of a map, or of a set with an interval. */
static struct nft_element element(bool map)
{
	struct nft_element el = {
		.set = "s",
		.key = { { .type = NFT_TYPE_PROTO, .number = 6 }, { .type = NFT_TYPE_NET } },
		.n_key = map ? 1 : 2,
		.data = { { .type = NFT_TYPE_IP }, { .type = NFT_TYPE_PORT, .number = 80 } },
		.n_data = map ? 2 : 0
	};

	cidr_parse("10.0.0.0/24", &el.key[1].net);
	ip_parse("10.0.0.1", &el.data[0].net.ip);
	return el;
}

/* The ruleset, and then a packet through it: what a task's namespace says is not to be trusted. */
static int ask_firewall(unsigned which, struct netlink *nl, struct err *e)
{
	static const struct nft_crossing rows[] = {
		{ .hook = NFT_FORWARD },
		{ .hook = NFT_PREROUTING },
		{ .hook = NFT_INPUT, .family = NFT_BRIDGE },
		{ .hook = NFT_INGRESS, .dev = "a" },
	};
	struct fw_packet p = { .protocol = 6, .dport = 80, .in = { .ifindex = 2, .name = "a" } };
	struct fw_rule by;
	struct fw_nat nat;
	struct fw *fw;
	int r = fw_open(nl, nl, "t", &fw, e);

	ip_parse(which % 2 ? "2001:db8::1" : "10.0.0.1", &p.src);
	ip_parse(which % 2 ? "2001:db8::2" : "10.0.0.2", &p.dst);
	if (r == 0)
		r = fw_pass(fw, &rows[which], &p, &by, &nat, e);
	fw_close(fw);
	return r < 0 ? r : 0;
}

static int ask_rules(unsigned which, struct netlink *nl, struct err *e)
{
	static const char *const sets[] = { "s", "m", NULL };
	static const struct nft_ruleset rules = {
		.family = NFT_INET,
		.table = "t",
		.sets = sets,
		.stamp = "m",
		.chains = { { "a", 1 }, { "b", 2 } },
	};
	struct nft_values values;
	struct nft_element el = element(which < 2);
	uint32_t generation;
	unsigned count;

	switch (which) {
	case 0:
		return nft_map_get(nl, "t", &el, e);
	case 1:
	case 2:
		return nft_element_find(nl, "t", &el, e);
	case 3:
		return nft_set_count(nl, &rules, "s", &count, e);
	case 4:
		return nft_ruleset_intact(nl, &batch, &rules, &values, e);
	case 5:
		return nft_ruleset_drop_idle(nl, &batch, &rules, e);
	case 6:
		return nft_has_table(nl, NFT_BRIDGE, "t", e);
	case 7:
		return nft_generation(nl, &generation, e);
	default:
		return ask_firewall(0, nl, e);
	}
}

static int ask_qdiscs(unsigned which, struct netlink *nl, struct err *e)
{
	static const uint8_t tag[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	switch (which) {
	case 0:
		return qdisc_find_tbf(nl, 2, 8000, 8000, e);
	case 1:
		return qdisc_find_ingress(nl, 2, e);
	case 2:
		return redirect_find(nl, 2, 3, e);
	default:
		return filter_find_bpf(nl, 2, tag, e);
	}
}

/* The acknowledgements of a batch: one request that may fail in some ways, one that may not. */
static int send_batch(struct netlink *nl, bool transaction, struct err *e)
{
	struct nft_element el = element(false);
	struct batch_failure failure;
	int r;

	if (transaction) {
		nft_begin(&batch);
		nft_element_add(&batch, "t", &el);
		nft_element_drop(&batch, "t", &el);
		nft_commit(&batch);
	} else {
		qdisc_del(&batch, 2, true);
		qdisc_add_ingress(&batch, 2);
	}
	r = batch_send(&batch, nl, &failure, e);
	must(memchr(failure.text, '\0', sizeof(failure.text)));
	return r;
}

static int ask_others(unsigned which, struct netlink *nl, struct err *e)
{
	struct conntrack_port port = { .port = 53 };
	struct conntrack_ports ports = { .protocol = IPPROTO_UDP, .n = 1, .ports = &port };
	struct ip ip;
	struct conntrack_addresses addresses = { .n = 1, .ips = &ip };
	struct netns here = { .fd = -1 };

	ip_parse("10.0.0.1", &ip);
	switch (which) {
	case 0:
	case 1:
		return send_batch(nl, which, e);
	case 2:
		return socket_listens(nl, IPPROTO_TCP, &ip, 53, e);
	case 3:
		return conntrack_forget_addresses(nl, &here, &addresses, &batch, e);
	default:
		return conntrack_forget_ports(nl, &here, &ports, &batch, e);
	}
}

/* The questions of all kinds, in a row. */
static const struct {
	unsigned n;
	int (*ask)(unsigned which, struct netlink *nl, struct err *e);
} kinds[] = { { 5, ask_links },  { 5, ask_addresses }, { 8, ask_routes },  { 9, ask_rules },
	      { 4, ask_qdiscs }, { 5, ask_others },    { 4, ask_firewall } };

static int ask(unsigned which, struct netlink *nl, struct err *e)
{
	unsigned i = 0;

	while (which >= kinds[i].n) {
		which -= kinds[i].n;
		i = (i + 1) % ARRAY_SIZE(kinds);
	}
	return kinds[i].ask(which, nl, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink nl = { .fd = 1000 };
	struct err e = { .code = 0 };
	int r;

	if (!size)
		return 0;
	rest = data + 1;
	left = size - 1;
	r = ask(data[0], &nl, &e);
	must(r <= 1 && (r >= 0 || (e.code && e.msg[0])));
	must(batch.n == 0 && batch.len == 0 && !batch.error);
	return 0;
}
