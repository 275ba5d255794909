/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with the host: its kernel, its forwarding, its rp_filter. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "doctor.h"
#include "kernel/link.h"
#include "kernel/nft.h"
#include "kernel/qdisc.h"
#include "kernel/route.h"
#include "mode/ruleset.h"

/* ---- the kernel, by trying ---- */

struct trial {
	struct netns ns;
	struct netlink nl;
	struct batch *b;
};

static const struct link_end end_a = { .name = "trial0", .ifindex = 100 };
static const struct link_end end_b = { .name = "trial1", .ifindex = 101 };
static const struct link_end end_d = { .name = "trial4", .ifindex = 104 };
static const struct link_end end_c = { .name = "trial2", .ifindex = 102 };

static void try_veth(struct trial *t)
{
	link_add_veth(t->b, &end_a, &end_b, &t->ns, 1500);
}

static void try_bridge(struct trial *t)
{
	link_add_bridge(t->b, &end_c, 1500, TOLERATE_NOTHING);
}

static void try_macvlan(struct trial *t)
{
	const struct link_end end = { .name = "trial3", .ifindex = 103 };
	const struct link_macvlan of = { .master_ifindex = end_a.ifindex,
					 .mode = link_macvlan_mode(0) };

	link_add_macvlan(t->b, &end, &of, NULL, TOLERATE_NOTHING);
}

static void try_ifb(struct trial *t)
{
	link_add_ifb(t->b, &end_d);
}

static void try_ingress(struct trial *t)
{
	qdisc_add_ingress(t->b, end_a.ifindex);
}

static void try_redirect(struct trial *t)
{
	redirect_add(t->b, end_a.ifindex, end_d.ifindex);
}

static void try_tbf(struct trial *t)
{
	qdisc_add_tbf(t->b, end_a.ifindex, 1000000, 100000);
}

static void try_links(struct doctor *d, struct trial *t)
{
	static const struct {
		const char *name, *module, *option, *needed_by;
		void (*build)(struct trial *t);
		enum verdict verdict;
		unsigned upon; /* bits of rows before that must have gone well */
	} rows[] = {
		{ "veth", "veth", "VETH", "awsvpc and bridge", try_veth, DOCTOR_FAIL, 0 },
		{ "bridge", "bridge", "BRIDGE", "bridge", try_bridge, DOCTOR_WARN, 0 },
		{ "macvlan", "macvlan", "MACVLAN", "awsvpc with attach: macvlan", try_macvlan,
		  DOCTOR_WARN, 1 << 0 },
		{ "token bucket", "sch_tbf", "NET_SCH_TBF", "bandwidth limits", try_tbf,
		  DOCTOR_WARN, 1 << 0 },
		{ "intermediate device", "ifb", "IFB", "bandwidth limits of what a task sends",
		  try_ifb, DOCTOR_WARN, 0 },
		{ "ingress hook", "sch_ingress", "NET_SCH_INGRESS",
		  "bandwidth limits of what a task sends, and hostRouting: bpf", try_ingress,
		  DOCTOR_WARN, 1 << 0 },
		{ "redirection", "-a cls_u32 act_mirred", "NET_CLS_U32 and CONFIG_NET_ACT_MIRRED",
		  "bandwidth limits of what a task sends", try_redirect, DOCTOR_WARN,
		  1 << 0 | 1 << 4 | 1 << 5 },
	};
	unsigned went_well = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct batch_failure failure;
		struct err e;
		char fix[128];

		if ((rows[i].upon & went_well) != rows[i].upon)
			continue; /* it would fail for want of that, and be told as missing itself
				   */
		batch_reset(t->b);
		rows[i].build(t);
		if (batch_send(t->b, &t->nl, &failure, &e) == 0) {
			went_well |= 1U << i;
			continue;
		}
		snprintf(fix, sizeof(fix), "modprobe %s, or use a kernel with CONFIG_%s",
			 rows[i].module, rows[i].option);
		doctor_tell(d, rows[i].verdict, fix, "no %s, needed by %s: %s", rows[i].name,
			    rows[i].needed_by, e.msg);
	}
}

static void try_rulesets(struct doctor *d)
{
	static const struct nft_ruleset *const all[] = { &ruleset_guard, &ruleset_nat,
							 &ruleset_publish, &ruleset_policy,
							 &ruleset_frames };
	const struct nft_values usual = { { 0 } };
	char buf[NFT_TEXT_MAX];
	struct text t;
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		text_init(&t, buf, sizeof(buf));
		nft_ruleset_text(all[i], &usual, &t);
		if (nft_load(buf, &e) < 0)
			doctor_tell(d, DOCTOR_FAIL, e.details,
				    "the rules of %s cannot be loaded: %s", all[i]->name, e.msg);
	}
}

void doctor_kernel(struct doctor *d)
{
	struct trial t = { .ns = NETNS_NONE, .nl = NETLINK_CLOSED };
	cleanup_free struct batch *b = t.b = calloc(1, sizeof(*b));
	struct err e;
	int r = b ? netns_new(&d->host, &t.ns, &e)
		  : err_sys(&e, ERR_IO, ENOMEM, "cannot try the kernel");

	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &t.ns, &d->host, &t.nl, &e);
	if (r == 0) {
		try_links(d, &t);
		r = netns_enter(&t.ns, &e);
	}
	if (r == 0) {
		try_rulesets(d);
		r = netns_enter(&d->host, &e);
	}
	if (r < 0)
		doctor_tell(d, DOCTOR_FAIL, e.details, "%s", e.msg);
	netlink_close(&t.nl);
	netns_close(&t.ns);
}

/* ---- forwarding ---- */

static bool is_routed(const json *row)
{
	const char *mode = live_text(row, "mode");

	return !strcmp(mode, "awsvpc-veth") || !strcmp(mode, "bridge");
}

