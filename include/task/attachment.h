/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attachment: one interface of one container, and *the* record of it. The one model in the
 * middle: resolve fills it, the store keeps it (as JSON, by attachment_fields), plan() draws the
 * kernel state from it, the result is written from it.
 *
 * Everything that a plan needs is in here, so that DEL needs nothing but the key. What is not
 * needed after ADD (DNS, the name of the VPC) is not.
 */
#ifndef TASK_ATTACHMENT_H
#define TASK_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/ip.h"
#include "store/store.h"
#include "json/field.h"

/* Written, and the oldest that is read. When to raise them: "Versions" in store/store.h. */
#define ATTACHMENT_SCHEMA        2
#define ATTACHMENT_SCHEMA_OLDEST 1
#define ATTACHMENT_ROUTES        64
#define ATTACHMENT_CIDRS         8
#define ATTACHMENT_HOST_IPS      16
#define NETNS_PATH_MAX           512
#define IFNAME_TEXT              16 /* IFNAMSIZ */

struct address {
	struct cidr cidr;   /* the task's address with its subnet's prefix length */
	struct ip gateway;  /* the subnet's; family 0 = none */
	char subnet_id[64]; /* `id` of the range, may be empty */
	char az[64];
};

struct route { /* CNI 1.1 route */
	struct cidr dst;
	struct ip gw;         /* family 0: the gateway of the first address of dst's family */
	uint32_t mtu, advmss; /* 0 = not set */
	uint32_t priority;    /* 0 = not set */
	uint32_t table;       /* 0 = main */
	uint32_t scope;       /* 0 = not set; else 253 (link), 254 (host) + FIELD has_scope */
	bool has_scope;
};

struct port {
	uint32_t host_port, container_port;
	uint32_t protocol; /* IPPROTO_* */
	struct ip host_ip;
	bool joined; /* another attachment of the container had it first: serves while none does */
};

/* What is one for all that share the host's addresses. All 0: as an earlier version had it. */
struct nat {
	uint32_t first, last;     /* source ports of masqueraded flows */
	uint32_t flows, flows_to; /* live flows of a task; to one destination */
};

struct protected_port {
	uint32_t protocol, port;
};
#define ATTACHMENT_PROTECTED 8

struct bandwidth {                            /* CNI's bandwidth capability; 0: no limit */
	uint64_t ingress_rate, ingress_burst; /* towards the task: bits per second, bits */
	uint64_t egress_rate, egress_burst;   /* out of the task */
};

/*
 * What the runtime calls the container, for people: nothing else depends on it. Each may be empty.
 * CRI gives a pod's namespace and name, podman the container's name, nerdctl its host name.
 */
struct owner {
	char pod_namespace[64];
	char pod_name[254];
	char hostname[254];
};

/* Which families get a default route to their gateway, beside the routes that are named. */
enum default_routes {
	DEFAULT_IF_NO_ROUTE, /* those of which no route at all is named */
	DEFAULT_ALWAYS,      /* those of which no default route is named */
	DEFAULT_NEVER
};

enum host_routing {
	HOST_ROUTING_STACK,
	HOST_ROUTING_BPF
};

struct attachment {
	/* the key */
	char network[STORE_NAME_MAX + 1];
	char container_id[STORE_NAME_MAX + 1];
	char ifname[IFNAME_TEXT]; /* in the task */

	struct owner owner;
	char mode[32];   /* struct mode.name: who plans it */
	int64_t created; /* seconds since the epoch */
	char ipam[64];   /* type of the foreign IPAM plugin; empty = our own pool */

	/* the task's network namespace, as it was at ADD */
	char netns[NETNS_PATH_MAX];
	uint64_t netns_cookie; /* SO_NETNS_COOKIE: never reused in one boot */
	uint32_t netns_id;     /* its id in the host's namespace (RTM_NEWNSID), plus 1; 0: none */
	bool netns_created;    /* made by us, for this attachment or another: the last removes it */

	/* the links */
	char eni_id[ENI_ID_TEXT];
	char host_ifname[IFNAME_TEXT]; /* empty: there is no host end */
	uint32_t ifindex;              /* of the task's end, and of the host's: chosen by us */
	struct mac mac, host_mac;
	uint32_t mtu;

	/* addressing */
	struct address addresses[STORE_ADDRESSES];
	unsigned n_addresses;
	bool new_addresses; /* chosen by us, and nobody had them since the boot: no neighbour knows
			     * them with another MAC */
	struct route
		routes[ATTACHMENT_ROUTES]; /* of the task, gw filled in; includes the defaults */
	unsigned n_routes;
	bool source_routed; /* what its addresses send leaves by this interface */
	/* The interface that had the task's default route before this one came: what its addresses
	 * send must go on leaving by it. */
	char first_ifname[IFNAME_TEXT];
	uint32_t first_ifindex; /* 0: there is none */
	struct cidr first_cidrs[STORE_ADDRESSES];
	unsigned n_first_cidrs;
	struct ip first_gw[2]; /* v4, v6 */
	enum default_routes default_routes; /* for ADD: not kept */
	bool ipv6_off;        /* for ADD: new interfaces of the task have IPv6 off: not kept */
	bool host_is_gateway; /* for ADD: a foreign IPAM plugin need not name one: not kept */
	struct port ports[STORE_PORTS];
	unsigned n_ports;

