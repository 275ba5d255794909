/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that decide about a packet in the host. Ours are constant (lib/mode/ruleset.c), so what
 * they say of one packet is what their sets hold: the kernel is asked for the very element. Rules
 * of others are in cli/way_firewall.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mode/ruleset.h"
#include "mode/second_line.h"
#include "portmap.h"
#include "way.h"

static bool is_v6(const struct way *w)
{
	return w->p.dst.family == AF_INET6;
}

/* Are the rules there that read these sets? */
static int stands(struct way *w, const struct nft_ruleset *rules, struct err *e)
{
	cleanup_free struct batch *b = malloc(sizeof(*b));
	int r = b ? nft_ruleset_intact(&w->host->nft, b, rules, NULL, e)
		  : err_sys(e, ERR_IO, ENOMEM, "cannot ask for the rules");

	return r < 0 ? r : r == 0;
}

/* Return: 1 if the set has it, 0 if not, or a negative errno. */
static int has(struct way *w, const struct nft_element *el, struct err *e)
{
	int r = nft_element_find(&w->host->nft, TASKVPC_TABLE, el, e);

	return r < 0 ? r : r == 0;
}

static void command(json *hop, const char *verb, const struct nft_element *el)
{
	char buf[256];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	nft_element_print(verb, TASKVPC_TABLE, el, &t);
	way_command(hop, "%s", buf);
}

/* ---- the second line ---- */

uint32_t way_our_mark(struct way *w)
{
	struct nft_element task = { .set = "tasks", .key = { atom_iface(w->iif) }, .n_key = 1 };
	struct nft_element home = { .set = is_v6(w) ? "home6" : "home4",
				    .key = { atom_ip(&w->p.dst) },
				    .n_key = 1 };
	uint32_t mark = 0;
	struct err ignored;

	if (w->at->path || !w->iif ||
	    (has(w, &task, &ignored) != 1 && has(w, &home, &ignored) != 1))
		return 0;
	for (unsigned bit = 0; bit < 32; bit++)
		if (stands(w, second_line_ruleset(1U << bit), &ignored) == 1)
			mark |= 1U << bit;
	return mark;
}

/* ---- the guard ---- */

static struct nft_element own_element(const struct way *w)
{
	return (struct nft_element){
		.set = is_v6(w) ? "own6" : "own4",
		.key = { atom_iface(w->iif), atom_mac(&w->p.mac), atom_ip(&w->p.src) },
		.n_key = 3,
	};
}

/* The address is that of another interface of the same task. Return: is it told? */
static bool told_other_interface(struct way *w, const json *owner, json *hop)
{
	const char *gw = "", *dev = live_text(owner, "interface");
	char src[IP_TEXT], ip[LIVE_IP_TEXT];
	struct link_info in, link;
	struct place *place;
	struct err ignored;
	struct cidr c;

	if (!owner || link_by_index(&w->at->route, w->iif, &in, &ignored) != 0 ||
	    !strcmp(live_text(owner, "hostInterface"), in.name) ||
	    way_place(w, owner, &place, &ignored) < 0 ||
	    link_by_name(&place->route, dev, &link, &ignored) != 0)
		return false;
	for (const json *a = json_first(json_get(owner, "addresses")); a; a = json_next(a))
		if (cidr_parse(live_text(a, "address"), &c) && ip_equal(&c.ip, &w->p.src))
			gw = live_text(a, "gateway");
	ip_text(&w->p.src, src);
	live_ip(owner, ip);
	way_why(hop,
		"A task with several interfaces sends by its routes, whatever address it sends "
		"from; each address is good at its own interface alone.");
	way_ends(w, hop, FATE_DIES,
		 "%s%s rule add from %s lookup %u; %s%s route replace default via %s dev %s onlink "
		 "table %u",
		 ip, is_v6(w) ? " -6" : "", src, link.ifindex, ip, is_v6(w) ? " -6" : "", gw, dev,
		 link.ifindex);
	snprintf(w->reason, sizeof(w->reason), "%s is the address of %s, but it is sent by %s", src,
		 dev, in.name);
	return true;
}

