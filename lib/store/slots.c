/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing records in their slots. The layout is in slots.h. Writers fill the stream
 * first, then the head with its sums; the caller commits. Readers walk no further than the lengths
 * in a checked head allow, so a chain that was garbled into a ring ends like any other.
 */
#include "slots.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/text.h"

struct disk_port {
	uint8_t protocol;
	uint8_t family;
	uint16_t port;
	uint8_t address[16];
};

#define HEAD_MAX                                                                                   \
	(sizeof(struct head) + STORE_TAGS * sizeof(uint64_t) +                                     \
	 STORE_ADDRESSES * sizeof(struct ip) + (size_t)2 * (STORE_NAME_MAX + 1) +                  \
	 STORE_IFNAME_MAX + 1)
#define STREAM_MAX (STORE_PORTS * sizeof(struct disk_port) + STORE_BODY_MAX)

static_assert(sizeof(struct slot) == SLOT_SIZE, "a slot is its size");
static_assert(sizeof(struct records_header) <= SLOT_SIZE, "the header is slot 0");
static_assert(sizeof(struct disk_port) == 20, "no padding in the file");
static_assert(sizeof(struct ip) == 17, "addresses lie in the file as they are");
static_assert(sizeof(struct head) % 8 == 0, "tags are aligned");
static_assert(HEAD_MAX <= SLOT_PAYLOAD, "key, tags and addresses are always whole in the head");
static_assert((STREAM_MAX - (SLOT_PAYLOAD - HEAD_MAX) + SLOT_PAYLOAD - 1) / SLOT_PAYLOAD <=
		      CHAIN_MAX,
	      "the largest record fits in the longest chain");

/* A place in a stream. */
struct stream {
	const struct records *r;
	struct slot *slot;
	uint32_t at; /* offset in the slot's payload */
	uint64_t sum;
};

uint64_t records_header_sum(const struct records_header *h)
{
	return hash_bytes(HASH_START, h, offsetof(struct records_header, sum));
}

/* The next piece of at most @len bytes, NULL where the chain ends too early. */
static uint8_t *stream_piece(struct stream *st, size_t *len)
{
	uint8_t *p;

	if (st->slot && st->at == SLOT_PAYLOAD) {
		st->slot = slot_at(st->r, st->slot->next);
		st->at = 0;
	}
	if (!st->slot)
		return NULL;
	if (*len > SLOT_PAYLOAD - st->at)
		*len = SLOT_PAYLOAD - st->at;
	p = st->slot->payload + st->at;
	st->at += (uint32_t)*len;
	return p;
}

static void stream_write(struct stream *st, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		size_t n = len;
		uint8_t *p = stream_piece(st, &n);

		if (!p)
			return;
		memcpy(p, from, n);
		st->sum = hash_bytes(st->sum, from, n);
		from += n;
		len -= n;
	}
}

/* @data may be NULL: then the bytes only go into the sum. */
static int stream_read(struct stream *st, void *data, size_t len)
{
	uint8_t *to = data;

	while (len) {
		size_t n = len;
		const uint8_t *p = stream_piece(st, &n);

		if (!p)
			return -EUCLEAN;
		if (to) {
			memcpy(to, p, n);
			to += n;
		}
		st->sum = hash_bytes(st->sum, p, n);
		len -= n;
	}
	return 0;
}

static struct stream stream_begin(const struct records *r, const struct slot_view *v)
{
	return (struct stream){ r, slot_at(r, v->n), v->stream_at, HASH_START };
}

static size_t stream_length(const struct head *h)
{
	return h->n_ports * sizeof(struct disk_port) + h->body_len;
}

static uint32_t chain_length(size_t stream_at, size_t stream_len)
{
	size_t here = SLOT_PAYLOAD - stream_at;

	if (stream_len <= here)
		return 0;
	return (uint32_t)((stream_len - here + SLOT_PAYLOAD - 1) / SLOT_PAYLOAD);
}

static uint64_t head_sum(const struct slot_view *v)
{
	size_t from = offsetof(struct head, stream_sum);

	return hash_bytes(HASH_START, (const uint8_t *)v->h + from, v->stream_at - from);
}

static bool head_in_bounds(const struct head *h)
{
	return h->n_tags <= STORE_TAGS && h->n_addresses <= STORE_ADDRESSES &&
	       h->n_ports <= STORE_PORTS && h->body_len <= STORE_BODY_MAX &&
	       h->network_len <= STORE_NAME_MAX && h->id_len <= STORE_NAME_MAX &&
	       h->ifname_len <= STORE_IFNAME_MAX;
}

