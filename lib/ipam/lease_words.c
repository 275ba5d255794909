/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why there is no lease, in words: who holds what and since when, or how full each subnet is. The
 * reader sits in front of a container that does not start.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "taking.h"

#define HOLDER_TEXT (640 + OWNER_TEXT)

static void since_text(int64_t since, char *buf, size_t size)
{
	time_t seconds = (time_t)since;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(buf, size, "%" PRId64, since);
}

/* What people call the holder; nothing where its record cannot be read, or is gone. */
static const char *owner_of(struct store *s, const struct store_holder *h,
			    char buf[static OWNER_TEXT])
{
	const struct store_key key = { h->network, h->container_id, h->ifname };
	cleanup_free struct store_record *record = malloc(sizeof(*record));
	cleanup_free struct attachment *a = malloc(sizeof(*a));
	struct err ignored;

	buf[0] = '\0';
	if (record && a && s && store_get(s, &key, record, &ignored) == STORE_OK &&
	    attachment_decode(record->text, record->len, record->schema, a, &ignored) == 0)
		owner_text(&a->owner, ", ", buf);
	return buf;
}

static const char *holder_text(struct store *s, const struct store_holder *h,
			       char buf[static HOLDER_TEXT])
{
	char since[32], who[OWNER_TEXT];

	since_text(h->since, since, sizeof(since));
	snprintf(buf, HOLDER_TEXT, "container %s%s (network %s, interface %s, since %s)",
		 h->container_id, owner_of(s, h, who), h->network, h->ifname, since);
	return buf;
}

int lease_refuse_key(struct store *s, const struct store_holder *holder, struct err *e)
{
	char since[32], who[OWNER_TEXT];

	since_text(holder->since, since, sizeof(since));
	err_set(e, ERR_EXISTS, EEXIST, "container %s%s has interface %s of network %s since %s",
		holder->container_id, owner_of(s, holder, who), holder->ifname, holder->network,
		since);
	err_hint(e, "call DEL first, or use another CNI_IFNAME");
	return -EEXIST;
}

static int refuse_address(const struct taking *t, struct err *e)
{
	const char *source = taking_source(t, &t->want.choices[t->holder.choice].address);
	char text[IP_TEXT], holder[HOLDER_TEXT];

	err_set(e, ERR_ADDRESS, EADDRINUSE, "%s%s%s is held by %s", source, *source ? ": " : "",
		ip_text(&t->want.choices[t->holder.choice].address, text),
		holder_text(t->store, &t->holder, holder));
	err_hint(e, "that container still lives: stop it, or ask for another address");
	return -EADDRINUSE;
}

int lease_refuse_gateway(struct store *s, const struct store_holder *holder,
			 const struct ip *gateway, struct err *e)
{
	char text[IP_TEXT], who[HOLDER_TEXT];

	err_set(e, ERR_ADDRESS, EADDRINUSE, "gateway: %s is the address of %s",
		ip_text(gateway, text), holder_text(s, holder, who));
	err_hint(e, "networks of one subnet must have the same gateway; or stop that container, or "
		    "use another gateway");
	return -EADDRINUSE;
}

static int refuse_port(const struct taking *t, struct err *e)
{
	const struct store_port *port = &t->want.ports[t->holder.choice];
	char text[STORE_PORT_TEXT], holder[HOLDER_TEXT];

	err_set(e, ERR_PORT, EADDRINUSE, "host port %s is held by %s", store_port_text(port, text),
		holder_text(t->store, &t->holder, holder));
	if (strcmp(t->holder.container_id, t->a->container_id) == 0)
		err_hint(e, "the container has this mapping on another network already, to another "
			    "port: give its networks the same portMappings");
	else
		err_hint(e,
			 "stop that container, or publish another port; if it is gone already, its "
			 "DEL never came: DEL or GC frees the port");
	return -EADDRINUSE;
}

static int refuse_ports(const struct taking *t, struct err *e)
{
	const struct store_port *port = &t->want.ports[t->holder.choice];
	char text[STORE_PORT_TEXT];

	if (!t->want.dynamic_last)
		return err_set(e, ERR_PORT, EADDRINUSE, "there is no range of dynamic host ports");
	return err_set(e, ERR_PORT, EADDRINUSE, "no free %s port is left in %u-%u",
		       strchr(store_port_text(port, text), '/') + 1, t->want.dynamic_first,
		       t->want.dynamic_last);
}

static uint64_t reserved_count(const struct pool_range *r)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < r->n_holes; i++)
		n += span_size(&r->holes[i]);
	return n;
}

/* "subnet-a 10.0.1.0/28: 11 addresses, 11 used, 5 reserved, 0 cooling" */
static int count_line(struct store *s, const struct pool_range *r, struct text *t, struct err *e)
{
	struct store_usage usage;
	char subnet[IP_TEXT];
	int rc = lease_count(s, r, &usage, e);

	if (rc < 0)
		return rc;
	text_add(t,
		 "%s%s%s%s: %" PRIu64 " addresses, %" PRIu64 " used, %" PRIu64 " reserved, %" PRIu64
		 " cooling",
		 t->len ? "\n" : "", r->id, *r->id ? " " : "", cidr_text(&r->subnet, subnet),
		 r->capacity, usage.used, reserved_count(r), usage.cooling);
	return 0;
}

int subnet_counts(struct store *s, const struct pool_set *set, struct text *t, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < set->n_ranges && rc >= 0; i++)
		rc = count_line(s, &set->ranges[i], t, e);
	return rc;
}

static int refuse_exhausted(const struct taking *t, struct err *e)
{
	char counts[sizeof(e->details)];
	struct text text;
	int rc;

	text_init(&text, counts, sizeof(counts));
	rc = subnet_counts(t->store, &t->pool->sets[t->holder.choice], &text, e);
	if (rc < 0)
		return rc;
	err_set(e, ERR_EXHAUSTED, EADDRNOTAVAIL, "the pool of network %s is exhausted",
		t->a->network);
	err_hint(e, "%s", counts);
	return -EADDRNOTAVAIL;
}

/* Others give up addresses faster than their flows can be deleted. */
static int refuse_quarantined(const struct taking *t, struct err *e)
{
	err_set(e, ERR_AGAIN, EAGAIN,
		"network %s: the tracked connections of released addresses are still being deleted",
		t->a->network);
	err_hint(e, "try again; GC deletes them as well");
	return -EAGAIN;
}

int taking_refuse(struct taking *t, int outcome, struct err *e)
{
	switch ((enum store_outcome)outcome) {
	case STORE_KEY_EXISTS:
		return lease_refuse_key(t->store, &t->holder, e);
	case STORE_ADDRESS_HELD:
		return refuse_address(t, e);
	case STORE_EXHAUSTED:
		return refuse_exhausted(t, e);
	case STORE_PORT_HELD:
		return refuse_port(t, e);
	case STORE_PORTS_EXHAUSTED:
		return refuse_ports(t, e);
	case STORE_QUARANTINED:
		return refuse_quarantined(t, e);
	case STORE_OK:
	case STORE_ABSENT:
		break;
	}
	return err_set(e, ERR_STORE, EPROTO, "the store answered a lease with outcome %d", outcome);
}