static void told_forged(struct way *w, const struct nft_element *own)
{
	const json *owner = way_owner(w, &w->p.src);
	char src[IP_TEXT], mac[MAC_TEXT], add[256] = "";
	struct place *place;
	struct mac given;
	struct err ignored;
	struct text t;
	json *hop = way_tell(w, "guard", "%s from %s is not what the task may send from",
			     ip_text(&w->p.src, src), mac_text(&w->p.mac, mac));

	command(hop, "get", own);
	if (told_other_interface(w, owner, hop))
		return;
	way_why(hop, "A task sends from its own address and MAC; all else is taken for forged and "
		     "dropped.");
	text_init(&t, add, sizeof(add));
	if (owner && mac_parse(live_text(owner, "mac"), &given) && !mac_equal(&given, &w->p.mac) &&
	    way_place(w, owner, &place, &ignored) == 0)
		text_add(&t, "%s link set dev %s address %s", place->ip,
			 live_text(owner, "interface"), live_text(owner, "mac"));
	else if (owner) /* what it sends is its own, and the element is missing */
		nft_element_print("add", TASKVPC_TABLE, own, &t);
	way_ends(w, hop, FATE_DIES, "%s", add);
}

static int check_metadata(struct way *w, struct err *e)
{
	struct nft_element el = { .set = "no_imds", .key = { atom_iface(w->iif) }, .n_key = 1 };
	struct ip imds;
	json *hop;
	int r;

	ip_parse(is_v6(w) ? "fd00:ec2::254" : "169.254.169.254", &imds);
	r = ip_equal(&imds, &w->p.dst) ? has(w, &el, e) : 0;
	if (r <= 0)
		return r;
	hop = way_tell(w, "guard", "instance metadata is not for this task");
	command(hop, "get", &el);
	way_ends(w, hop, FATE_DIES, "give the network \"blockInstanceMetadata\": false");
	return 0;
}

/* The address of a veth task comes from the task's own interface alone. */
static int check_home(struct way *w, struct err *e)
{
	struct nft_element home = { .set = is_v6(w) ? "home6" : "home4",
				    .key = { atom_ip(&w->p.src) },
				    .n_key = 1 };
	char ip[IP_TEXT];
	json *hop;
	int r = w->iif == LOOPBACK_INDEX ? 0 : has(w, &home, e);

	if (r <= 0)
		return r;
	hop = way_tell(w, "guard", "%s is the address of a task, and comes from elsewhere",
		       ip_text(&w->p.src, ip));
	command(hop, "get", &home);
	way_why(hop, "The address of an awsvpc task enters by the task's own interface only.");
	way_ends(w, hop, FATE_DIES, "send from an address of the sender's own");
	return 0;
}

int way_guard(struct way *w, struct err *e)
{
	struct nft_element own = own_element(w);
	struct nft_element tasks = { .set = "tasks", .key = { atom_iface(w->iif) }, .n_key = 1 };
	json *hop;
	int r = stands(w, &ruleset_guard, e);

	if (r <= 0)
		return r;
	r = has(w, &own, e);
	if (r == 1) {
		hop = way_tell(w, "guard",
			       "interface, MAC and address together are the task's own");
		command(hop, "get", &own);
		way_why(hop, "The first rule that a task's packet meets: so no task can pass for "
			     "another.");
		return check_metadata(w, e);
	}
	if (r == 0)
		r = has(w, &tasks, e);
	if (r == 1)
		told_forged(w, &own);
	else if (r == 0)
		return check_home(w, e);
	return r < 0 ? r : 0;
}

int way_frames(struct way *w, const struct link_info *port, struct err *e)
{
	struct nft_element el = { .set = "ports",
				  .family = NFT_BRIDGE,
				  .key = { atom_iface(port->ifindex) },
				  .n_key = 1 };
	char mac[MAC_TEXT], add[256];
	struct text t;
	json *hop;
	int r = stands(w, &ruleset_frames, e);

	if (r == 1)
		r = has(w, &el, e);
	if (r <= 0)
		return r;
	el.set = "own";
	el.key[el.n_key++] = atom_mac(&w->p.mac);
	r = has(w, &el, e);
	if (r < 0)
		return r;
	w->at = w->host;
	hop = way_tell(w, "guard",
		       r ? "%s is the MAC address of this port" : "%s may not be sent at this port",
		       mac_text(&w->p.mac, mac));
	command(hop, "get", &el);
	way_why(hop,
		"macspoofchk: a bridge port takes frames of its task's own MAC address alone.");
	text_init(&t, add, sizeof(add));
	nft_element_print("add", TASKVPC_TABLE, &el, &t);
	if (!r)
		way_ends(w, hop, FATE_DIES, "%s", add);
	return 0;
}

struct question {
	const char *sets[2]; /* IPv4, IPv6 */
	bool src, dst;       /* what the key is made of */
};

static int asks(struct way *w, const struct question *q, struct nft_element *el, struct err *e)
{
	*el = (struct nft_element){ .set = q->sets[is_v6(w)] };
	if (q->src)
		el->key[el->n_key++] = atom_ip(&w->p.src);
	if (q->dst)
		el->key[el->n_key++] = atom_ip(&w->p.dst);
	return has(w, el, e);
}

