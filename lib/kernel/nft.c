/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements of nftables sets as raw nfnetlink messages: the hot path of ADD and DEL. */
#include "kernel/nft.h"

#include "kernel/nft_message.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* The kernel's NFT_DATA_VALUE_MAXLEN; each part of a concatenation is padded to 4 bytes. */
#define KEY_BYTES 64

struct key {
	unsigned char first[KEY_BYTES], last[KEY_BYTES];
	size_t len;
	bool interval;
};

static void key_put(struct key *k, const void *first, const void *last, size_t len)
{
	size_t padded = (len + 3) & ~(size_t)3;

	if (k->len + padded > KEY_BYTES)
		return;
	memset(k->first + k->len, 0, padded);
	memset(k->last + k->len, 0, padded);
	memcpy(k->first + k->len, first, len);
	memcpy(k->last + k->len, last, len);
	k->len += padded;
}

static void key_put_atom(struct key *k, const struct nft_atom *a)
{
	struct ip first = cidr_first(&a->net), last = cidr_last(&a->net);
	uint16_t port;
	uint8_t proto;

	switch (a->type) {
	case NFT_TYPE_IFACE:
		key_put(k, &a->ifindex, &a->ifindex, sizeof(a->ifindex));
		break;
	case NFT_TYPE_MAC:
		key_put(k, a->mac.b, a->mac.b, sizeof(a->mac.b));
		break;
	case NFT_TYPE_IP:
		key_put(k, a->net.ip.b, a->net.ip.b, ip_size(&a->net.ip));
		break;
	case NFT_TYPE_NET:
		key_put(k, first.b, last.b, ip_size(&first));
		k->interval = true;
		break;
	case NFT_TYPE_PROTO:
		proto = (uint8_t)a->number;
		key_put(k, &proto, &proto, sizeof(proto));
		break;
	case NFT_TYPE_PORT:
		port = htons(a->number);
		key_put(k, &port, &port, sizeof(port));
		break;
	}
}

/* A concatenation of atoms: an element's key, or its data. */
static struct key concatenate(const struct nft_atom *atoms, unsigned n)
{
	struct key k = { .len = 0 };

	for (unsigned i = 0; i < n; i++)
		key_put_atom(&k, &atoms[i]);
	return k;
}

static void put_data(struct nl_msg *m, int type, const void *bytes, size_t len)
{
	struct nlattr *nest = message_nest(m, type);

	message_put(m, NFTA_DATA_VALUE, bytes, len);
	message_nest_end(m, nest);
}

/* A message about one element. @timeout_ms: 0: none. */
static struct nl_msg *element_message(int type, int flags, const char *table,
				      const struct nft_element *el, uint64_t timeout_ms)
{
	struct nl_msg *m = nft_message(type, flags, el->family);
	struct key k = concatenate(el->key, el->n_key), data = concatenate(el->data, el->n_data);
	uint64_t timeout = htobe64(timeout_ms);
	struct nlattr *list, *item;

	message_put_text(m, NFTA_SET_ELEM_LIST_TABLE, table);
	message_put_text(m, NFTA_SET_ELEM_LIST_SET, el->set);
	list = message_nest(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	item = message_nest(m, NFTA_LIST_ELEM);
	put_data(m, NFTA_SET_ELEM_KEY, k.first, k.len);
	if (k.interval)
		put_data(m, NFTA_SET_ELEM_KEY_END, k.last, k.len);
	if (el->n_data && type == NFT_MSG_NEWSETELEM)
		put_data(m, NFTA_SET_ELEM_DATA, data.first, data.len);
	if (timeout_ms)
		message_put(m, NFTA_SET_ELEM_TIMEOUT, &timeout, sizeof(timeout));
	message_nest_end(m, item);
	message_nest_end(m, list);
	return m;
}

static void batch_mark(struct batch *b, int type, uint32_t genid)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_UNSPEC,
				   .version = NFNETLINK_V0,
				   .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	struct nl_msg *m = message_new(type, 0, &header, sizeof(header));

	if (genid)
		message_put_u32(m, NFNL_BATCH_GENID, htonl(genid));
	batch_add(b, m, TOLERATE_NOTHING);
}

void nft_begin_at(struct batch *b, uint32_t genid)
{
	batch_mark(b, NFNL_MSG_BATCH_BEGIN, genid);
	b->transaction = true;
}

void nft_begin(struct batch *b)
{
	nft_begin_at(b, 0);
}

