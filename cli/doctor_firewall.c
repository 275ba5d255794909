/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firewalls of others: who drops what the host forwards, and the commands that let tasks pass. They
 * are to be run as they stand, so they name what is there: the interfaces of routed tasks by their
 * prefix, and each bridge that has a task now.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "doctor.h"
#include "kernel/nft.h"
#include "mode/ruleset.h"

#define FIX_TEXT 8192 /* some thirty bridges; doctor tells the rest when these are open */
#define ANY_ENI  ""   /* instead of a bridge: all interfaces of routed tasks */

bool doctor_bridge_is_again(const struct doctor *d, const json *row, const char *bridge)
{
	const json *one = doctor_next_up(json_first(d->attachments));

	while (one != row && strcmp(live_text(one, "bridge"), bridge) != 0)
		one = doctor_next_up(json_next(one));
	return one != row;
}

/* @add for what tasks come by: their own interfaces, and each bridge. A pair that does not fit
 * whole is left out. */
static void each_way(const struct doctor *d, const struct nft_refuser *r, struct text *fix,
		     void (*add)(struct text *fix, const struct nft_refuser *r, const char *bridge))
{
	add(fix, r, ANY_ENI);
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row))) {
		const char *bridge = live_text(row, "bridge");

		if (*bridge && !doctor_bridge_is_again(d, row, bridge) && fix->size - fix->len > FIX_TEXT / 8)
			add(fix, r, bridge);
	}
}

static bool is_iptables(const struct nft_refuser *r)
{
	return r->by_policy && strncmp(r->family_name, "ip", 2) == 0 &&
	       !strcmp(r->table, "filter") && !strcmp(r->chain, "FORWARD");
}

/* Docker puts its own rules before those of FORWARD again; DOCKER-USER it leaves to others. */
static void add_iptables(struct text *fix, const struct nft_refuser *r, const char *bridge)
{
	bool v6 = !strcmp(r->family_name, "ip6");
	bool docker = !v6 && access("/proc/sys/net/ipv4/conf/docker0", F_OK) == 0;

	for (const char *way = "io"; *way; way++) {
		text_add(fix, "%s%s -I %s -%c ", fix->len ? "; " : "",
			 v6 ? "ip6tables" : "iptables", docker ? "DOCKER-USER" : "FORWARD", *way);
		text_add_shell(fix, *bridge ? bridge : "vpc+");
		text_add(fix, " -j ACCEPT");
	}
}

/* One transaction of all, as one word for the shell. */
static void add_nft(struct text *fix, const struct nft_refuser *r, const char *bridge)
{
	for (const char *way = "io"; *way; way++)
		text_add(fix, "%sinsert rule %s %s %s %cifname \"%s\" accept", fix->len ? "; " : "",
			 r->family_name, r->table, r->chain, *way, *bridge ? bridge : "vpc*");
}

/* What lets pass by a condition may let tasks pass: that is not weighed, and no reason to fail. */
static void tell_refuser(struct doctor *d, const struct nft_refuser *r)
{
	enum verdict verdict = r->accepts ? DOCTOR_WARN : DOCTOR_FAIL;
	const char *unless = r->accepts ? ", unless a rule before that accepts it" : "";
	char rules[FIX_TEXT], command[2 * FIX_TEXT];
	struct text fix, nft;

	text_init(&fix, rules, sizeof(rules));
	if (!strcmp(r->table, "firewalld"))
		return; /* look_for_firewalld tells */
	if (is_iptables(r)) {
		each_way(d, r, &fix, add_iptables);
		doctor_tell(d, verdict, rules,
			    "the %s policy of FORWARD is DROP, as Docker sets it: what tasks send "
			    "through the host is dropped%s",
			    !strcmp(r->family_name, "ip6") ? "ip6tables" : "iptables", unless);
		return;
	}
	each_way(d, r, &fix, add_nft);
	text_init(&nft, command, sizeof(command));
	text_add(&nft, "nft ");
	text_add_shell(&nft, rules);
	doctor_tell(d, verdict, command, "the nftables chain \"%s %s\" %s what is forwarded%s",
		    r->table, r->chain, r->by_policy ? "drops" : "refuses", unless);
}