/* ---- published ports ---- */

static void translate(struct way *w, struct nft_element *el)
{
	char ip[IP_TEXT];
	json *hop = way_tell(w, "publish", "port %u leads to %s port %u", w->p.port,
			     ip_text(&el->data[0].net.ip, ip), el->data[1].number);

	el->n_data = 0; /* what is asked for has none */
	command(hop, "get", el);
	way_why(hop,
		"The destination is replaced; connection tracking puts it back into the answer.");
	w->nat.to = el->data[0].net.ip;
	w->nat.server = w->p.dst;
	w->nat.port = w->p.port;
	w->p.dst = w->nat.to;
	w->p.port = el->data[1].number;
}

/* Return: 1 if the packet is for the host itself (fib daddr type local), 0, or a negative errno. */
static int is_local(struct way *w, struct err *e)
{
	struct route_way way;
	int why, r = route_way_find(&w->host->route, &(struct route_ask){ .dst = w->p.dst }, &way,
				    &why, e);

	return r < 0 ? r : r == 0 && way.local;
}

/* Has a task the port by its record, so that the map should have it? */
static const json *recorded(const struct way *w)
{
	struct portmap_want want = { .ip = w->p.dst, .protocol = w->p.protocol, .port = w->p.port };

	for (const json *row = json_first(w->rows); row; row = json_next(row))
		if (portmap_is_recorded(row, &want))
			return row;
	return NULL;
}

/* A program that listens there, as nerdctl keeps one for each port, takes what the map does not. */
static int check_unpublished(struct way *w, struct err *e)
{
	const json *row = recorded(w);
	bool listens;
	json *hop;
	int r;

	if (!row)
		return 0;
	r = way_listens(w, e);
	if (r < 0)
		return r;
	listens = r == 1;
	hop = way_tell(
		w, "publish",
		"port %u leads to task %s by its record, but its rule in the host's table is "
		"missing%s",
		w->p.port, live_text(row, "task"),
		listens ? "; a program of the host that listens there takes the packet" : "");
	way_command(hop, "nft list table inet " TASKVPC_TABLE);
	way_why(hop, "Somebody flushed the rules after the task was attached.");
	way_ends(w, hop, listens ? FATE_DIES : FATE_REFUSED, "taskvpc gc");
	return 0;
}

int way_publish(struct way *w, struct err *e)
{
	static const struct question routers = { { "no_publish4", "no_publish6" }, .dst = true };
	struct nft_element router;
	int r = w->p.port && !w->answer ? is_local(w, e) : 0;

	if (r <= 0)
		return r;
	r = stands(w, &ruleset_publish, e);
	if (r == 0)
		return check_unpublished(w, e);
	if (r == 1)
		r = asks(w, &routers, &router, e) == 0;
	if (r <= 0)
		return r;
	for (int of_address = 1; r == 1 && of_address >= 0; of_address--) {
		struct nft_element el =
			portmap_element(&w->p.dst, of_address, w->p.protocol, w->p.port);

		r = nft_map_get(&w->host->nft, TASKVPC_TABLE, &el, e);
		if (r == 0)
			translate(w, &el);
	}
	return r < 0 ? r : r == 1 ? check_unpublished(w, e) : 0;
}

/* ---- forwarding ---- */

static int check_policy(struct way *w, uint32_t iif, uint32_t oif, struct err *e)
{
	struct nft_element in = { .set = "bridges", .key = { atom_iface(iif) }, .n_key = 1 },
			   out = in;
	struct nft_element pair = { .set = "bridge_pairs",
				    .key = { atom_iface(iif), atom_iface(oif) },
				    .n_key = 2 };
	json *hop;
	int r = stands(w, &ruleset_policy, e);

	out.key[0] = atom_iface(oif);
	if (r == 1)
		r = has(w, &in, e);
	if (r == 1)
		r = has(w, &out, e);
	if (r == 1)
		r = !has(w, &pair, e);
	if (r <= 0)
		return r;
	hop = way_tell(w, "policy", "between these bridges nothing may pass");
	command(hop, "get", &pair);
	way_why(hop, "Both networks have an ingressPolicy, and it does not name this pair.");
	way_ends(w, hop, FATE_DIES, "give one of the networks \"ingressPolicy\": \"open\"");
	return 0;
}

int way_forward(struct way *w, uint32_t iif, uint32_t oif, struct err *e)
{
	int r = check_policy(w, iif, oif, e);

	return way_stops(w, r) ? r : way_filter(w, NFT_FORWARD, e);
}

