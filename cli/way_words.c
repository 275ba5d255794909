/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From words to the two ends of a way: tasks, addresses, the host, anybody outside. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "etc.h"
#include "way.h"

/*
 * Addresses that are kept for documentation and for benchmarks (RFC 5737, 3849, 2544, 5180): nobody
 * outside has them. But a lab may have them inside.
 */
static const char *const nobodies[] = { "203.0.113.1", "198.51.100.1", "192.0.2.1", "198.18.0.1" };
static const char *const nobodies6[] = { "2001:db8:ffff::1", "2001:2::1" };

/* An address of its own: not the host's, and not one that every namespace has. */
static bool own_address(const json *row, const json *address, struct ip *ret)
{
	struct cidr c;

	if (!cidr_parse(live_text(address, "address"), &c) || ip_is_loopback(&c.ip) ||
	    !strcmp(live_text(row, "mode"), "host"))
		return false;
	*ret = c.ip;
	return true;
}

const json *way_owner(const struct way *w, const struct ip *ip)
{
	struct ip own;

	for (const json *row = json_first(w->rows); row; row = json_next(row)) {
		if (strcmp(live_text(row, "state"), "up") != 0)
			continue;
		for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a))
			if (own_address(row, a, &own) && ip_equal(&own, ip))
				return row;
	}
	return NULL;
}

/* ---- DST[:PORT][/PROTO] ---- */

#define WORD 160
struct word {
	char name[WORD];
	uint8_t protocol;
	uint16_t port;
};

static int refuse(const char *text, const char *why, struct err *e)
{
	char shown[80];

	text_printable(shown, sizeof(shown), text);
	cli_error(e, EXIT_USAGE, "\"%s\": %s", shown, why);
	err_hint(e, "taskvpc explain SRC DST[:PORT][/PROTO]: each a task, an address, host or "
		    "outside;\n"
		    "an IPv6 address with a port in brackets: [2001:db8::1]:80");
	return -EINVAL;
}

/* The slash of "shop/web-0:80" belongs to the name of a pod. */
static bool is_of_pod(const struct way *w, const char *name)
{
	size_t len = strcspn(name, ":");

	for (const json *row = json_first(w->rows); row; row = json_next(row))
		if (!strncmp(live_text(row, "name"), name, len) &&
		    strlen(live_text(row, "name")) == len)
			return true;
	return false;
}

static int read_protocol(const struct way *w, const char *text, struct word *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint8_t protocol;
	} rows[] = {
		{ "tcp", IPPROTO_TCP },
		{ "udp", IPPROTO_UDP },
		{ "sctp", IPPROTO_SCTP },
		{ "icmp", IPPROTO_ICMP },
	};

	char *slash = strrchr(ret->name, '/');

	if (!slash)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcasecmp(slash + 1, rows[i].name))
			ret->protocol = rows[i].protocol;
	if (!ret->protocol && is_of_pod(w, ret->name))
		return 0;
	*slash = '\0';
	return ret->protocol ? 0 : refuse(text, "the protocol is tcp, udp, sctp or icmp", e);
}

/* The colon before the port: not one of an IPv6 address without brackets. */
static char *find_port(char *name)
{
	char *colon = strrchr(name, ':');

	if (*name == '[')
		return strchr(name, ']') && colon && colon == strchr(name, ']') + 1 ? colon : NULL;
	return colon && strchr(name, ':') == colon ? colon : NULL;
}

static int read_port(char *colon, const char *text, struct word *ret, struct err *e)
{
	unsigned long port;
	char *end;

	if (!colon)
		return 0;
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || port < 1 || port > 65535)
		return refuse(text, "the port is a number from 1 to 65535", e);
	ret->port = (uint16_t)port;
	*colon = '\0';
	return 0;
}

