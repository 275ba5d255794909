/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of one packet, followed through the namespaces of this host: at each station the kernel
 * is asked what it would do, and what it says is one hop of the report. The packet itself is never
 * sent.
 *
 *   leave ─▶ cross ─▶ arrive ─▶ (forwarded: cross ─▶ arrive …) ─▶ deliver
 *
 * cross is layer 2: links, neighbours, bridges. leave, arrive and deliver are layer 3: rules and
 * routes. Afterwards the answer goes the same way back. Private to cli/way*.c and explain.c.
 */
#ifndef CLI_WAY_H
#define CLI_WAY_H

#include "kernel/firewall.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "kernel/route.h"
#include "kernel/rule_walk.h"
#include "live.h"

/* A network namespace on the way. */
struct place {
	const json *row;       /* one of the task's; NULL: the host */
	const char *name;      /* of the task; "host" */
	const char *path;      /* of its namespace; NULL: the host's own */
	char ip[LIVE_IP_TEXT]; /* the command ip(8) there: "ip -n web" */
	char run[160]; /* what goes before any other command there: "ip netns exec web "; "" */
	struct netns ns;
	struct netlink route, nft;
	struct fw *fw; /* the rules of others there, read at the first hook; NULL: not yet */
};

#define PLACES_MAX 8

enum fate {
	FATE_NONE,    /* still on its way */
	FATE_ARRIVES, /* somebody takes it */
	FATE_LEAVES,  /* by an interface of the host, to where we cannot look */
	FATE_REFUSED, /* it arrives, but nobody listens: the kernel there says so to the sender */
	FATE_DIES,
	FATE_UNSURE, /* it would get through, but for rules of others that we do not weigh */
};

struct packet {
	struct ip src, dst;
	uint8_t protocol; /* IPPROTO_*; ICMP also stands for ICMPv6 */
	uint16_t port;    /* of the destination; 0: has none */
	struct mac mac;   /* of the sender, where it came in */
	uint32_t mark;    /* as rules have set it */
	long ttl;         /* hops that are left */
};

/* What connection tracking remembers for the answer. */
struct translation {
	struct ip client, server; /* as the first packet had them */
	uint16_t port;            /* of the server, as the first packet had it */
	struct ip as;             /* the source that took the client's place; family 0: none did */
	struct ip to; /* where the server's address leads; family 0: it was not changed */
};

struct way {
	const json *rows; /* of live_attachments */
	struct place places[PLACES_MAX];
	unsigned n_places;
	struct place *host;
	struct place *at;
	uint32_t iif;         /* the packet came in there; 0: it is sent from here */
	struct place *client; /* where the first packet began; NULL: outside */
	uint32_t oif;         /* where the route leads; 0: not known yet */
	char ttl_key[64];     /* the sysctl of w->sender that the TTL comes from */
	struct place *sender; /* where the packet began; NULL: outside */
	struct packet p;
	bool any_source;        /* the kernel chooses p.src by the route */
	struct neigh_info next; /* whom way_neighbour found last */
	struct place *asker;    /* and in whose table, of which link */
	char asker_dev[16];
	struct translation nat;
	struct fw_nat others; /* what rules of others make of it, at the last hook */
	bool answer;          /* the way back */
	json *hops;           /* of the direction that is being followed */
	enum fate fate;
	char reason[512], fix[1024]; /* of the fate */
	const json *doubt;           /* the first hop that may be the last: see way_doubts */
	bool doubt_answer;           /* it is one of the way back */
};

/* ---- ends: what the words on the command line mean ---- */

struct way_end {
	enum {
		END_TASK,
		END_HOST,
		END_OUTSIDE
	} kind;
	const json *row; /* END_TASK */
	struct ip ip;    /* family 0: not said */
};

/*
 * way_words: SRC and DST[:PORT][/PROTO]. Errors: EXIT_USAGE, EXIT_ABSENT.
 * @w: rows and the host are there; the packet's protocol and port are filled in.
 */