static void look_for_firewalld(struct doctor *d)
{
	struct err ignored;

	if (nft_has_table(&d->nft, NFT_INET, "firewalld", &ignored) == 1)
		doctor_tell(d, DOCTOR_WARN,
			    "firewall-cmd --permanent --zone=trusted --add-source=SUBNET for each "
			    "subnet (`taskvpc subnets`), then firewall-cmd --reload",
			    "firewalld runs: it refuses forwarded packets of sources in no trusted "
			    "zone");
}

/* Tables of iptables-legacy are not seen by nftables, but they drop all the same. */
static void look_for_legacy(struct doctor *d)
{
	char names[256];

	if (io_read_text("/proc/net/ip_tables_names", names, sizeof(names)) == 0 && *names)
		doctor_tell(d, DOCTOR_WARN,
			    "iptables-legacy -S FORWARD tells; use iptables-nft for both",
			    "iptables-legacy is in use besides nftables: a policy of DROP there is "
			    "not looked at");
}

/* Whoever may drop is no fault yet: what its conditions mean may be nothing of the tasks'. */
static void tell_doubt(struct doctor *d, enum verdict verdict, const struct nft_refuser *r,
		       const char *what)
{
	char fix[4 * NFT_NAME_SIZE];
	struct text t;

	if (!strcmp(r->table, "firewalld"))
		return;
	text_init(&t, fix, sizeof(fix));
	text_add(&t, "nft list chain %s ", r->family_name);
	text_add_shell(&t, r->table);
	text_add(&t, " ");
	text_add_shell(&t, r->chain);
	doctor_tell(d, verdict, fix, "the nftables chain \"%s %s\" %s what %s%s", r->table,
		    r->chain, r->rest ? "drops" : "may drop", what,
		    !r->accepts ? ""
		    : r->rest   ? " unless one of its rules accepts it"
				: ", by rules with conditions");
}

static int find_refusers(struct doctor *d, enum nft_hook hook, struct nft_refuser *ret)
{
	struct nft_crossing at = { .hook = hook, .own_table = TASKVPC_TABLE, .some = true };
	struct err e;
	int n = nft_refusers(&d->nft, &at, ret, NFT_REFUSERS_MAX, &e);

	if (n < 0)
		doctor_tell(d, DOCTOR_FAIL, "a kernel with nf_tables",
			    "nftables does not answer: %s", e.msg);
	return n;
}

/* Before and behind the hook forward a rule with conditions is too common to be worth a word. */
static void look_around(struct doctor *d, enum nft_hook hook, const char *what)
{
	struct nft_refuser refusers[NFT_REFUSERS_MAX];
	int n = find_refusers(d, hook, refusers);

	for (int i = 0; i < n; i++)
		if (refusers[i].rest || !refusers[i].accepts)
			tell_doubt(d, refusers[i].accepts ? DOCTOR_WARN : DOCTOR_FAIL, &refusers[i],
				   what);
}

void doctor_firewall(struct doctor *d)
{
	struct nft_refuser refusers[NFT_REFUSERS_MAX];
	int n = find_refusers(d, NFT_FORWARD, refusers);

	for (int i = 0; i < n; i++)
		if (refusers[i].rest)
			tell_refuser(d, &refusers[i]);
		else
			tell_doubt(d, DOCTOR_WARN, &refusers[i], "is forwarded");
	if (n >= 0) {
		look_around(d, NFT_PREROUTING, "comes in");
		look_around(d, NFT_POSTROUTING, "goes out");
	}
	look_for_firewalld(d);
	look_for_legacy(d);
}