static int read_word(const struct way *w, const char *text, struct word *ret, struct err *e)
{
	size_t len;
	int r;

	*ret = (struct word){ .port = 0 };
	if (!text_copy(ret->name, sizeof(ret->name), text) || !*text)
		return refuse(text, "no task, and no address", e);
	r = read_protocol(w, text, ret, e);
	if (r == 0)
		r = read_port(find_port(ret->name), text, ret, e);
	len = strlen(ret->name);
	if (r == 0 && *ret->name == '[' && len > 2 && ret->name[len - 1] == ']') {
		ret->name[len - 1] = '\0';
		memmove(ret->name, ret->name + 1, len - 1);
	}
	if (r == 0 && !ret->protocol)
		ret->protocol = ret->port ? IPPROTO_TCP : IPPROTO_ICMP;
	if (r == 0 && (ret->protocol == IPPROTO_ICMP) != !ret->port)
		return refuse(text, ret->port ? "icmp has no ports" : "which port? NAME:PORT/PROTO",
			      e);
	return r;
}

/* ---- which end is it? ---- */

static bool is_up(const json *row)
{
	return !strcmp(live_text(row, "state"), "up");
}

/* To ask a name server would send packets; and each task may have another. */
static void hint_name(const char *name, struct err *e)
{
	char shown[80];

	if (!strchr(name, '.'))
		return;
	text_printable(shown, sizeof(shown), name);
	cli_error(e, EXIT_ABSENT, "\"%s\" is neither a task nor an address", shown);
	err_hint(e, "host names are not resolved: taskvpc exec TASK -- getent ahosts %s", shown);
}

static int find_task(const struct way *w, const char *name, struct way_end *ret, struct err *e)
{
	json *found = NULL; /* copies: what is kept are rows of @w */
	int r = live_find(w->rows, name, &found, e);

	if (r < 0 && cli_status(e) == EXIT_ABSENT)
		hint_name(name, e);
	if (r < 0)
		return r;
	ret->kind = END_TASK;
	for (const json *row = json_first(w->rows); row; row = json_next(row))
		if (!strcmp(live_text(row, "task"), live_text(json_first(found), "task")) &&
		    (!ret->row || !strcmp(live_text(row, "interface"), "eth0")))
			ret->row = row;
	json_free(found);
	if (!is_up(ret->row)) {
		cli_error(e, EXIT_ABSENT, "task %s is %s: no packet comes from it or gets to it",
			  live_text(ret->row, "task"), live_text(ret->row, "state"));
		err_hint(e, "`taskvpc gc` takes back what dead tasks hold");
		return -ENOENT;
	}
	return 0;
}

/* 224.0.0.0/4, ff00::/8, 255.255.255.255: whoever wants to hears it. */
static bool is_of_many(const struct ip *ip)
{
	return ip_is_multicast(ip) || (ip->family == AF_INET && ip_to_num(ip) == UINT32_MAX);
}

static int find_end(struct way *w, const char *name, struct way_end *ret, struct err *e)
{
	struct route_way local;
	int why, r;

	*ret = (struct way_end){ .kind = END_OUTSIDE };
	if (!strcmp(name, "host") || !strcmp(name, ETC_HOST_NAME))
		ret->kind = END_HOST;
	if (ret->kind == END_HOST || !strcmp(name, "outside"))
		return 0;
	if (!ip_parse(name, &ret->ip)) {
		r = find_task(w, name, ret, e);
		if (r == 0 && !strcmp(live_text(ret->row, "mode"), "host"))
			*ret = (struct way_end){ .kind = END_HOST };
		return r;
	}
	if (is_of_many(&ret->ip))
		return refuse(name, "an address of many: a packet to it has no one way", e);
	ret->row = way_owner(w, &ret->ip);
	if (ret->row) {
		ret->kind = END_TASK;
		return 0;
	}
	r = route_way_find(&w->host->route, &(struct route_ask){ .dst = ret->ip }, &local, &why, e);
	if (r == 0 && local.local)
		ret->kind = END_HOST;
	return r < 0 ? r : 0;
}

/* ---- which address? ---- */

static bool task_address(const json *row, uint8_t family, struct ip *ret)
{
	struct ip own;

	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a)) {
		if (!own_address(row, a, &own) || own.family != family)
			continue;
		*ret = own;
		return true;
	}
	return false;
}

