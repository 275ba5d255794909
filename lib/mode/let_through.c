/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet of a task to the outside and its answer, through the rules of others on the host. */
#include "mode/let_through.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Nobody's (RFC 5737, 3849): what is said of all others holds for it. */
#define OUTSIDE4 "203.0.113.1"
#define OUTSIDE6 "2001:db8:ffff::1"
#define HTTPS    443

static const struct link_info some_link = { .ifindex = UINT32_MAX,
					    .name = "vpc000000000000",
					    .kind = "veth" };

static struct fw_packet packet_of(const struct let_through *l, bool answer)
{
	struct fw_packet p = { .src = l->task,
			       .src_unknown = l->task_unknown,
			       .protocol = IPPROTO_TCP,
			       .dport = HTTPS,
			       .ephemeral = true,
			       .in = l->link.ifindex ? l->link : some_link,
			       .out = l->uplink };

	ip_parse(l->task.family == AF_INET6 ? OUTSIDE6 : OUTSIDE4, &p.dst);
	if (!answer)
		return p;
	return (struct fw_packet){ .src = p.dst,
				   .dst = p.src,
				   .dst_unknown = p.src_unknown,
				   .protocol = p.protocol,
				   .sport = p.dport,
				   .ephemeral = true,
				   .in = p.out,
				   .out = p.in,
				   .answer = true };
}

/* What the hook tells of: no interface that the packet leaves by before it is routed. */
static struct fw_packet at_hook(const struct fw_packet *p, enum nft_hook hook)
{
	struct fw_packet here = *p;

	if (hook == NFT_PREROUTING)
		here.out = (struct link_info){ .ifindex = 0 };
	return here;
}

static int judge_one(struct fw *fw, struct fw_packet p, struct fw_rule *ret_by,
		     enum nft_hook *ret_hook, struct err *e)
{
	static const enum nft_hook hooks[] = { NFT_PREROUTING, NFT_FORWARD, NFT_POSTROUTING };
	int fate = FW_PASSES, r;

	for (size_t i = 0; i < ARRAY_SIZE(hooks) && fate != FW_DROPS; i++) {
		const struct nft_crossing at = { .hook = hooks[i] };
		struct fw_packet here = at_hook(&p, hooks[i]);
		struct fw_rule by;

		r = fw_pass(fw, &at, &here, &by, NULL, e);
		if (r < 0)
			return r;
		p.mark = here.mark;
		p.mark_unknown = here.mark_unknown;
		if (r == FW_PASSES || (fate == FW_MAY_DROP && r != FW_DROPS))
			continue;
		fate = r;
		*ret_by = by;
		*ret_hook = hooks[i];
	}
	return fate;
}

int let_through_judge(struct fw *fw, const struct let_through *l, struct fw_rule *ret_by,
		      enum nft_hook *ret_hook, struct err *e)
{
	struct fw_rule by;
	enum nft_hook hook;
	int r = judge_one(fw, packet_of(l, false), ret_by, ret_hook, e), back;

	if (r < 0 || r == FW_DROPS)
		return r;
	back = judge_one(fw, packet_of(l, true), &by, &hook, e);
	if (back < 0 || back == FW_PASSES || (r == FW_MAY_DROP && back != FW_DROPS))
		return back < 0 ? back : r;
	*ret_by = by;
	*ret_hook = hook;
	return back;
}

/* ---- the commands ---- */

static void next_command(struct text *fix)
{
	if (fix->len)
		text_add(fix, "; ");
}

/* Docker puts its own rules before those of FORWARD again; DOCKER-USER it leaves to others. */
static void add_iptables(const struct fw *fw, const struct fw_rule *by, const char *bridge,
			 struct text *fix)
{
	bool docker = !strcmp(by->base, "FORWARD") && fw_has_chain(fw, by, "DOCKER-USER");

	for (const char *way = "io"; *way; way++) {
		if ((*way == 'o' && !strcmp(by->base, "PREROUTING")) ||
		    (*way == 'i' && !strcmp(by->base, "POSTROUTING")))
			continue; /* no such interface is known there */
		next_command(fix);
		text_add(fix, "%s%s ", !strcmp(by->family, "ip6") ? "ip6tables" : "iptables",
			 by->legacy ? "-legacy" : "");
		if (strcmp(by->table, "filter") != 0)
			text_add(fix, "-t %s ", by->table);
		text_add(fix, "-I %s -%c ", docker ? "DOCKER-USER" : by->base, *way);
		text_add_shell(fix, *bridge ? bridge : "vpc+");
		text_add(fix, " -j ACCEPT");
	}
}

/* One transaction, as one word for the shell. */
static void add_nft(const struct fw_rule *by, const char *bridge, struct text *fix)
{
	char rules[2 * NFT_NAME_SIZE + 2 * NFT_NAME_SIZE + 200];
	struct text t;

	text_init(&t, rules, sizeof(rules));
	for (const char *way = "io"; *way; way++)
		text_add(&t, "%sinsert rule %s %s %s %cifname \"%s\" accept", t.len ? "; " : "",
			 by->family, by->table, by->base, *way, *bridge ? bridge : "vpc*");
	next_command(fix);
	text_add(fix, "nft ");
	text_add_shell(fix, rules);
}

static bool is_forward(const struct fw_rule *by)
{
	return !strcmp(by->base, "FORWARD");
}

void let_through_fix(const struct fw *fw, const struct fw_rule *by, const char *bridge,
		     struct text *fix)
{
	if (!strcmp(by->table, "firewalld")) {
		next_command(fix);
		text_add(fix,
			 "firewall-cmd --permanent --zone=trusted --add-%s%s; "
			 "firewall-cmd --reload",
			 *bridge ? "interface=" : "source=", *bridge ? bridge : "SUBNET");
	} else if (by->legacy || (by->iptables && is_forward(by))) {
		add_iptables(fw, by, bridge, fix);
	} else {
		add_nft(by, bridge, fix);
	}
}
