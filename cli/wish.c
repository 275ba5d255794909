/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -p 8080:80 becomes a portMappings entry. An address or MAC goes by runtimeConfig where a plugin
 * declares that capability, else by CNI_ARGS, which is how podman and nerdctl ask for it.
 */
#include "wish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ip.h"
#include "base/text.h"
#include "store/store.h"

#define PORT_REMEDY                                                                                 \
	"[[IP:]HOST:]CONTAINER[/PROTO]: 8080:80, 8080:80/udp, 127.0.0.1:8080:80, 8000-8009:80-89, " \
	"on a bridge :80 or 80 for any free host port; an IPv6 address stands in [ ]"

struct ports {
	unsigned first, last;
};

static int refuse_port(const char *text, const char *why, struct err *e)
{
	char shown[80];

	text_printable(shown, sizeof(shown), text);
	cli_error(e, EXIT_USAGE, "-p %s: %s", shown, why);
	err_hint(e, PORT_REMEDY);
	return -EINVAL;
}

static bool read_number(const char *text, size_t len, unsigned *ret)
{
	unsigned n = 0;

	if (!len || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (unsigned)(text[i] - '0');
	}
	*ret = n;
	return n <= 65535;
}

/* "80" or "80-89". */
static bool read_range(const char *text, size_t len, struct ports *ret)
{
	const char *dash = memchr(text, '-', len);
	size_t first = dash ? (size_t)(dash - text) : len;

	if (!read_number(text, first, &ret->first))
		return false;
	ret->last = ret->first;
	return !dash ||
	       (read_number(dash + 1, len - first - 1, &ret->last) && ret->last >= ret->first);
}

/* The address in front, if there is one. Return: what follows it, NULL if it is no address. */
static const char *read_address(const char *text, struct ip *ret)
{
	const char *end = *text == '[' ? strchr(text, ']') : strchr(text, ':');
	char copy[IP_TEXT];

	ret->family = 0;
	if (*text != '[' && (!end || !strchr(end + 1, ':')))
		return text;
	if (!end || (*text == '[' && end[1] != ':'))
		return NULL;
	text += *text == '[';
	snprintf(copy, sizeof(copy), "%.*s", (int)(end - text), text);
	return ip_parse(copy, ret) ? end + 1 + (*end == ']') : NULL;
}

struct mapping {
	struct ip ip;
	struct ports host, container;
	const char *protocol; /* static storage */
};

/* Return: NULL if it is none. */
static const char *read_protocol(const char *text)
{
	static const char *const names[] = { "tcp", "udp", "sctp" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(text, names[i]))
			return names[i];
	return NULL;
}

/* What is wrong with it; NULL: nothing. */
static const char *read_mapping(const char *text, struct mapping *ret)
{
	const char *rest = read_address(text, &ret->ip), *colon, *slash;
	size_t len;

	if (!rest)
		return "what stands in front is no IP address";
	slash = strchr(rest, '/');
	len = slash ? (size_t)(slash - rest) : strlen(rest);
	ret->protocol = read_protocol(slash ? slash + 1 : "tcp");
	if (!ret->protocol)
		return "the protocol is tcp, udp or sctp";
	colon = memchr(rest, ':', len);
	ret->host = (struct ports){ 0, 0 };
	if (colon && colon > rest && !read_range(rest, (size_t)(colon - rest), &ret->host))
		return "the host port is no number of 0-65535, nor FIRST-LAST";
	if (colon) {
		len -= (size_t)(colon + 1 - rest);
		rest = colon + 1;
	}
	if (!read_range(rest, len, &ret->container) || !ret->container.first)
		return "the container's port is no number of 1-65535, nor FIRST-LAST";
	if (ret->host.first &&
	    ret->host.last - ret->host.first != ret->container.last - ret->container.first)
		return "the two ranges are not of one length";
	return NULL;
}

