/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtimeConfig.portMappings as host ports that the store leases: for modes with leases_ports. They
 * are read from the attachment, because a mode may have given a blank one a meaning. Runtimes hand
 * over one mapping per address family, or the same mapping twice: a mapping that another one
 * covers is left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cni/held.h"
#include "cni/prepare.h"

static struct store_port host_port(const struct attachment *a, unsigned i)
{
	const struct port *p = &a->ports[i];

	return (struct store_port){ .port = (uint16_t)p->host_port,
				    .protocol = (uint8_t)p->protocol,
				    .host_ip = p->host_ip };
}

/* Mappings of one protocol and host port stand together, those of a lower place first. */
struct place {
	uint32_t port; /* protocol << 16 | host port */
	unsigned i;    /* in the attachment's list, which is the runtime's */
	bool redundant;
};

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return x->i < y->i ? -1 : 1;
}

/* Of two host addresses that conflict one covers the other, or they are equal. */
static bool covers(const struct store_port *a, const struct store_port *b)
{
	if (!a->host_ip.family || !b->host_ip.family)
		return !a->host_ip.family;
	return ip_is_unspecified(&a->host_ip) || !ip_is_unspecified(&b->host_ip);
}

static int refuse_pair(const struct attachment *a, unsigned i, unsigned k, struct err *e)
{
	const struct store_port one = host_port(a, i), other = host_port(a, k);
	char text[STORE_PORT_TEXT], text_other[STORE_PORT_TEXT];

	err_set(e, ERR_CONFIG, 0,
		"runtimeConfig.portMappings[%u] and [%u]: %s leads to container port %u, %s to %u",
		i, k, store_port_text(&one, text), a->ports[i].container_port,
		store_port_text(&other, text_other), a->ports[k].container_port);
	err_hint(e, "a host port leads to one port of a container: leave one of them out");
	return -EINVAL;
}

static int judge_pair(const struct attachment *a, struct place *one, struct place *other,
		      struct err *e)
{
	const struct store_port x = host_port(a, one->i), y = host_port(a, other->i);

	if (!store_port_conflict(&x, &y))
		return 0;
	if (a->ports[one->i].container_port != a->ports[other->i].container_port)
		return refuse_pair(a, one->i, other->i, e);
	if (covers(&x, &y))
		other->redundant = true;
	else
		one->redundant = true;
	return 0;
}

/* Fixed host ports alone: each 0 is given a port of its own. */
static unsigned place_fixed(const struct attachment *a, struct place *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n_ports; i++)
		if (a->ports[i].host_port)
			ret[n++] = (struct place){
				.port = a->ports[i].protocol << 16 | a->ports[i].host_port, .i = i
			};
	qsort(ret, n, sizeof(*ret), place_cmp);
	return n;
}

static void drop_redundant(struct attachment *a, const struct place *places, unsigned n)
{
	bool redundant[STORE_PORTS] = { false };
	unsigned kept = 0;

	for (unsigned k = 0; k < n; k++)
		redundant[places[k].i] = places[k].redundant;
	for (unsigned i = 0; i < a->n_ports; i++)
		if (!redundant[i])
			a->ports[kept++] = a->ports[i];
	a->n_ports = kept;
}

int ports_judge(struct attachment *a, struct err *e)
{
	struct place places[STORE_PORTS];
	unsigned n = place_fixed(a, places);
	int r = 0;

	for (unsigned i = 0; i < n && !r; i++)
		for (unsigned k = i + 1; k < n && places[k].port == places[i].port && !r; k++)
			r = judge_pair(a, &places[i], &places[k], e);
	if (!r)
		drop_redundant(a, places, n);
	return r;
}

int ports_wish(const struct add *add, struct store_port ret[static STORE_PORTS],
	       struct lease_wish *wish, struct err *e)
{
	const struct attachment *a = &add->a;
	bool dynamic = false;

	for (unsigned i = 0; i < a->n_ports; i++) {
		ret[i] = host_port(a, i);
		dynamic |= !ret[i].port;
	}
	wish->ports = ret;
	wish->n_ports = a->n_ports;
	if (!dynamic || !add->mode->dynamic_ports)
		return 0;
	return add->mode->dynamic_ports(&add->conf, &wish->dynamic_first, &wish->dynamic_last, e);
}

static bool is_same_mapping(const struct port *x, const struct port *y)
{
	return x->protocol == y->protocol && x->host_port == y->host_port &&
	       x->container_port == y->container_port && ip_equal(&x->host_ip, &y->host_ip);
}

/* Note each port of ours that @other maps alike. Return: whether one is new. */
static bool note_joins(struct add *add, const struct attachment *other)
{
	bool noted = false;

	for (unsigned i = 0; i < add->a.n_ports; i++) {
		bool same = false;

		/* Runtimes hand over the same list: the one of this place comes first. */
		for (unsigned k = 0; k < other->n_ports && !add->joins[i] && !same; k++)
			same = is_same_mapping(&add->a.ports[i],
					       &other->ports[(i + k) % other->n_ports]);
		add->joins[i] |= same;
		noted |= same;
	}
	return noted;
}

int ports_join(void *ctx, const struct store_holder *holder, struct err *e)
{
	const struct store_key key = { holder->network, holder->container_id, holder->ifname };
	struct add *add = ctx;
	cleanup_held struct held *h = NULL;
	int r;

	if (strcmp(holder->container_id, add->a.container_id) != 0)
		return 0;
	h = held_new(e);
	if (!h)
		return -ENOMEM;
	r = held_get(add->c, &key, h, e);
	if (r)
		return r < 0 ? r : 0;
	/* Of a container that was started again, only the attachments in its new namespace. */
	return h->a.netns_cookie == add->a.netns_cookie && note_joins(add, &h->a);
}
