/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The foreign IPAM plugin in an ADD: its answer, and that it is not needed any more. */
#include "cni/delegated.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ip_special.h"
#include "base/text.h"

/* What no address of a task is in its subnet, by its prefix. NULL: it is one. */
static const char *wrong_place(const struct cidr *c)
{
	struct ip first = cidr_first(c), last = cidr_last(c);
	bool v4 = c->ip.family == AF_INET;

	if (!c->len)
		return "has the prefix length 0";
	if (c->len + 1U >= ip_bits(&c->ip))
		return NULL; /* RFC 3021, RFC 6164: a network of one or two addresses has neither */
	if (ip_equal(&c->ip, &first))
		return v4 ? "is the network address" : "is the routers' anycast address";
	return v4 && ip_equal(&c->ip, &last) ? "is the broadcast address" : NULL;
}

static int refuse(const struct add *add, const char *what, const char *why, struct err *e)
{
	err_set(e, ERR_DELEGATE, EADDRNOTAVAIL, "result of %s: %s %s", add->c->foreign, what, why);
	err_hint(e, "no task may have it: correct the configuration of the IPAM plugin");
	return -EADDRNOTAVAIL;
}

static int refuse_special(const struct add *add, const char *key, const struct ip *ip,
			  const char *special, struct err *e)
{
	char text[IP_TEXT], what[IP_TEXT + 16];

	snprintf(what, sizeof(what), "%s %s is", key, ip_text(ip, text));
	return refuse(add, what, special, e);
}

/* The router may be known by an address of the link alone, fe80::1 for example. */
static int judge_gateway(const struct add *add, const struct ip *gw, struct err *e)
{
	bool of_link = gw->family == AF_INET6 && ip_is_link_local(gw);
	const char *special = ip_is_set(gw) && !of_link ? ip_special_name(gw) : NULL;

	return special ? refuse_special(add, "the gateway", gw, special, e) : 0;
}

/* The plugin knows nothing of this host, and may be told anything: what its own pool would not
 * give, nobody else's gives either. */
static int judge_address(struct add *add, const struct address *address, struct err *e)
{
	const struct ip *ip = &address->cidr.ip;
	const char *special = ip_special_name(ip), *place = wrong_place(&address->cidr);
	char text[IP_TEXT];
	int r;

	if (special)
		return refuse_special(add, "the address", ip, special, e);
	if (place)
		return refuse(add, cidr_text(&address->cidr, text), place, e);
	r = judge_gateway(add, &address->gateway, e);
	if (r == 0)
		r = prepare_judge(add, ip, e);
	if (r != 1)
		return r;
	err_prefix(e, "result of %s", add->c->foreign);
	e->code = ERR_DELEGATE;
	return -EADDRINUSE;
}

static int judge_addresses(struct add *add, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < add->a.n_addresses && r == 0; i++)
		r = judge_address(add, &add->a.addresses[i], e);
	return r;
}

static int read_delegated(struct add *add, const char *text, struct err *e)
{
	char what[96];
	const struct result_source source = { what, ERR_DELEGATE, .abbreviated = true };
	struct text t;
	int r;

	text_init(&t, what, sizeof(what));
	text_add(&t, "result of %s", add->c->foreign);
	r = json_parse(text, strlen(text), what, &add->given_root, e);
	if (r < 0) {
		e->code = ERR_DELEGATE;
		return r;
	}
	r = result_read(add->given_root, &source, &add->given, e);
	if (r < 0)
		return r;
	if (!add->given.n_ips && add->mode->needs_address)
		return err_set(e, ERR_DELEGATE, 0, "%s has no address", what);
	r = result_to_attachment(&add->given, &add->a, e);
	return r < 0 ? r : judge_addresses(add, e);
}

int delegated_ask(struct add *add, struct err *e)
{
	cleanup_free char *text = NULL;
	int r;

	if (!add->c->foreign)
		return 0;
	r = call_delegate(add->c, "ADD", &text, e);
	return r < 0 ? r : read_delegated(add, text ? text : "", e);
}

void delegated_undo(struct add *add, const char *why)
{
	struct err e;

	if (call_delegate(add->c, "DEL", NULL, &e) < 0)
		call_warn(add->c, "DEL of %s %s: %s", add->c->foreign, why, e.msg);
}