/* Does a task that lives need the host to forward this family? */
static bool needs_forwarding(const struct doctor *d, bool v6)
{
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row)))
		for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a))
			if (is_routed(row) && (strchr(live_text(a, "address"), ':') != NULL) == v6)
				return true;
	return false;
}

/* Turned on, it makes an uplink that takes router advertisements with accept_ra 1 ignore them. */
static void add_advertised(struct doctor *d, struct text *fix)
{
	struct route_uplink uplink = { .ifindex = 0 };
	struct err ignored;
	char path[64];

	if (route_uplink_find(&d->route, AF_INET6, &uplink, &ignored) < 0 || !uplink.ifindex)
		return;
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", uplink.name);
	if (doctor_sysctl(path, 0) == 1)
		text_add(fix, "sysctl -w %s=2; ", path);
}

static void tell_unforwarded(struct doctor *d, bool v6)
{
	char commands[200];
	struct text fix;

	text_init(&fix, commands, sizeof(commands));
	if (v6)
		add_advertised(d, &fix);
	text_add(&fix, "sysctl -w net.%s=1", v6 ? "ipv6.conf.all.forwarding" : "ipv4.ip_forward");
	doctor_tell(d, DOCTOR_FAIL, commands,
		    "the host does not forward %s: somebody turned it off after the tasks were "
		    "attached; they reach the host alone",
		    v6 ? "IPv6" : "IPv4");
}

/* ip_forward sets all interfaces when it changes; each may be set apart from it. */
static void look_at_interface(struct doctor *d, const char *ifname, const char *what)
{
	char path[64], fix[80];

	snprintf(path, sizeof(path), "net/ipv4/conf/%.15s/forwarding", ifname);
	if (!*ifname || doctor_sysctl(path, 1) != 0)
		return;
	snprintf(fix, sizeof(fix), "sysctl -w %s=1", path);
	doctor_tell(d, DOCTOR_FAIL, fix,
		    "the host does not forward the IPv4 packets that come in by %.15s, %s: %s is 0",
		    ifname, what, path);
}

static void look_at_interfaces(struct doctor *d)
{
	struct route_uplink uplink = { .ifindex = 0 };
	struct err ignored;

	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row))) {
		const char *bridge = live_text(row, "bridge");

		if (!is_routed(row) || (*bridge && doctor_bridge_is_again(d, row, bridge)))
			continue;
		look_at_interface(d, *bridge ? bridge : live_text(row, "hostInterface"),
				  *bridge ? "the bridge of tasks" : live_text(row, "task"));
	}
	if (route_uplink_find(&d->route, AF_INET, &uplink, &ignored) == 0 && uplink.ifindex)
		look_at_interface(d, uplink.name, "the uplink");
}

void doctor_forwarding(struct doctor *d)
{
	bool needed = needs_forwarding(d, false);

	if (needed && doctor_sysctl("net/ipv4/ip_forward", 0) == 0)
		tell_unforwarded(d, false);
	else if (needed)
		look_at_interfaces(d);
	if (needs_forwarding(d, true) && doctor_sysctl("net/ipv6/conf/all/forwarding", 0) == 0)
		tell_unforwarded(d, true);
}

/* ---- rp_filter ---- */

#define STRICT 1

/* What counts is the larger of the interface's own value and that of all. */
static bool is_strict(const char *ifname)
{
	char path[64];
	long all = doctor_sysctl("net/ipv4/conf/all/rp_filter", 0), own;

	snprintf(path, sizeof(path), "net/ipv4/conf/%.15s/rp_filter", ifname);
	own = doctor_sysctl(path, 0);
	return (own > all ? own : all) == STRICT;
}

/* Several interfaces in one task: what comes in by another than the default route's is dropped. */
static void look_into_task(struct doctor *d, const json *row)
{
	const char *path = live_text(row, "netns"), *ifname = live_text(row, "interface");
	struct netns ns = NETNS_NONE;
	struct err e;
	char fix[256];
	bool strict = false;

	if (netns_open(path, &d->host, &ns, &e) < 0)
		return;
	if (netns_enter(&ns, &e) == 0) {
		strict = is_strict(ifname);
		if (netns_enter(&d->host, &e) < 0)
			abort(); /* nothing that follows would be about the host */
	}
	netns_close(&ns);
	if (!strict)
		return;
	snprintf(fix, sizeof(fix), "nsenter --net=%.128s sysctl -w net.ipv4.conf.all.rp_filter=2",
		 path);
	doctor_tell(
		d, DOCTOR_WARN, fix,
		"%.63s: rp_filter is strict for %.15s, one of several interfaces: what comes in "
		"by it from afar is dropped",
		live_short(row), ifname);
}

static unsigned default_routes(void)
{
	cleanup_free char *text = malloc(65536);
	FILE *f = fopen("/proc/net/route", "re");
	unsigned n = 0;
	char ifname[16], dst[9];

	while (f && text && fgets(text, 65536, f))
		n += sscanf(text, "%15s %8s", ifname, dst) == 2 && !strcmp(dst, "00000000");
	if (f)
		fclose(f);
	return n;
}

void doctor_rp_filter(struct doctor *d)
{
	unsigned defaults = default_routes();

	if (defaults > 1 && doctor_sysctl("net/ipv4/conf/all/rp_filter", 0) == STRICT)
		doctor_tell(d, DOCTOR_WARN, "sysctl -w net.ipv4.conf.all.rp_filter=2",
			    "rp_filter is strict and the host has %u default routes: answers to "
			    "tasks that come in by another than the best are dropped",
			    defaults);
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row)))
		if (*live_text(row, "eni") && strcmp(live_text(row, "interface"), "eth0") != 0)
			look_into_task(d, row);
}
