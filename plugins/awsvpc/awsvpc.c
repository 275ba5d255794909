/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two ways to attach an awsvpc task have in common: fields, rules, the task's own side. */
#include "awsvpc.h"

#include "mode/refuse.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static const char *const attach_names[] = { "veth", "macvlan", NULL };

static const struct field vpc_fields[] = {
	{ .key = "cidr",
	  .type = FIELD_NET,
	  .flags = FIELD_LIST | FIELD_ONE_OR_LIST,
	  .offset = offsetof(struct awsvpc_conf, vpc.cidr),
	  .size = sizeof(struct cidr),
	  .count_offset = offsetof(struct awsvpc_conf, vpc.n_cidr),
	  .max_count = ATTACHMENT_CIDRS,
	  .help = "The VPC's CIDR blocks, one or a list: every subnet lies in one of them, and traffic "
		  "between them is not masqueraded. Of a family that none is of, each subnet is "
		  "a block." },
	{ .key = NULL },
};

const struct field awsvpc_fields[] = {
	FIELD(struct awsvpc_conf, attach, "attach", FIELD_ENUM, .names = attach_names,
	      .fallback = "veth",
	      .help = "How the task is attached: `veth` routes by the host, `macvlan` puts the task on "
		      "the LAN of `master`."),
	{ .key = "vpc",
	  .type = FIELD_OBJECT,
	  .fields = vpc_fields,
	  .help = "The VPC of the subnets." },
	FIELD(struct awsvpc_conf, masquerade, "ipMasq", FIELD_BOOL, .fallback = "false",
	      .help = "veth: masquerade what a task sends out of the VPC; needs `vpc.cidr`."),
	FIELD(struct awsvpc_conf, block_imds, "blockInstanceMetadata", FIELD_BOOL,
	      .fallback = "false",
	      .help = "Make 169.254.169.254 and fd00:ec2::254 unreachable for the task."),
	FIELD(struct awsvpc_conf, guard_mark, "guardMark", FIELD_U32, .fallback = "4096",
	      .help = "veth: the bit of the packet mark by which policy routing knows what the "
		      "guard has let through; 0: no second line behind nftables."),
	FIELD(struct awsvpc_conf, host_routing, "hostRouting", FIELD_ENUM,
	      .names = host_routing_names, .fallback = "stack",
	      .help = "veth: what routes between tasks: `stack`, the host's, or `bpf`, a program "
		      "that takes packets past it, and past the rules of others, to tasks that "
		      "have it too."),
	FIELD(struct awsvpc_conf, master, "master", FIELD_TEXT,
	      .fallback = "the default route's interface",
	      .help = "macvlan: the host's interface on the LAN."),
	FIELD(struct awsvpc_conf, macvlan_mode, "mode", FIELD_ENUM, .names = macvlan_mode_names,
	      .fallback = "bridge", .help = "macvlan: mode of the interface."),
	FIELD(struct awsvpc_conf, host_access, "hostAccess", FIELD_BOOL, .fallback = "false",
	      .help = "macvlan: let host and task reach each other, by a macvlan of the host's own; "
		      "with `mode` vepa by a reflecting switch."),
	NAT_FIELDS(struct awsvpc_conf, nat),
	{ .key = NULL },
};

static bool in_vpc(const struct awsvpc_conf *own, const struct cidr *subnet)
{
	struct ip last = cidr_last(subnet);

	for (unsigned i = 0; i < own->vpc.n_cidr; i++)
		if (cidr_contains(&own->vpc.cidr[i], &subnet->ip) &&
		    cidr_contains(&own->vpc.cidr[i], &last))
			return true;
	return false;
}

static bool vpc_has_family(const struct awsvpc_conf *own, uint8_t family)
{
	for (unsigned i = 0; i < own->vpc.n_cidr; i++)
		if (own->vpc.cidr[i].ip.family == family)
			return true;
	return false;
}

/* A subnet lies inside a CIDR block of the VPC; of a family that the VPC names none of, it is one
 * itself. */
static int judge_subnet(const struct awsvpc_conf *own, const struct cidr *subnet, struct err *e)
{
	char text[IP_TEXT];

	if (!vpc_has_family(own, subnet->ip.family) || in_vpc(own, subnet))
		return 0;
	err_set(e, ERR_CONFIG, 0, "the subnet %s lies outside vpc.cidr", cidr_text(subnet, text));
	err_hint(e, "put it inside one of the VPC's CIDR blocks, or add its block to vpc.cidr");
	return -EINVAL;
}