void nft_commit(struct batch *b)
{
	unsigned ack = b->ack;

	batch_mark(b, NFNL_MSG_BATCH_END, 0);
	b->ack = ack; /* the kernel acknowledges requests, not the commit */
}

/* Versions decide, not tries: older kernels ignore what they do not know, silently. */
static bool kernel_is(unsigned long want_major, unsigned long want_minor)
{
	unsigned long major, minor;
	struct utsname u;
	char *end;

	if (uname(&u) < 0)
		return false;
	major = strtoul(u.release, &end, 10);
	minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	return major > want_major || (major == want_major && minor >= want_minor);
}

/* Update the timeout of an element that exists. */
static bool can_expire(void)
{
	return kernel_is(6, 12);
}

bool nft_drops_together(void)
{
	return kernel_is(6, 3);
}

bool nft_drop_is_blind(const struct nft_element *el)
{
	return el->lasting || (el->n_data && !can_expire());
}

void nft_element_add(struct batch *b, const char *table, const struct nft_element *el)
{
	/* The same key may still be there, expiring: adding it again would be undone with it. Not
	 * in a map, where the key alone does not say whose it is, and an update makes it stay. */
	if (!el->lasting && !el->n_data && can_expire())
		batch_add(b, element_message(NFT_MSG_DESTROYSETELEM, 0, table, el, 0),
			  TOLERATE_ABSENT);
	batch_add(b, element_message(NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, el, 0),
		  TOLERATE_NOTHING);
}

void nft_element_drop(struct batch *b, const char *table, const struct nft_element *el)
{
	struct nl_msg *m;

	if (!el->lasting && can_expire())
		m = element_message(NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, el, 1);
	else
		m = element_message(nft_drops_together() ? NFT_MSG_DESTROYSETELEM
							 : NFT_MSG_DELSETELEM,
				    0, table, el, 0);
	/* EEXIST: the key has other data by now, so it is not ours any more. */
	batch_add(b, m, TOLERATE_ABSENT | TOLERATE_EXISTS);
}

void nft_wait_expired(void)
{
	struct timespec tick; /* the resolution of the coarse clock */

	if (!can_expire() || clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0)
		return;
	while (nanosleep(&tick, &tick) < 0 && errno == EINTR)
		;
}

/*
 * What elements are counted: living ones; with @key, which is an interval, none that merely
 * contains it; with @data only those that lead there.
 */
struct count {
	unsigned n;
	const struct key *key, *data;
};

static bool holds(const struct nlattr *attr, const unsigned char *bytes, size_t len)
{
	struct nlattr *tb[NFTA_DATA_MAX + 1];

	return attr &&
	       nla_parse_nested(tb, NFTA_DATA_MAX, (struct nlattr *)(uintptr_t)attr, NULL) == 0 &&
	       tb[NFTA_DATA_VALUE] && nla_len(tb[NFTA_DATA_VALUE]) == (int)len &&
	       memcmp(nla_data(tb[NFTA_DATA_VALUE]), bytes, len) == 0;
}

static bool counts(const struct count *c, struct nlattr *const *el)
{
	if (c->key && (!holds(el[NFTA_SET_ELEM_KEY], c->key->first, c->key->len) ||
		       !holds(el[NFTA_SET_ELEM_KEY_END], c->key->last, c->key->len)))
		return false;
	return !el[NFTA_SET_ELEM_EXPIRATION] &&
	       (!c->data || holds(el[NFTA_SET_ELEM_DATA], c->data->first, c->data->len));
}

/* An element that is about to expire counts as gone. */
static int take_element(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *el[NFTA_SET_ELEM_MAX + 1], *item;
	struct count *c = ctx;
	int left;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM ||
	    !nft_attributes(h, tb, NFTA_SET_ELEM_LIST_MAX) || !tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	nla_for_each_nested (item, tb[NFTA_SET_ELEM_LIST_ELEMENTS], left)
		if (nla_parse_nested(el, NFTA_SET_ELEM_MAX, item, NULL) == 0)
			c->n += counts(c, el);
	return 0;
}

static void forget_elements(void *ctx)
{
	((struct count *)ctx)->n = 0;
}

int nft_element_find(struct netlink *nl, const char *table, const struct nft_element *el,
		     struct err *e)
{
	const struct key key = concatenate(el->key, el->n_key),
			 data = concatenate(el->data, el->n_data);
	struct count c = { .key = key.interval ? &key : NULL, .data = el->n_data ? &data : NULL };
	int r = netlink_ask(nl, element_message(NFT_MSG_GETSETELEM, 0, table, el, 0), take_element,
			    forget_elements, &c, e);

