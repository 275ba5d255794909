/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firewalls of others: what they do with a connection from a task to the outside, and with its
 * answer. One task of each kind is tried: one of those with an interface of their own, and one of
 * each bridge. The commands let tasks of that kind pass, and nothing else.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "doctor.h"
#include "kernel/nft.h"
#include "kernel/route.h"
#include "mode/let_through.h"
#include "mode/ruleset.h"

#define FIX_TEXT 8192
#define SEEN_MAX 256 /* rules; those behind are told when these let pass */

/* The rules that were told, and for which tasks. */
struct seen {
	struct {
		struct fw_rule by;
		enum fw_fate fate;
		enum nft_hook hook;
		char fix[FIX_TEXT];
	} of[SEEN_MAX];
	unsigned n;
};

/* Has a row before @row the same bridge? */
bool doctor_bridge_is_again(const struct doctor *d, const json *row, const char *bridge)
{
	const json *one = doctor_next_up(json_first(d->attachments));

	while (one != row && strcmp(live_text(one, "bridge"), bridge) != 0)
		one = doctor_next_up(json_next(one));
	return one != row;
}

static bool same_rule(const struct fw_rule *a, const struct fw_rule *b)
{
	return a->handle == b->handle && !strcmp(a->family, b->family) &&
	       !strcmp(a->table, b->table) && !strcmp(a->chain, b->chain) &&
	       !strcmp(a->base, b->base);
}

/* Each rule is told once, with the commands for all kinds of tasks that it stops. */
static void add_seen(struct seen *s, const struct fw *fw, const struct fw_rule *by,
		     enum fw_fate fate, enum nft_hook hook, const char *bridge)
{
	char more[1024];
	struct text fix, t;
	unsigned i = 0;

	while (i < s->n && !same_rule(&s->of[i].by, by))
		i++;
	if (i == SEEN_MAX)
		return;
	if (i == s->n) {
		s->of[s->n++].by = *by;
		s->of[i].fate = fate;
		s->of[i].hook = hook;
		s->of[i].fix[0] = '\0';
	}
	if (fate == FW_DROPS)
		s->of[i].fate = fate;
	text_init(&t, more, sizeof(more));
	let_through_fix(fw, by, bridge, &t);
	if (strstr(s->of[i].fix, more) || strlen(s->of[i].fix) + t.len + 3 > FIX_TEXT)
		return;
	text_init(&fix, s->of[i].fix + strlen(s->of[i].fix), FIX_TEXT - strlen(s->of[i].fix));
	text_add(&fix, "%s%s", s->of[i].fix[0] ? "; " : "", more);
}

static void tell(struct doctor *d, const struct fw_rule *by, enum fw_fate fate, enum nft_hook hook,
		 const char *fix)
{
	static const char *const what[] = { [NFT_PREROUTING] = "when it comes in",
					    [NFT_FORWARD] = "when it is forwarded",
					    [NFT_POSTROUTING] = "when it goes out" };
	char chain[600], rule[48] = "";

	fw_rule_text(by, chain);
	if (by->handle)
		snprintf(rule, sizeof(rule), ", by its rule with handle %" PRIu64, by->handle);
	if (by->iptables && !by->handle && !strcmp(by->base, "FORWARD"))
		doctor_tell(d, fate == FW_DROPS ? DOCTOR_FAIL : DOCTOR_WARN, fix,
			    "the %s policy of FORWARD is DROP, as Docker sets it: what tasks send "
			    "through the host %s dropped",
			    !strcmp(by->family, "ip6") ? "ip6tables" : "iptables",
			    fate == FW_DROPS ? "is" : "may be");
	else
		doctor_tell(d, fate == FW_DROPS ? DOCTOR_FAIL : DOCTOR_WARN, fix,
			    "the nftables chain \"%s\" %s what tasks send through the host %s%s%s",
			    chain, fate == FW_DROPS ? "drops" : "may drop", what[hook], rule,
			    fate == FW_DROPS ? ""
					     : ": a condition of its rules cannot be computed");
}

/* ---- one task of each kind ---- */

static bool is_routed(const json *row)
{
	const char *mode = live_text(row, "mode");

	return !strcmp(mode, "awsvpc-veth") || !strcmp(mode, "bridge");
}

static bool has_address(const json *row, uint8_t family, struct ip *ret)
{
	struct cidr c;

	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a))
		if (cidr_parse(live_text(a, "address"), &c) && c.ip.family == family) {
			*ret = c.ip;
			return true;
		}
	return false;
}

static int judge_row(struct doctor *d, struct fw *fw, const json *row, uint8_t family,
		     struct seen *seen, struct err *e)
{
	const char *bridge = live_text(row, "bridge");
	struct let_through l = { .bridge = *bridge ? bridge : ANY_HOST_END };
	struct route_uplink uplink;
	enum nft_hook hook;
	struct fw_rule by;
	int r;

	if (!has_address(row, family, &l.task))
		return 0;
	r = link_by_name(&d->route, *bridge ? bridge : live_text(row, "hostInterface"), &l.link, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = route_uplink_find(&d->route, family, &uplink, e);
	if (r == 0 && uplink.ifindex)
		r = link_by_index(&d->route, uplink.ifindex, &l.uplink, e);
	if (r >= 0)
		r = let_through_judge(fw, &l, &by, &hook, e);
	if (r > FW_PASSES)
		add_seen(seen, fw, &by, (enum fw_fate)r, hook, l.bridge);
	return r < 0 ? r : 0;
}

/* Of the tasks with interfaces of their own the first of each family stands for all. */
static int judge_family(struct doctor *d, struct fw *fw, uint8_t family, struct seen *seen,
			struct err *e)
{
	bool done = false;
	struct ip ip;
	int r = 0;

	for (const json *row = doctor_next_up(json_first(d->attachments)); row && r == 0;
	     row = doctor_next_up(json_next(row))) {
		const char *bridge = live_text(row, "bridge");

		if (!is_routed(row) || !has_address(row, family, &ip) ||
		    (*bridge ? doctor_bridge_is_again(d, row, bridge) : done))
			continue;
		done |= !*bridge;
		r = judge_row(d, fw, row, family, seen, e);
	}
	return r;
}

void doctor_firewall(struct doctor *d)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	cleanup_free struct seen *seen = calloc(1, sizeof(*seen));
	struct fw *fw = NULL;
	struct err e;
	int r = seen ? fw_open(&d->nft, &d->route, TASKVPC_TABLE, &fw, &e)
		     : err_sys(&e, ERR_IO, ENOMEM, "cannot read the nftables ruleset");

	if (r == 0)
		fw_read_legacy(fw);
	for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++)
		r = judge_family(d, fw, families[i], seen, &e);
	fw_close(fw);
	if (r < 0)
		doctor_tell(d, DOCTOR_FAIL, "a kernel with nf_tables",
			    "nftables does not answer: %s", e.msg);
	for (unsigned i = 0; seen && i < seen->n; i++)
		tell(d, &seen->of[i].by, seen->of[i].fate, seen->of[i].hook, seen->of[i].fix);
}