/* Of the pool, so that it is the same wherever a subnet comes from: ipam or runtimeConfig. */
static int judge_subnets(const struct awsvpc_conf *own, const struct pool *pool, struct err *e)
{
	int r = 0;

	for (unsigned s = 0; s < pool->n_sets; s++)
		for (unsigned i = 0; i < pool->sets[s].n_ranges && r == 0; i++)
			r = judge_subnet(own, &pool->sets[s].ranges[i].subnet, e);
	return r;
}

/* Blocks of one VPC lie apart, as in AWS: the kernel takes no set of intervals that overlap. Twice
 * the same is one. */
static int judge_blocks(const struct awsvpc_conf *own, struct err *e)
{
	for (unsigned i = 0; i < own->vpc.n_cidr; i++)
		for (unsigned k = i + 1; k < own->vpc.n_cidr; k++) {
			const struct cidr *a = &own->vpc.cidr[i], *b = &own->vpc.cidr[k];
			char text[2][IP_TEXT];

			if (!cidr_overlap(a, b) || cidr_equal(a, b))
				continue;
			err_set(e, ERR_CONFIG, 0, "vpc.cidr: %s and %s overlap",
				cidr_text(a, text[0]), cidr_text(b, text[1]));
			err_hint(e, "leave the smaller one out: it is part of the other");
			return -EINVAL;
		}
	return 0;
}

static const char *const imds_addresses[] = { "169.254.169.254", "fd00:ec2::254" };

static bool is_imds(const struct cidr *dst)
{
	struct ip ip;

	for (size_t i = 0; i < ARRAY_SIZE(imds_addresses); i++)
		if (ip_parse(imds_addresses[i], &ip) && dst->len == ip_bits(&ip) &&
		    ip_equal(&dst->ip, &ip))
			return true;
	return false;
}

/* A route to that very address would take the place of the one that leads nowhere. */
static int judge_imds(const struct route *routes, unsigned n, const char *where, struct err *e)
{
	char dst[IP_TEXT];

	for (unsigned i = 0; i < n; i++) {
		if (!is_imds(&routes[i].dst))
			continue;
		err_set(e, ERR_CONFIG, 0,
			"%s: the route to %s cannot go with blockInstanceMetadata: true", where,
			cidr_text(&routes[i].dst, dst));
		err_hint(e, "leave the route out, or blockInstanceMetadata");
		return -EINVAL;
	}
	return 0;
}

int awsvpc_accept(const struct attachment *a, struct err *e)
{
	int r = a->block_imds ? judge_imds(a->routes, a->n_routes, "routes", e) : 0;

	return r < 0 ? r : task_accept_mtu(a, e);
}

/* ECS: hostPort is blank or equal to containerPort. */
int awsvpc_judge(const struct netconf *c, struct err *e)
{
	const struct awsvpc_conf *own = (const void *)c->own;
	int r = mode_refuse_other_ports(c, "an awsvpc task has its own address", e);

	if (r == 0)
		r = judge_blocks(own, e);
	if (r == 0)
		r = nat_judge(&own->nat, e);
	if (r == 0 && own->block_imds)
		r = judge_imds(c->pool.routes, c->pool.n_routes, "ipam.routes", e);
	return r < 0 ? r : judge_subnets(own, &c->pool, e);
}

/*
 * Shared by all interfaces of the task, and of no interface: it would outlive the link. So where
 * the link is made before its addresses are known, and the record knows none, both are in the plan.
 */
void awsvpc_plan_imds(struct plan *p)
{
	const struct ifref nowhere = { .name = NULL };

	for (size_t i = 0; i < ARRAY_SIZE(imds_addresses); i++) {
		struct route_spec r = { .type = ROUTE_BLACKHOLE };
		struct ip ip;

		if (!ip_parse(imds_addresses[i], &ip) ||
		    (p->a->n_addresses && !attachment_has_family(p->a, ip.family)))
			continue;
		r.dst = cidr_host(&ip);
		plan_share(p, plan_route(p, -1, TASK, &nowhere, &r));
		/* The guard on the host's end of a veth drops it anyway. */
		if (p->a->source_routed && p->a->master[0]) {
			r.table = p->a->ifindex;
			plan_route(p, -1, TASK, &nowhere, &r);
		}
	}
}
