/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which host ports are given. Fixed ones first. A dynamic one comes from the bitmap of its
 * protocol, beginning behind the last one given, so that a port just freed is not reused at once; a
 * port that somebody holds on one host address only counts as used there. Only when the bitmap has
 * none left, each port of the range is asked for by itself.
 */
#include "file.h"

#include <errno.h>

#define OWN_BITS 4096u

struct port_pick {
	const struct store *s;
	const struct store_want *want;
	struct store_grant *grant;
	uint64_t own[PORT_PROTOCOLS][OWN_BITS / 64]; /* chosen ports, modulo OWN_BITS */
};

static void choose_port(struct port_pick *p, unsigned i, uint16_t port)
{
	uint64_t *own = p->own[port_protocol(p->want->ports[i].protocol)];

	p->grant->ports[i] = port;
	own[port % OWN_BITS / 64] |= 1ULL << port % 64;
}

/* Does another port of the same want, chosen already, stand in the way? The bitmap keeps a want
 * of many ports from comparing each pair. */
static bool clashes_with_own(const struct port_pick *p, unsigned i, uint16_t port)
{
	struct store_port mine = p->want->ports[i];
	const uint64_t *own = p->own[port_protocol(mine.protocol)];

	if (!(own[port % OWN_BITS / 64] >> port % 64 & 1))
		return false;
	mine.port = port;
	for (unsigned j = 0; j < p->want->n_ports; j++) {
		struct store_port other = p->want->ports[j];

		other.port = p->grant->ports[j];
		if (j != i && other.port == port && store_port_conflict(&mine, &other))
			return true;
	}
	return false;
}

static int take_fixed(struct port_pick *p, unsigned i, struct store_holder *holder)
{
	const struct store_port *port = &p->want->ports[i];
	struct slot_view v;
	int r;

	holder->choice = i;
	if (clashes_with_own(p, i, port->port))
		return STORE_PORT_HELD;
	r = index_find_port(&p->s->index, &p->s->records, port,
			    p->want->joins && p->want->joins[i] ? p->want->key.container_id : NULL,
			    &v);
	if (r == STORE_OK)
		slot_holder(&v, holder);
	else if (r == STORE_ABSENT)
		choose_port(p, i, port->port);
	return r == STORE_OK ? STORE_PORT_HELD : r == STORE_ABSENT ? STORE_OK : r;
}

/* The first port from @from on, at most @last, whose bit is free. Return: 0 if there is none. */
static uint32_t next_free(const uint64_t *bits, uint32_t from, uint32_t last)
{
	while (from <= last) {
		uint64_t open = ~bits[from / 64] & ~0ULL << from % 64;

		if (open) {
			from = from / 64 * 64 + (uint32_t)__builtin_ctzll(open);
			return from <= last ? from : 0;
		}
		from = (from / 64 + 1) * 64;
	}
	return 0;
}

static uint32_t search_bitmap(const struct port_pick *p, unsigned i, uint32_t from, uint32_t last)
{
	const uint64_t *bits = p->s->index.ports[port_protocol(p->want->ports[i].protocol)];

	while ((from = next_free(bits, from, last)))
		if (!clashes_with_own(p, i, (uint16_t)from))
			break;
		else
			from++;
	return from;
}

/* A port that is in use, but not on the host address that is wanted. */
static int search_shared(struct port_pick *p, unsigned i)
{
	for (uint32_t n = p->want->dynamic_first; n <= p->want->dynamic_last; n++) {
		struct store_port port = p->want->ports[i];
		struct slot_view v;
		int r;

		port.port = (uint16_t)n;
		if (clashes_with_own(p, i, port.port))
			continue;
		r = index_find_port(&p->s->index, &p->s->records, &port, NULL, &v);
		if (r < 0)
			return r;
		if (r == STORE_ABSENT) {
			choose_port(p, i, port.port);
			return STORE_OK;
		}
	}
	return STORE_PORTS_EXHAUSTED;
}

static int take_dynamic(struct port_pick *p, unsigned i, uint32_t cursors[PORT_PROTOCOLS])
{
	uint32_t first = p->want->dynamic_first, last = p->want->dynamic_last, found;
	uint32_t *cursor = &cursors[port_protocol(p->want->ports[i].protocol)];

	if (!first || first > last)
		return STORE_PORTS_EXHAUSTED;
	if (*cursor < first || *cursor > last)
		*cursor = first;
	found = search_bitmap(p, i, *cursor, last);
	if (!found && *cursor > first)
		found = search_bitmap(p, i, first, *cursor - 1);
	if (!found)
		return search_shared(p, i);
	choose_port(p, i, (uint16_t)found);
	*cursor = found + 1;
	return STORE_OK;
}

int choose_ports(struct store *s, const struct store_want *want, struct store_grant *grant,
		 struct store_holder *holder)
{
	struct port_pick p = { .s = s, .want = want, .grant = grant };
	uint32_t cursors[PORT_PROTOCOLS];
	int r = STORE_OK;

	for (unsigned i = 0; i < want->n_ports; i++)
		grant->ports[i] = 0;
	grant->n_ports = want->n_ports;
	for (unsigned i = 0; i < want->n_ports && !r; i++)
		if (want->ports[i].port)
			r = take_fixed(&p, i, holder);
	for (int k = 0; k < PORT_PROTOCOLS; k++)
		cursors[k] = s->index.h->port_cursor[k];
	for (unsigned i = 0; i < want->n_ports && !r; i++) {
		if (want->ports[i].port)
			continue;
		holder->choice = i;
		r = take_dynamic(&p, i, cursors);
	}
	return r;
}