/* Where the parts lie follows from the counts in the head, which are in bounds. */
static void view_layout(struct slot_view *v, uint32_t n, struct head *h)
{
	const uint8_t *p = h->data;

	v->h = h;
	v->n = n;
	v->tags = (const uint64_t *)(const void *)p;
	p += h->n_tags * sizeof(uint64_t);
	v->addresses = (const struct ip *)p;
	p += h->n_addresses * sizeof(struct ip);
	v->network = (const char *)p;
	v->container_id = v->network + h->network_len + 1;
	v->ifname = v->container_id + h->id_len + 1;
	p = (const uint8_t *)v->ifname + h->ifname_len + 1;
	v->stream_at = (uint32_t)(p - (const uint8_t *)h);
	v->n_chain = chain_length(v->stream_at, stream_length(h));
}

bool slot_parse(const struct records *r, uint32_t n, struct slot_view *ret)
{
	struct slot *s = slot_at(r, n);
	struct head *h;

	if (!s)
		return false;
	h = (struct head *)(void *)s->payload;
	if (!head_in_bounds(h))
		return false;
	view_layout(ret, n, h);
	if (ret->network[h->network_len] || ret->container_id[h->id_len] ||
	    ret->ifname[h->ifname_len])
		return false;
	for (unsigned i = 0; i < h->n_addresses; i++)
		if (ret->addresses[i].family != AF_INET && ret->addresses[i].family != AF_INET6)
			return false;
	return true;
}

static bool port_is_sane(const struct store_port *p)
{
	return port_protocol(p->protocol) >= 0 && p->port &&
	       (!p->host_ip.family || p->host_ip.family == AF_INET ||
		p->host_ip.family == AF_INET6);
}

static struct store_port port_decode(const struct disk_port *d)
{
	struct store_port p = { .protocol = d->protocol, .port = d->port };

	p.host_ip.family = d->family;
	memcpy(p.host_ip.b, d->address, sizeof(p.host_ip.b));
	return p;
}

static bool stream_is_whole(const struct records *r, const struct slot_view *v)
{
	struct stream st = stream_begin(r, v);
	struct disk_port d;
	struct store_port p;

	for (unsigned i = 0; i < v->h->n_ports; i++) {
		if (stream_read(&st, &d, sizeof(d)))
			return false;
		p = port_decode(&d);
		if (!port_is_sane(&p))
			return false;
	}
	return !stream_read(&st, NULL, v->h->body_len) && st.sum == v->h->stream_sum;
}

bool slot_is_whole(const struct records *r, const struct slot_view *v)
{
	struct slot *s = slot_at(r, v->n);

	if (!s || head_sum(v) != v->h->sum)
		return false;
	if (slot_state(s) == SLOT_COOLING)
		return true;
	for (uint32_t i = 0; i < v->n_chain; i++) {
		s = slot_at(r, s->next);
		if (!s || slot_state(s) != SLOT_FREE)
			return false;
	}
	return stream_is_whole(r, v);
}

uint32_t slot_chain_length(const struct slot_content *c)
{
	size_t head = sizeof(struct head) + c->body->n_tags * sizeof(uint64_t) +
		      c->n_addresses * sizeof(struct ip) + strlen(c->key->network) +
		      strlen(c->key->container_id) + strlen(c->key->ifname) + 3;

	return chain_length(head, c->n_ports * sizeof(struct disk_port) + c->body->len);
}

static void head_write(struct head *h, const struct slot_content *c)
{
	struct store_key k = *c->key;
	uint8_t *p = h->data;

	*h = (struct head){ .created = io_epoch_s(),
			    .schema = c->body->schema,
			    .body_len = (uint32_t)c->body->len,
			    .n_tags = (uint16_t)c->body->n_tags,
			    .n_addresses = (uint16_t)c->n_addresses,
			    .n_ports = (uint16_t)c->n_ports,
			    .network_len = (uint16_t)strlen(k.network),
			    .id_len = (uint16_t)strlen(k.container_id),
			    .ifname_len = (uint16_t)strlen(k.ifname) };
	memcpy(p, c->body->tags, h->n_tags * sizeof(uint64_t));
	p += h->n_tags * sizeof(uint64_t);
	memcpy(p, c->addresses, h->n_addresses * sizeof(struct ip));
	p += h->n_addresses * sizeof(struct ip);
	memcpy(p, k.network, h->network_len + 1u);
	p += h->network_len + 1u;
	memcpy(p, k.container_id, h->id_len + 1u);
	p += h->id_len + 1u;
	memcpy(p, k.ifname, h->ifname_len + 1u);
}