	/* what forwards: awsvpc, bridge */
	bool counted;   /* its flows are counted, its subnet's router publishes no ports; false in
			 * records of versions that knew neither */
	struct nat nat; /* first 0: nothing is translated */
	struct protected_port protected[ATTACHMENT_PROTECTED];
	unsigned n_protected;
	char accept_ra_uplink[IFNAME_TEXT]; /* an uplink that must keep taking router
					     * advertisements although we turn forwarding on */
	bool refuse_unused; /* an address of the subnet or the VPC that no task has is unreachable
			     * on the host; false in records of versions that had no such route */
	/* awsvpc */
	struct cidr vpc[ATTACHMENT_CIDRS]; /* CIDR blocks of the VPC: not masqueraded between */
	unsigned n_vpc;
	uint32_t store_mark; /* the store marker; 0: none, as in records of versions that had none */
	uint32_t guard_mark; /* the bit of the second line; 0: none, as in records of versions that
			      * had no second line */
	bool masquerade;
	bool block_imds;
	uint32_t host_routing; /* index into host_routing_names */
	bool bpf_family_first; /* of a record of schema 1, set by decoding: struct bpf_owner */
	/* macvlan */
	char master[IFNAME_TEXT];
	uint32_t master_ifindex;
	uint32_t macvlan_mode; /* index into macvlan_mode_names */
	bool host_access;
	char shim_ifname[IFNAME_TEXT]; /* hostAccess: the host's own macvlan of master */
	struct mac shim_mac;           /* hostAccess; zero: a record from before it was kept */
	struct ip host_ips[2]; /* hostAccess: source addresses of the host on the LAN, v4, v6 */
	struct ip host_lan[ATTACHMENT_HOST_IPS]; /* hostAccess: all of the master's addresses */
	unsigned n_host_lan;

	/* bridge */
	char bridge[IFNAME_TEXT];
	uint32_t bridge_ifindex;
	bool bridge_foreign; /* it was there before us: it stays when we go */
	struct mac bridge_mac;
	uint32_t bridge_mtu;        /* of one that is not ours, for the result: not kept. 0: ours */
	struct cidr bridge_had[32]; /* addresses that others had given it by then */
	unsigned n_bridge_had;
	bool force_address;  /* take those away that overlap the gateway's subnet */
	bool bridge_gateway; /* the bridge has the subnets' gateway addresses */
	bool bridge_promiscuous;
	bool port_hairpin, port_isolated;
	bool masq_all;           /* published ports: the client's address is replaced always */
	bool no_snat;            /* published ports: it is never */
	bool mac_check;          /* the port takes frames of the task's MAC alone */
	bool detect_duplicates;  /* IPv6 addresses with DAD */
	uint32_t ingress_policy; /* index into ingress_policy_names */
	struct bandwidth bandwidth;
	char ifb_ifname[IFNAME_TEXT]; /* shapes what leaves the task; empty: nothing to shape */
};

extern const struct field attachment_fields[];
extern const char *const ingress_policy_names[]; /* open, same-bridge, isolated, NULL */
extern const char *const host_routing_names[];   /* stack, bpf, NULL */
extern const char *const macvlan_mode_names[];   /* bridge, private, vepa, passthru, NULL */

/*
 * attachment_encode: @a as compact JSON in a new string (the caller frees it).
 * attachment_decode: the reverse; @schema is refused (-EPROTO) if this program does not read it.
 * Property: decode(encode(a)) gives the same record, hence the same plan.
 */
int attachment_encode(const struct attachment *a, char **ret, size_t *ret_len, struct err *e);
int attachment_decode(const char *text, size_t len, uint32_t schema, struct attachment *ret,
		      struct err *e);

struct store_key attachment_key(const struct attachment *a); /* borrows @a */
bool attachment_has_family(const struct attachment *a, uint8_t family);
bool attachment_has_address(const struct attachment *a, const struct ip *ip);
/* The first address of a family, NULL if there is none. */
const struct address *attachment_address(const struct attachment *a, uint8_t family);

/* owner_text: @before, then "pod default/web", "web" or "host name web"; or nothing. Returns @buf.
 */
#define OWNER_TEXT 340
const char *owner_text(const struct owner *o, const char *before, char buf[static OWNER_TEXT]);

/*
 * address_gateway: its gateway; where none is known an address of the link alone, which no subnet
 * has: 169.254.1.1 or fe80::1.
 */
struct ip address_gateway(const struct address *address);
/* attachment_repeats_gateway: does an address before the @i-th have the same gateway? */
bool attachment_repeats_gateway(const struct attachment *a, unsigned i);
/*
 * attachment_give_gateways: a gateway to each address that has none, where the other end is the
 * router anyway: the first address of the prefix, as subnets have it. Where that is the task's own,
 * or a prefix of one address has none, one of the link alone; on a bridge, which other tasks share,
 * that is for the mode to refuse.
 */
void attachment_give_gateways(struct attachment *a);
/* attachment_fill_gateway: the gateway of a route that names none, unless its scope is the link. */
void attachment_fill_gateway(const struct attachment *a, struct route *route);
/* attachment_add_defaults: by a->default_routes. Return: 0, or -E2BIG (no words): there is no room.
 */
int attachment_add_defaults(struct attachment *a);

#endif
