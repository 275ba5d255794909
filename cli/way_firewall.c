/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of others on a packet's way: at each hook that it comes to, in each namespace, all chains
 * must let it pass. One that drops everything is its end. What one with conditions says of this
 * very packet is not weighed: it may be its end, and so the whole is unsure.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "mode/ruleset.h"
#include "way.h"

/* What is shown of a chain: "inet mine out". */
struct shown {
	char name[200];
	bool plain; /* all of it, and a shell takes it for nothing else */
};

/* A task may have made the table, and given it a name that is a command. */
static struct shown shown_name(const struct nft_refuser *r)
{
	int len;
	struct shown s;

	len = snprintf(s.name, sizeof(s.name), "%s %s %s", r->family_name, r->table, r->chain);
	s.plain = len > 0 && (size_t)len < sizeof(s.name);
	for (char *c = s.name; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr(" _.-/", *c))
			continue;
		*c = '?';
		s.plain = false;
	}
	return s;
}

static const char *what_is(enum nft_hook hook)
{
	static const char *const words[] = {
		[NFT_PREROUTING] = "comes in",  [NFT_INPUT] = "is for this namespace itself",
		[NFT_FORWARD] = "is forwarded", [NFT_OUTPUT] = "is sent from here",
		[NFT_POSTROUTING] = "goes out", [NFT_INGRESS] = "comes in by",
		[NFT_EGRESS] = "goes out by",
	};

	return words[hook];
}

static json *tell(struct way *w, const struct nft_crossing *at, const struct nft_refuser *r,
		  const struct shown *s)
{
	return way_tell(w, "firewall", "the chain %s %s what %s%s%s%s", s->name,
			r->rest || !r->accepts ? "drops" : "may drop", what_is(at->hook),
			at->dev ? " " : "", at->dev ? at->dev : "",
			!r->accepts ? ""
			: r->rest   ? ", unless one of its rules accepts it"
				    : ", by rules with conditions");
}

/* Where neighbours are asked for, their questions must pass as well. */
static bool asks_neighbours(const struct way *w, const struct nft_crossing *at)
{
	return at->dev || at->family == NFT_BRIDGE ||
	       (w->p.dst.family == AF_INET6 && at->hook != NFT_FORWARD);
}

/* The commands that let these two speak with each other: all of them, or none. */
static void let_through(const struct way *w, const struct nft_crossing *at, const struct shown *s,
			char *ret, size_t size)
{
	bool v6 = w->p.dst.family == AF_INET6;
	const char *ip = v6 ? "ip6" : "ip", *run = w->at->run;
	char src[IP_TEXT], dst[IP_TEXT];
	struct text t;

	text_init(&t, ret, size);
	ip_text(&w->p.src, src);
	ip_text(&w->p.dst, dst);
	text_add(&t, "%snft insert rule %s %s saddr %s %s daddr %s accept; ", run, s->name, ip, src,
		 ip, dst);
	text_add(&t, "%snft insert rule %s %s saddr %s %s daddr %s accept", run, s->name, ip, dst,
		 ip, src);
	if (asks_neighbours(w, at))
		text_add(&t, "; %snft insert rule %s %s accept", run, s->name,
			 v6 ? "icmpv6 type '{ nd-neighbor-solicit, nd-neighbor-advert }'"
			    : "ether type arp");
	if (t.overflow)
		*ret = '\0';
}

static void told(struct way *w, const struct nft_crossing *at, const struct nft_refuser *r)
{
	struct shown s = shown_name(r);
	json *hop = tell(w, at, r, &s);
	char commands[800] = "", fix[sizeof(w->fix)] = "", list[400];

	snprintf(list, sizeof(list), "%snft list chain %s", w->at->run, s.name);
	if (s.plain) {
		way_command(hop, "%s", list);
		let_through(w, at, &s, commands, sizeof(commands));
	}
	way_why(hop, "All chains at a hook must accept a packet: no rule of ours can outvote one "
		     "of others.");
	if (!r->accepts) {
		way_ends(w, hop, FATE_DIES, "%s", commands);
		return;
	}
	if (*commands)
		snprintf(fix, sizeof(fix), "see what it drops: %s; to let these two through: %s",
			 list, commands);
	way_doubts(w, hop, fix);
}

static int filter(struct way *w, const struct nft_crossing *at, struct err *e)
{
	struct nft_refuser refusers[NFT_REFUSERS_MAX];
	int n = nft_refusers(&w->at->nft, at, refusers, ARRAY_SIZE(refusers), e);

	for (int i = 0; i < n && !w->fate; i++)
		told(w, at, &refusers[i]);
	return n < 0 ? n : 0;
}

int way_filter(struct way *w, enum nft_hook hook, struct err *e)
{
	struct nft_crossing at = {
		.hook = hook, .ip = w->p.dst.family, .own_table = TASKVPC_TABLE, .some = true
	};

	return filter(w, &at, e);
}

int way_filter_frames(struct way *w, enum nft_hook hook, struct err *e)
{
	struct nft_crossing at = {
		.hook = hook, .family = NFT_BRIDGE, .own_table = TASKVPC_TABLE, .some = true
	};

	return filter(w, &at, e);
}

int way_filter_device(struct way *w, enum nft_hook hook, const char *dev, struct err *e)
{
	struct nft_crossing at = { .hook = hook,
				   .ip = w->p.dst.family,
				   .dev = dev,
				   .own_table = TASKVPC_TABLE,
				   .some = true };

	return filter(w, &at, e);
}
