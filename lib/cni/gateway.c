/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gateways of an attachment: the one that CNI_ARGS asks for, and that none is a task's address.
 */
#include "cni/gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* Network and broadcast address are nobody's; IPv6 has neither, nor has a /31 (RFC 3021). */
static bool is_of_all(const struct cidr *subnet, const struct ip *a)
{
	struct ip first = cidr_first(subnet), last = cidr_last(subnet);

	return a->family == AF_INET && subnet->len < 31 &&
	       (ip_equal(a, &first) || ip_equal(a, &last));
}

static int refuse(const struct ip *gateway, const char *why, const char *hint, struct err *e)
{
	char text[IP_TEXT];

	err_set(e, ERR_CONFIG, 0, "CNI_ARGS GATEWAY: %s %s", ip_text(gateway, text), why);
	err_hint(e, "%s", hint);
	return -EINVAL;
}

/* The gateway of @at becomes @gateway, and that of the routes by it. */
static void replace(struct attachment *a, struct address *at, const struct ip *gateway)
{
	for (unsigned k = 0; k < a->n_routes; k++)
		if (ip_equal(&a->routes[k].gw, &at->gateway))
			a->routes[k].gw = *gateway;
	at->gateway = *gateway;
}

int gateway_use(struct attachment *a, const struct ip *asked, struct err *e)
{
	bool used = false;

	if (!ip_is_set(asked))
		return 0;
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct address *at = &a->addresses[i];

		if (!cidr_contains(&at->cidr, asked))
			continue;
		if (ip_equal(&at->cidr.ip, asked))
			return refuse(asked, "is the task's own address",
				      "ask for another gateway, or another address", e);
		if (is_of_all(&at->cidr, asked))
			return refuse(asked, "is the network or broadcast address of the subnet",
				      "ask for an address between them", e);
		replace(a, at, asked);
		used = true;
	}
	return used ? 0
		    : refuse(asked, "is in no subnet of the addresses that the task gets",
			     "ask for an address of its subnet too, by IP", e);
}

int gateway_find_holder(struct store *s, const struct attachment *a, struct store_holder *ret,
			struct ip *ret_gateway, struct err *e)
{
	cleanup_free struct store_record *record = malloc(sizeof(*record));
	int r = STORE_ABSENT;

	if (!record)
		return err_sys(e, ERR_STORE, ENOMEM, "a record");
	for (unsigned i = 0; i < a->n_addresses && r == STORE_ABSENT; i++) {
		*ret_gateway = a->addresses[i].gateway;
		if (ip_is_set(ret_gateway))
			r = store_find(s, ret_gateway, record, e);
	}
	if (r == STORE_OK)
		*ret = record->key;
	return r;
}
