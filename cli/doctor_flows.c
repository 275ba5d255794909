/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tasks share when they use the host's address: who is near its bound of live flows or has
 * reached it, and which services of the host listen where masqueraded flows take their ports.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "doctor.h"
#include "kernel/conntrack_list.h"
#include "mode/nat.h"
#include "mode/ruleset.h"

#define WARN_PERCENT 80
#define SET_SIZE     262144 /* of task_flows_to4 and task_flows_to6 */

/* One flow of a task. */
struct flow {
	const json *row; /* the attachment */
	struct ip dst;
};

/* Whose address it is. */
struct address_owner {
	struct ip ip;
	const json *row;
};

struct census {
	struct address_owner *owners; /* sorted by address */
	size_t n_owners;
	struct flow *flows;
	size_t n, room;
};

static int compare_ip(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family - b->family;
	return memcmp(a->b, b->b, ip_size(a));
}

static int compare_owners(const void *a, const void *b)
{
	return compare_ip(&((const struct address_owner *)a)->ip, &((const struct address_owner *)b)->ip);
}

static bool add_owner(struct census *c, const json *row, const char *address)
{
	struct address_owner *more = realloc(c->owners, (c->n_owners + 1) * sizeof(*more));
	struct cidr cidr;

	if (!more)
		return false;
	c->owners = more;
	if (cidr_parse(address, &cidr))
		more[c->n_owners++] = (struct address_owner){ cidr.ip, row };
	return true;
}

static bool find_owners(const struct doctor *d, struct census *c)
{
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row)))
		for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a))
			if (!add_owner(c, row, live_text(a, "address")))
				return false;
	if (c->n_owners)
		qsort(c->owners, c->n_owners, sizeof(*c->owners), compare_owners);
	return true;
}

static const json *owner_of(const struct census *c, const struct ip *src)
{
	const struct address_owner key = { .ip = *src };
	const struct address_owner *found =
		c->n_owners ? bsearch(&key, c->owners, c->n_owners, sizeof(key), compare_owners)
			    : NULL;

	return found ? found->row : NULL;
}

static int count_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct census *c = ctx;
	const json *row = flow->ended ? NULL : owner_of(c, &flow->src);

	if (!row)
		return 0;
	if (c->n == c->room) {
		size_t room = c->room ? 2 * c->room : 4096;
		struct flow *more = realloc(c->flows, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		c->flows = more;
		c->room = room;
	}
	c->flows[c->n++] = (struct flow){ row, flow->dst };
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return compare_ip(&x->dst, &y->dst);
}

/* Are @n at WARN_PERCENT of @bound? */
static bool is_near(size_t n, unsigned bound)
{
	return n * 100 >= (size_t)bound * WARN_PERCENT;
}

static void tell_near(struct doctor *d, const json *row, size_t n, unsigned bound, const char *to,
		      const char *key)
{
	char fix[160];

	snprintf(fix, sizeof(fix),
		 "have the task end flows, or raise %s, which is one for all networks of the host",
		 key);
	doctor_tell(d, DOCTOR_WARN, fix, "%s has %zu of %u live flows%s%s (%s)", live_short(row), n,
		    bound, *to ? " to " : "", to, key);
}

static void tell_census(struct doctor *d, const struct census *c, const struct nft_values *v)
{
	size_t all = 0, same = 0;
	char to[IP_TEXT];

	for (size_t i = 0; i < c->n; i++) {
		bool next = i + 1 < c->n && c->flows[i + 1].row == c->flows[i].row;

		all++;
		same++;
		if (next && ip_equal(&c->flows[i + 1].dst, &c->flows[i].dst))
			continue;
		if (is_near(same, v->v[3]))
			tell_near(d, c->flows[i].row, same, v->v[3],
				  ip_text(&c->flows[i].dst, to), "maxFlowsPerDestination");
		same = 0;
		if (next)
			continue;
		if (is_near(all, v->v[2]))
			tell_near(d, c->flows[i].row, all, v->v[2], "", "maxFlows");
		all = 0;
	}
}

/* The key is the interface and the MAC of the task; of a bridge's, the bridge. */
static int tell_refused(void *ctx, const unsigned char *key, size_t len, uint64_t packets)
{
	struct doctor *d = ctx;
	char mac[MAC_TEXT], ifname[IF_NAMESIZE] = "?";
	uint32_t ifindex;
	struct mac of;

	if (len < sizeof(ifindex) + sizeof(of.b))
		return 0;
	memcpy(&ifindex, key, sizeof(ifindex));
	memcpy(of.b, key + sizeof(ifindex), sizeof(of.b));
	mac_text(&of, mac);
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row)))
		if (strcmp(live_text(row, "mac"), mac) == 0) {
			doctor_tell(d, DOCTOR_WARN,
				    "have the task end flows, or raise maxFlows and "
				    "maxFlowsPerDestination in all networks of the host",
				    "%s reached its bound of live flows: %llu packets of new ones "
				    "were dropped",
				    live_short(row), (unsigned long long)packets);
			return 0;
		}
	if_indextoname(ifindex, ifname);
	doctor_tell(d, DOCTOR_WARN, NULL,
		    "%s on %s sends with addresses of no task, and reached the bound of live flows: "
		    "%llu packets of new ones were dropped",
		    mac, ifname, (unsigned long long)packets);
	return 0;
}