	if (r == -ENOENT)
		return 1;
	return r < 0 ? r : c.n == 0;
}

/* The data of an element, by the types that the caller expects. */
static void split(struct nft_element *el, const unsigned char *bytes, size_t len)
{
	size_t at = 0;

	for (unsigned i = 0; i < el->n_data; i++) {
		struct nft_atom *a = &el->data[i];
		size_t size = a->type == NFT_TYPE_IP ? ip_size(&a->net.ip) : sizeof(uint16_t);

		if (at + size > len)
			return;
		if (a->type == NFT_TYPE_IP)
			memcpy(a->net.ip.b, bytes + at, size);
		else
			a->number = (uint16_t)(bytes[at] << 8 | bytes[at + 1]);
		at += (size + 3) & ~(size_t)3;
	}
}

struct lookup {
	struct nft_element *el;
	bool found;
};

static int take_data(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *el[NFTA_SET_ELEM_MAX + 1],
		*value[NFTA_DATA_MAX + 1];
	struct lookup *l = ctx;
	struct nlattr *item;
	int left;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM ||
	    !nft_attributes(h, tb, NFTA_SET_ELEM_LIST_MAX) || !tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	nla_for_each_nested (item, tb[NFTA_SET_ELEM_LIST_ELEMENTS], left) {
		if (nla_parse_nested(el, NFTA_SET_ELEM_MAX, item, NULL) < 0 ||
		    el[NFTA_SET_ELEM_EXPIRATION] || !el[NFTA_SET_ELEM_DATA] ||
		    nla_parse_nested(value, NFTA_DATA_MAX, el[NFTA_SET_ELEM_DATA], NULL) < 0 ||
		    !value[NFTA_DATA_VALUE])
			continue;
		l->found = true;
		split(l->el, nla_data(value[NFTA_DATA_VALUE]),
		      (size_t)nla_len(value[NFTA_DATA_VALUE]));
	}
	return 0;
}

int nft_map_get(struct netlink *nl, const char *table, struct nft_element *el, struct err *e)
{
	struct lookup l = { .el = el };
	int r = netlink_ask(nl, element_message(NFT_MSG_GETSETELEM, 0, table, el, 0), take_data,
			    NULL, &l, e);

	if (r == -ENOENT)
		return 1;
	return r < 0 ? r : !l.found;
}

int nft_set_count(struct netlink *nl, const struct nft_ruleset *rules, const char *set,
		  unsigned *ret, struct err *e)
{
	struct nl_msg *m = nft_message(NFT_MSG_GETSETELEM, NLM_F_DUMP, rules->family);
	struct count c = { .n = 0 };
	int r;

	message_put_text(m, NFTA_SET_ELEM_LIST_TABLE, rules->table);
	message_put_text(m, NFTA_SET_ELEM_LIST_SET, set);
	r = netlink_ask(nl, m, take_element, forget_elements, &c, e);
	*ret = c.n;
	return r == -ENOENT ? 0 : r;
}

const char *nft_family_name(enum nft_family family)
{
	return family == NFT_BRIDGE ? "bridge" : "inet";
}

static void print_atom(const struct nft_atom *a, struct text *t)
{
	char buf[IP_TEXT];

	switch (a->type) {
	case NFT_TYPE_IFACE:
		text_add(t, "%u", a->ifindex);
		break;
	case NFT_TYPE_MAC:
		text_add(t, "%s", mac_text(&a->mac, buf));
		break;
	case NFT_TYPE_IP:
		text_add(t, "%s", ip_text(&a->net.ip, buf));
		break;
	case NFT_TYPE_NET:
		text_add(t, "%s", cidr_text(&a->net, buf));
		break;
	case NFT_TYPE_PROTO:
	case NFT_TYPE_PORT:
		text_add(t, "%u", a->number);
		break;
	}
}

static void print_atoms(const struct nft_atom *atoms, unsigned n, struct text *t)
{
	for (unsigned i = 0; i < n; i++) {
		text_add(t, "%s", i ? " . " : "");
		print_atom(&atoms[i], t);
	}
}

void nft_element_print(const char *verb, const char *table, const struct nft_element *el,
		       struct text *t)
{
	text_add(t, "nft %s element %s %s %s '{ ", verb, nft_family_name(el->family), table,
		 el->set);
	print_atoms(el->key, el->n_key, t);
	if (el->n_data) {
		text_add(t, " : ");
		print_atoms(el->data, el->n_data, t);
	}
	text_add(t, " }'");
}