/* A family that @end can speak. */
static bool speaks(const struct way_end *end, uint8_t family)
{
	struct ip ip;

	if (ip_is_set(&end->ip))
		return end->ip.family == family;
	return end->kind != END_TASK || task_address(end->row, family, &ip);
}

/* The address that the host itself would use towards the other end. */
static struct ip host_address(struct way *w, const struct ip *to, uint8_t family)
{
	struct route_ask ask = { .dst = *to };
	struct route_way way;
	struct err ignored;
	int why;

	if (!ip_is_set(to))
		ip_parse(family == AF_INET6 ? "::1" : "127.0.0.1", &ask.dst);
	if (route_way_find(&w->host->route, &ask, &way, &why, &ignored) != 0)
		return (struct ip){ .family = 0 };
	return way.src;
}

/* One that is reached by the default route; if none is, the first: the way tells what is missing.
 */
static struct ip outside_address(struct way *w, uint8_t family)
{
	const char *const *list = family == AF_INET6 ? nobodies6 : nobodies;
	const size_t n = family == AF_INET6 ? ARRAY_SIZE(nobodies6) : ARRAY_SIZE(nobodies);
	struct route_ask ask = { .iif = 0 };
	struct route_way way;
	struct err ignored;
	struct ip first;
	int why;

	ip_parse(list[0], &first);
	for (size_t i = 0; i < n; i++) {
		ip_parse(list[i], &ask.dst);
		if (route_way_find(&w->host->route, &ask, &way, &why, &ignored) == 0 &&
		    !way.match.len)
			return ask.dst;
	}
	return first;
}

static void choose_address(struct way *w, struct way_end *end, const struct way_end *other,
			   uint8_t family)
{
	if (ip_is_set(&end->ip))
		return;
	if (end->kind == END_TASK)
		task_address(end->row, family, &end->ip);
	else if (end->kind == END_OUTSIDE)
		end->ip = outside_address(w, family);
	else
		end->ip = host_address(w, &other->ip, family);
}

static int choose_addresses(struct way *w, struct way_end *src, struct way_end *dst, struct err *e)
{
	uint8_t family = AF_INET;

	if (!speaks(src, family) || !speaks(dst, family))
		family = AF_INET6;
	if (!speaks(src, family) || !speaks(dst, family)) {
		cli_error(e, EXIT_NO, "they have no address family in common");
		err_hint(e,
			 "`taskvpc ls` tells the addresses of tasks; those of mode none have none");
		return -EAFNOSUPPORT;
	}
	/* The host has many: which one, only the other end's address tells. */
	if (src->kind != END_HOST)
		choose_address(w, src, dst, family);
	choose_address(w, dst, src, family);
	choose_address(w, src, dst, family);
	if (ip_is_set(&dst->ip))
		return 0;
	cli_error(e, EXIT_NO, "the host has no way to the source, and so no address for it");
	if (src->kind == END_OUTSIDE)
		err_hint(e,
			 "without a default route nobody is \"outside\": ip route add default via "
			 "ROUTER, or name an address instead");
	else
		err_hint(e, "name one of its addresses instead of \"host\": ip addr");
	return -EINVAL;
}

int way_words(struct way *w, const char *src, const char *dst, struct way_end *ret_src,
	      struct way_end *ret_dst, struct err *e)
{
	struct word from, to = { .port = 0 };
	int r = read_word(w, src, &from, e);

	if (r == 0 && from.port)
		return refuse(src, "the source has no port: it is the destination's that counts",
			      e);
	if (r == 0)
		r = read_word(w, dst, &to, e);
	if (r == 0)
		r = find_end(w, from.name, ret_src, e);
	if (r == 0)
		r = find_end(w, to.name, ret_dst, e);
	if (r == 0 && ret_src->kind == END_OUTSIDE && ret_dst->kind == END_OUTSIDE)
		return refuse(dst, "both ends are outside of this host", e);
	if (r == 0)
		r = choose_addresses(w, ret_src, ret_dst, e);
	w->p.protocol = to.protocol;
	w->p.port = to.port;
	return r;
}