static void add_mapping(json *list, const struct mapping *m)
{
	char text[IP_TEXT];

	for (unsigned i = 0; i <= m->container.last - m->container.first; i++) {
		json *one = json_add_object(list, NULL);

		json_add_integer(one, "hostPort", m->host.first ? m->host.first + i : 0);
		json_add_integer(one, "containerPort", m->container.first + i);
		json_add_string(one, "protocol", m->protocol);
		if (ip_is_set(&m->ip))
			json_add_string(one, "hostIP", ip_text(&m->ip, text));
	}
}

_Static_assert(STORE_PORTS == 1024, "as the words below say");

static int read_ports(const struct wish *w, json *runtime, struct err *e)
{
	json *list = w->ports.n ? json_add_array(runtime, "portMappings") : NULL;

	for (unsigned i = 0; i < w->ports.n; i++) {
		struct mapping m;
		const char *why = read_mapping(w->ports.text[i], &m);

		if (!why && json_count(list) + m.container.last - m.container.first >= STORE_PORTS)
			why = "more than 1024 ports";
		if (why)
			return refuse_port(w->ports.text[i], why, e);
		add_mapping(list, &m);
	}
	return 0;
}

/* "10.0.1.5,fd00::5" */
static int read_ips(const struct wish *w, json *runtime, struct err *e)
{
	json *list = w->ip ? json_add_array(runtime, "ips") : NULL;
	cleanup_free char *copy = w->ip ? strdup(w->ip) : NULL;
	char *rest = copy, *one, shown[80];
	struct cidr cidr;
	struct ip ip;

	while (rest && (one = strsep(&rest, ","))) {
		if (ip_parse(one, &ip) || cidr_parse(one, &cidr)) {
			json_add_string(list, NULL, one);
			continue;
		}
		text_printable(shown, sizeof(shown), one);
		cli_error(e, EXIT_USAGE, "--ip: \"%s\" is no IP address", shown);
		err_hint(e, "an address of a subnet of the network (`taskvpc subnets`); for two "
			    "families: ADDRESS,ADDRESS");
		return -EINVAL;
	}
	return 0;
}

static int read_mac(const struct wish *w, json *runtime, struct err *e)
{
	char shown[80], text[MAC_TEXT];
	struct mac mac;

	if (!w->mac)
		return 0;
	if (mac_parse(w->mac, &mac) && mac_is_unicast(&mac) && mac_is_set(&mac)) {
		json_add_string(runtime, "mac", mac_text(&mac, text));
		return 0;
	}
	text_printable(shown, sizeof(shown), w->mac);
	cli_error(e, EXIT_USAGE, "--mac: \"%s\" is no MAC address of an interface", shown);
	err_hint(e, "one like 02:00:00:00:00:01: six pairs of hex digits, the first even");
	return -EINVAL;
}

/* Does some plugin of the chain take it? */
static bool declares(const json *list, const char *capability)
{
	const json *p = json_first(json_get(list, "plugins"));

	while (p && !json_bool(json_get(json_get(p, "capabilities"), capability), false))
		p = json_next(p);
	return p != NULL;
}

static char *arguments(const struct wish *w, const json *list)
{
	bool ip = w->ip && !declares(list, "ips"), mac = w->mac && !declares(list, "mac");
	char *text = NULL;

	if ((ip || mac) && asprintf(&text, "IgnoreUnknown=1%s%s%s%s", ip ? ";IP=" : "",
				    ip ? w->ip : "", mac ? ";MAC=" : "", mac ? w->mac : "") < 0)
		return NULL;
	return text;
}

int wish_read(const struct wish *w, const json *list, json **ret_runtime, char **ret_args,
	      struct err *e)
{
	cleanup_json json *runtime = json_object();
	int r = read_ports(w, runtime, e);

	if (!r)
		r = read_ips(w, runtime, e);
	if (!r)
		r = read_mac(w, runtime, e);
	if (r < 0)
		return r;
	if (w->ports.n && !declares(list, "portMappings")) {
		err_set(e, ERR_CONFIG, 0, "-p: no plugin of the network %s takes published ports",
			json_string(json_get(list, "name")));
		err_hint(e, "declare \"capabilities\": {\"portMappings\": true} for one that does");
		return -EINVAL;
	}
	*ret_args = arguments(w, list);
	*ret_runtime = runtime;
	runtime = NULL;
	return 0;
}