static void look_for_full(struct doctor *d)
{
	static const char *const sets[] = { "task_flows_to4", "task_flows_to6" };
	struct err ignored;
	unsigned n;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (nft_set_count(&d->nft, &ruleset_nat, sets[i], &n, &ignored) == 0 &&
		    is_near(n, SET_SIZE))
			doctor_tell(d, DOCTOR_WARN, "lower maxFlows in all networks of the host",
				    "the set %s holds %u of %d pairs of a task and a destination: "
				    "of a pair that it has no room for, flows are counted for the "
				    "task only",
				    sets[i], n, SET_SIZE);
}

/* ---- services of the host ---- */

struct service {
	const char *path, *protocol, *state; /* what /proc/net says of one that waits for anybody */
};

/* "0100007F" or ::1: nobody outside reaches it. */
static bool is_loopback(const char *address)
{
	return strcmp(address, "00000000000000000000000001000000") == 0 ||
	       (strlen(address) == 8 && strcmp(address + 6, "7F") == 0);
}

static bool is_kept(struct doctor *d, const char *protocol, unsigned port)
{
	static const char *const sets[] = { "protected", "pub4", "pub6" };
	struct nft_element el = { .n_key = 2 };
	struct err ignored;

	if (strcmp(protocol, "udp") == 0 && port == 51820)
		return true;
	el.key[0] = atom_number(NFT_TYPE_PROTO, strcmp(protocol, "udp") == 0 ? 17 : 6);
	el.key[1] = atom_number(NFT_TYPE_PORT, port);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		el.set = sets[i];
		if (nft_element_find(&d->nft, TASKVPC_TABLE, &el, &ignored) == 0)
			return true;
	}
	return false;
}

static void look_for_services(struct doctor *d, const struct service *s,
			      const struct nft_values *v)
{
	FILE *f = fopen(s->path, "re");
	char line[512], address[33], state[3], fix[96];
	unsigned port, last = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*32[0-9A-F]:%*x %2s", address, &port,
			   state) != 3 ||
		    strcmp(state, s->state) != 0 || port < v->v[0] || port > v->v[1] ||
		    port == last || is_loopback(address) || is_kept(d, s->protocol, port))
			continue;
		last = port;
		snprintf(fix, sizeof(fix), "give a network \"protectedPorts\": [\"%u/%s\"]", port,
			 s->protocol);
		doctor_tell(d, DOCTOR_WARN, fix,
			    "the host serves %s port %u, which masqueradePortRange %u-%u has too: a "
			    "masqueraded flow may take it",
			    s->protocol, port, v->v[0], v->v[1]);
	}
	if (f)
		fclose(f);
}

void doctor_flows(struct doctor *d)
{
	static const struct service services[] = {
		{ "/proc/net/tcp", "tcp", "0A" },
		{ "/proc/net/tcp6", "tcp", "0A" },
		{ "/proc/net/udp", "udp", "07" },
		{ "/proc/net/udp6", "udp", "07" },
	};
	cleanup_free struct batch *b = malloc(sizeof(*b));
	struct census c = { .n = 0 };
	struct nft_values v;
	struct err e;
	int r = b ? nft_ruleset_values(&d->nft, b, &ruleset_nat, &v, &e)
		  : err_sys(&e, ERR_IO, ENOMEM, "cannot look at flows");

	if (r == 1) /* nothing is translated or counted */
		return;
	if (r == 0 && !find_owners(d, &c))
		r = err_sys(&e, ERR_IO, ENOMEM, "cannot look at flows");
	if (r == 0)
		r = conntrack_each(&d->nft, count_flow, &c, &e);
	if (r == 0 && c.n) {
		qsort(c.flows, c.n, sizeof(*c.flows), compare);
		tell_census(d, &c, &v);
	}
	free(c.owners);
	free(c.flows);
	if (r == 0)
		r = nft_counters(&d->nft, TASKVPC_TABLE, "refused_flows", tell_refused, d, &e);
	if (r < 0) {
		doctor_tell(d, DOCTOR_WARN, e.details, "%s", e.msg);
		return;
	}
	look_for_full(d);
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		look_for_services(d, &services[i], &v);
}