void slot_write(const struct records *r, uint32_t n, const uint32_t *chain,
		const struct slot_content *c)
{
	struct slot *s = slot_at(r, n);
	struct slot_view v;
	struct stream st;

	if (!s)
		return;
	head_write((struct head *)(void *)s->payload, c);
	view_layout(&v, n, (struct head *)(void *)s->payload);
	for (uint32_t i = 0; i < v.n_chain && s; s = slot_at(r, chain[i++]))
		s->next = chain[i];
	if (s)
		s->next = 0;
	st = stream_begin(r, &v);
	for (unsigned i = 0; i < c->n_ports; i++) {
		struct disk_port d = { .protocol = c->ports[i].protocol,
				       .family = c->ports[i].host_ip.family,
				       .port = c->ports[i].port };

		memcpy(d.address, c->ports[i].host_ip.b, sizeof(d.address));
		stream_write(&st, &d, sizeof(d));
	}
	stream_write(&st, c->body->text, c->body->len);
	v.h->stream_sum = st.sum;
	v.h->sum = head_sum(&v);
}

int slot_port(const struct records *r, const struct slot_view *v, unsigned i,
	      struct store_port *ret)
{
	struct stream st = stream_begin(r, v);
	size_t skip = i * sizeof(struct disk_port);
	struct disk_port d;

	if (i >= v->h->n_ports)
		return -EUCLEAN;
	while (skip) {
		size_t n = skip;

		if (!stream_piece(&st, &n))
			return -EUCLEAN;
		skip -= n;
	}
	if (stream_read(&st, &d, sizeof(d)))
		return -EUCLEAN;
	*ret = port_decode(&d);
	return port_is_sane(ret) ? 0 : -EUCLEAN;
}

void slot_holder(const struct slot_view *v, struct store_holder *ret)
{
	memcpy(ret->network, v->network, v->h->network_len + 1u);
	memcpy(ret->container_id, v->container_id, v->h->id_len + 1u);
	memcpy(ret->ifname, v->ifname, v->h->ifname_len + 1u);
	ret->since = v->h->created;
}

int slot_load(const struct records *r, uint32_t n, struct store_record *ret)
{
	struct slot_view v;
	struct stream st;

	if (!slot_parse(r, n, &v) || !slot_is_whole(r, &v))
		return -EUCLEAN;
	slot_holder(&v, &ret->key);
	ret->key.choice = 0;
	ret->id = n;
	ret->schema = v.h->schema;
	ret->settled = v.h->cooling & SLOT_SETTLED;
	ret->n_addresses = v.h->n_addresses;
	memcpy(ret->addresses, v.addresses, v.h->n_addresses * sizeof(struct ip));
	ret->n_ports = v.h->n_ports;
	st = stream_begin(r, &v);
	for (unsigned i = 0; i < v.h->n_ports; i++) {
		struct disk_port d;

		if (stream_read(&st, &d, sizeof(d)))
			return -EUCLEAN;
		ret->ports[i] = port_decode(&d);
	}
	ret->len = v.h->body_len;
	ret->text[ret->len] = '\0';
	return stream_read(&st, ret->text, ret->len);
}

bool slot_has_key(const struct slot_view *v, const struct store_key *key)
{
	return !strcmp(v->container_id, key->container_id) && !strcmp(v->ifname, key->ifname) &&
	       !strcmp(v->network, key->network);
}

bool slot_tag_is_new(const struct slot_view *v, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (v->tags[j] == v->tags[i])
			return false;
	return true;
}

bool slot_is_cooled(const struct head *h, uint64_t now_ms)
{
	if (slot_is_quarantined(h))
		return false;
	/* a release in the future is garbage, and garbage holds nothing back */
	return h->released_ms > now_ms || now_ms - h->released_ms >= h->cooldown_s * 1000ULL;
}

int port_protocol(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 0;
	case IPPROTO_UDP:
		return 1;
	case IPPROTO_SCTP:
		return 2;
	default:
		return -1;
	}
}
