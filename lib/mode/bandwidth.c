/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shaping. The host can delay what it sends, so "towards the task" is a token bucket on the host
 * end. What the task sends arrives there and could only be dropped: it takes the way through an
 * ifb.
 */
#include "mode/bandwidth.h"

#include "base/cleanup.h"
#include "kernel/qdisc.h"

#include <errno.h>
#include <inttypes.h>

/*
 * Tasks have indexes below 2^30 (grant.boot_base + id), or, by a store that an earlier version
 * made, 2^22 above: with this offset the ifb's lie above them and still below 2^31.
 */
#define IFB_INDEX_OFFSET 0x3fc00000U
#define IFB_MAC_FIRST    0x0a /* the host end's MAC, but for the first octet */
#define FRAME_HEADER     18U  /* Ethernet with a VLAN tag */

struct limit {
	uint64_t rate, burst;
	const char *name; /* "ingress", "egress" */
};

/* Return: what is wrong with it, NULL: nothing; *ret_key: "Rate" or "Burst". */
static const char *wrong(const struct limit *l, const char **ret_key)
{
	*ret_key = l->rate ? "Rate" : "Burst";
	if (!l->rate != !l->burst)
		return l->rate ? "needs a burst too" : "needs a rate too";
	if (l->rate && l->rate < 8)
		return "is less than a byte per second";
	if (qdisc_tbf_limit(l->rate, 0) > UINT32_MAX)
		return "is more than the kernel can limit to";
	*ret_key = "Burst";
	if (l->burst && l->burst < 8)
		return "is less than a byte";
	if (l->burst / 8 >= UINT32_MAX || qdisc_tbf_limit(l->rate, l->burst) > UINT32_MAX)
		return "is more than the kernel can hold";
	return NULL;
}

static int judge_limit(const struct limit *l, const char *where, struct err *e)
{
	const char *key, *why = wrong(l, &key);

	if (!why)
		return 0;
	err_set(e, ERR_CONFIG, 0, "%s.%s%s: %" PRIu64 " %s", where, l->name, key,
		*key == 'R' ? l->rate : l->burst, why);
	err_hint(e,
		 "%sRate is in bits per second, %sBurst in bits, and one needs the other; the "
		 "burst and what flows in %d ms must stay below 4 GiB together",
		 l->name, l->name, QDISC_LATENCY_MS);
	return -EINVAL;
}

int bandwidth_judge(const struct bandwidth *b, const char *where, struct err *e)
{
	const struct limit limits[] = {
		{ b->ingress_rate, b->ingress_burst, "ingress" },
		{ b->egress_rate, b->egress_burst, "egress" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits) && r == 0; i++)
		r = judge_limit(&limits[i], where, e);
	return r;
}

static void plan_limit(struct plan *p, int with, const struct ifref *dev, uint64_t rate,
		       uint64_t burst)
{
	uint64_t frame = (uint64_t)(p->a->mtu + FRAME_HEADER) * 8;

	plan_tbf(p, with, dev, rate, burst < frame ? frame : burst);
}

void plan_bandwidth(struct plan *p, int veth, const struct ifref *host_dev)
{
	const struct bandwidth *b = &p->a->bandwidth;
	const struct link_settings up = { .up = true, .no_link_local = true };
	struct link_end end = { .name = p->a->ifb_ifname,
				.ifindex = p->a->ifindex + IFB_INDEX_OFFSET,
				.mac = p->a->host_mac };
	const struct ifref ifb = { end.name, end.ifindex };
	int with;

	if (b->ingress_rate)
		plan_limit(p, veth, host_dev, b->ingress_rate, b->ingress_burst);
	if (!b->egress_rate)
		return;
	end.mac.b[0] = IFB_MAC_FIRST;
	with = plan_ifb(p, &end);
	plan_link(p, with, HOST, &ifb, &up);
	plan_limit(p, with, &ifb, b->egress_rate, b->egress_burst);
	plan_ingress(p, veth, host_dev);
	plan_redirect(p, veth, host_dev, &ifb);
}