/* ---- what goes out ---- */

/* The address of the interface that the kernel takes: of @next's subnet, else the first. */
bool way_masquerade_address(struct way *w, uint32_t oif, const struct ip *next, struct ip *ret)
{
	struct addr_info list[64];
	struct err ignored;
	unsigned n = 0;

	addr_lasting(&w->host->route, oif, list, ARRAY_SIZE(list), &n, &ignored);
	ret->family = 0;
	for (unsigned i = 0; i < n; i++) {
		if (list[i].cidr.ip.family != w->p.dst.family)
			continue;
		if (!ret->family || cidr_contains(&list[i].cidr, next))
			*ret = list[i].cidr.ip;
		if (cidr_contains(&list[i].cidr, next))
			return true;
	}
	return ret->family != 0;
}

/* egress: what leaves the VPC. Return: 1 if it is masqueraded, 0, or a negative errno. */
static int leaves_vpc(struct way *w, struct nft_element *el, struct err *e)
{
	static const struct question masq = { { "masq4", "masq6" }, .src = true };
	static const struct question vpc = { { "vpc4", "vpc6" }, .src = true, .dst = true };
	struct nft_element within;
	int r = ip_is_multicast(&w->p.dst) ? 0 : stands(w, &ruleset_nat, e);

	if (r == 1)
		r = asks(w, &masq, el, e);
	if (r == 1)
		r = asks(w, &vpc, &within, e) == 0;
	return r;
}

/* hairpin_out: what was redirected, and would be answered past the host. */
static int must_return(struct way *w, struct nft_element *el, struct err *e)
{
	static const struct question never = { { "no_snat4", "no_snat6" }, .dst = true };
	static const struct question always = { { "masq_all4", "masq_all6" }, .dst = true };
	static const struct question within = { { "hairpin4", "hairpin6" },
						.src = true,
						.dst = true };
	int r = w->nat.to.family ? stands(w, &ruleset_nat, e) : 0;

	if (r == 1)
		r = asks(w, &never, el, e) == 0;
	if (r <= 0)
		return r;
	r = asks(w, &always, el, e);
	if (r == 0)
		r = asks(w, &within, el, e);
	return r == 0 ? !is_v6(w) && ip_is_loopback(&w->p.src) : r;
}

int way_masquerade(struct way *w, uint32_t oif, const struct ip *next, struct err *e)
{
	struct nft_element el = { .n_key = 0 };
	char was[IP_TEXT], now[IP_TEXT];
	struct ip as;
	json *hop;
	int r;

	if (w->answer)
		return 0;
	r = must_return(w, &el, e);
	if (r == 0)
		r = leaves_vpc(w, &el, e);
	if (r <= 0 || !way_masquerade_address(w, oif, next, &as))
		return r < 0 ? r : 0;
	hop = way_tell(w, "masquerade", "the source %s becomes %s", ip_text(&w->p.src, was),
		       ip_text(&as, now));
	if (el.n_key)
		command(hop, "get", &el);
	way_why(hop, w->nat.to.family
			     ? "So that the answer comes back by the host, which must translate it."
			     : "The outside knows no way to the task, but to the host.");
	w->nat.client = w->p.src;
	w->nat.as = w->p.src = as;
	return 0;
}

/* Does one of these blocks, or of the subnets of the task, contain it? Then it stays as it is. */
static bool is_within(const json *row, const struct ip *ip)
{
	struct cidr c;

	for (const json *block = json_first(json_get(row, "vpc")); block; block = json_next(block))
		if (json_string(block) && cidr_parse(json_string(block), &c) &&
		    cidr_contains(&c, ip))
			return true;
	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a))
		if (cidr_parse(live_text(a, "address"), &c) && cidr_contains(&c, ip))
			return true;
	return false;
}

bool way_told_unmasked(struct way *w)
{
	const json *row = way_owner(w, &w->p.src);
	char src[IP_TEXT];
	json *hop;

	if (w->answer || w->at->path || !row || !json_bool(json_get(row, "ipMasq"), false) ||
	    is_within(row, &w->p.dst))
		return false;
	hop = way_tell(w, "masquerade",
		       "the source stays %s: rules of the host's table are missing",
		       ip_text(&w->p.src, src));
	way_command(hop, "nft list table inet " TASKVPC_TABLE);
	way_why(hop, "The network of the task has ipMasq: the outside knows no way to the task.");
	way_ends(w, hop, FATE_DIES, "taskvpc gc");
	return true;
}