int way_words(struct way *w, const char *src, const char *dst, struct way_end *ret_src,
	      struct way_end *ret_dst, struct err *e);
/* way_owner: the task that has this address, NULL if none that is up does. */
const json *way_owner(const struct way *w, const struct ip *ip);

/* ---- places ---- */

int way_open(struct way *w, const json *rows, struct err *e);
void way_close(struct way *w);
/* way_place: the namespace of @row (NULL: the host), opened once. */
int way_place(struct way *w, const json *row, struct place **ret, struct err *e);
/* way_sysctl: a number in the namespace @at, or @fallback. */
long way_sysctl(struct way *w, const struct place *at, long fallback, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- the report ---- */

/* way_tell: one more hop, at w->at. @about: "route", "neighbour", "link", "rule", … */
json *way_tell(struct way *w, const char *about, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* way_command: how to ask the kernel the same. way_why: the sentence that teaches. */
void way_command(json *hop, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void way_why(json *hop, const char *why);
/* way_ends: the way ends with the hop told last. @fix: what repairs it; may be empty. */
void way_ends(struct way *w, json *hop, enum fate fate, const char *fix, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * way_doubts: the hop told last may end the way. It is followed all the same: what comes behind may
 * be certain death. If not, all is unsure.
 */
void way_doubts(struct way *w, json *hop, const char *fix);
/* way_settle: both ways are followed: what has a doubt gets through no more. */
void way_settle(struct way *w);
const char *way_fate_name(enum fate fate);

/* ---- the stations. Each: Return 0, or a negative errno; whether it goes on says w->fate ---- */

/* way_follow: until the packet's fate is known. It starts at w->at. */
int way_follow(struct way *w, struct err *e);
/* way_cross: out of w->at by the interface @oif to @next, who is on its link. */
int way_cross(struct way *w, uint32_t oif, const struct ip *next, struct err *e);
/* way_bridged: on the bridge @bridge, from the port @from (NULL: the host itself). */
int way_bridged(struct way *w, const struct link_info *bridge, const struct link_info *from,
		const struct ip *next, struct err *e);
/* way_macvlan: out of @link, a macvlan, or of the host's own card @link that has some. */
int way_macvlan(struct way *w, const struct link_info *link, const struct ip *next, struct err *e);
/* way_neighbour: which MAC does the frame go to? Into w->next. */
int way_neighbour(struct way *w, const struct link_info *link, const struct ip *next,
		  struct err *e);
/* way_told_mistaken: the neighbour entry found last leads to nobody on the link. Is it told? */
bool way_told_mistaken(struct way *w, const struct ip *next);
/* way_unanswered: at w->at nobody answers for @ip, which the task of @row (NULL: the host) should.
 */
void way_unanswered(struct way *w, const json *row, const struct ip *ip);
/* way_leaves: by @link of w->at, to where we cannot look. */
void way_leaves(struct way *w, const struct link_info *link, const struct ip *next);
/* way_to_task: to the task of @row, by its interface. */
int way_to_task(struct way *w, const json *row, const struct ip *next, struct err *e);
/* way_routes: the command that gives the host its route to the task of @row, or the task its
 * routes. */
const char *way_routes(struct way *w, const json *row, const struct ip *ip, char buf[static 400]);
/* way_answers: does who is at @at answer to ARP or neighbour discovery for @ip on @link? */
bool way_answers(struct way *w, struct place *at, const struct link_info *link,
		 const struct ip *ip);
/* way_told_silent: @at has @ip, but @link does not answer ARP for it. Return: is it told? */
bool way_told_silent(struct way *w, struct place *at, const struct link_info *link,
		     const struct ip *ip);
/* way_enter: the packet is at @place now, in by @link. */
void way_enter(struct way *w, struct place *place, const struct link_info *link);
/* way_is_up: tell of a link at @at that is down, or without carrier. Return: is all well? */
bool way_is_up(struct way *w, struct place *at, const struct link_info *link);

/* way_routed: ask for the route; tell it. @ret is filled in if the way goes on. */
int way_routed(struct way *w, struct route_way *ret, struct err *e);
/* way_refused: the kernel has refused @ask with @why (of route_way_find): tell what it means. */
void way_refused(struct way *w, const struct route_ask *ask, int why, struct err *e);
/* way_rule: rule_walk at w->at. Return: 0, 1 if nothing decides, or a negative errno. */
int way_rule(struct way *w, const struct route_ask *ask, struct rule_decision *ret);
/* way_has_address: is @ip an address of the namespace @at? */
bool way_has_address(struct place *at, const struct ip *ip);
/* way_is_usual: by a table that every namespace has. */
bool way_is_usual(const struct rule_decision *d);
/* way_told_ruled: the rule of @d is why a packet to @ip goes @where (" to eth1"). */
void way_told_ruled(struct way *w, const struct rule_decision *d, const struct ip *ip,
		    const char *where);
/* way_needed_link: the interface by which the host reaches a task, or a task the world. */
const char *way_needed_link(const struct way *w, const json *row);
/* way_told_down: that link is down, or without IPv6. Return: is it told? */
bool way_told_down(struct way *w, const json *row, struct err *e);
/* way_told_deaf: the packet came in by @in, which has IPv6 turned off. Return: is it told? */
bool way_told_deaf(struct way *w, const struct link_info *in);
/* way_told_unforwarded6: it is to be forwarded, and w->at does not. Return: is it told? */
bool way_told_unforwarded6(struct way *w, const struct link_info *in);
void way_told_not_mine(struct way *w);

/*
 * way_past_stack: does a program hand the packet, which came in at the host by w->iif, to another
 * task past the rules? Return: 1 (told), 0, or a negative errno.
 */
int way_past_stack(struct way *w, struct err *e);

/* Rules of the host, in the order of its hooks. */
/* way_our_mark: the bits that our chain at prerouting -90 sets on the packet, for routing. */
uint32_t way_our_mark(struct way *w);
int way_guard(struct way *w, struct err *e); /* prerouting raw */
/* way_listens: on the packet's destination and port, at w->at. Return: 1, 0 or a negative errno. */
int way_listens(struct way *w, struct err *e);
int way_publish(struct way *w, struct err *e); /* nat prerouting, output */
int way_forward(struct way *w, uint32_t iif, uint32_t oif, struct err *e);
int way_masquerade(struct way *w, uint32_t oif, const struct ip *next, struct err *e);
/* way_told_unmasked: it leaves as it is, though its network masquerades. Return: is it told? */
bool way_told_unmasked(struct way *w);
/* way_masquerade_address: the source that masquerading gives. Return: is there one? */
bool way_masquerade_address(struct way *w, uint32_t oif, const struct ip *next, struct ip *ret);
/* way_masquerade_others: what rules of others make of the source of what leaves the host. */
void way_masquerade_others(struct way *w, uint32_t oif, const struct ip *next);
int way_frames(struct way *w, const struct link_info *port, struct err *e); /* on a bridge port */

/*
 * Rules of others, at w->at: of what is routed, of frames on a bridge, at a device. What they
 * translate on the way in is followed; of what goes out, way_masquerade_others.
 */
int way_filter(struct way *w, enum nft_hook hook, struct err *e);
/* way_filter_early, way_filter_late: at prerouting, before and after destinations are translated.
 */
int way_filter_early(struct way *w, struct err *e);
int way_filter_late(struct way *w, struct err *e);
int way_filter_frames(struct way *w, enum nft_hook hook, struct err *e);
int way_filter_device(struct way *w, enum nft_hook hook, const char *dev, struct err *e);
/* way_stops: is there an error, or is the packet's fate known? */
static inline bool way_stops(const struct way *w, int r)
{
	return r < 0 || w->fate;
}

/* ---- the command ---- */

/* way_explain: taskvpc explain SRC DST. Return: an exit code, or a negative errno. */
int way_explain(const struct cli *c, const json *rows, const char *src, const char *dst,
		struct err *e);
void way_show(const struct cli *c, const json *doc);

#endif
