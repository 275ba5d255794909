/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of others, in any shape from 0.1.0 on: prevResult, and the answers of IPAM plugins, which
 * often leave the version out. What is there tells the shape, not what the version promises.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "cni/result.h"

struct reader {
	const struct result_source *source;
	struct result *ret;
	struct err *e;
	char path[96]; /* of the object being read */
};

static const struct field route_fields[] = {
	FIELD(struct route, dst, "dst", FIELD_CIDR, .flags = FIELD_REQUIRED),
	FIELD(struct route, mtu, "mtu", FIELD_U32, .max = UINT32_MAX),
	FIELD(struct route, advmss, "advmss", FIELD_U32, .max = UINT32_MAX),
	FIELD(struct route, priority, "priority", FIELD_U32, .max = UINT32_MAX),
	FIELD(struct route, table, "table", FIELD_U32, .max = UINT32_MAX),
	FIELD(struct route, scope, "scope", FIELD_U32, .max = 255),
	{ .key = NULL },
};

static int wrong(struct reader *rd, const char *key, const char *allowed)
{
	return err_set(rd->e, rd->source->code, 0, "%s%s%s: must be %s", rd->path,
		       key[0] ? "." : "", key, allowed);
}

static int wrong_text(struct reader *rd, const char *key, const char *text, const char *allowed)
{
	char shown[80];

	text_printable(shown, sizeof(shown), text ? text : "");
	return err_set(rd->e, rd->source->code, 0, "%s.%s: \"%s\" must be %s", rd->path, key, shown,
		       allowed);
}

static void enter(struct reader *rd, const char *list, int index)
{
	struct text t;

	text_init(&t, rd->path, sizeof(rd->path));
	text_add(&t, "%s", rd->source->what);
	if (list)
		text_add(&t, ".%s", list);
	if (index >= 0)
		text_add(&t, "[%d]", index);
}

static int get_text(struct reader *rd, const json *o, const char *key, const char **ret)
{
	const json *value = json_get(o, key);

	*ret = json_string(value);
	return json_is_absent(value) || *ret ? 0 : wrong(rd, key, "a string");
}

/* An address; absent and "" are none. */
static int get_ip(struct reader *rd, const json *o, const char *key, struct ip *ret)
{
	const char *text;

	*ret = (struct ip){ 0 };
	if (get_text(rd, o, key, &text) < 0)
		return -EINVAL;
	return !text || !*text || ip_parse(text, ret) ? 0 : wrong_text(rd, key, text, "an address");
}

/* Calls @read for each object of the list @key of @doc. */
static int each(struct reader *rd, const json *doc, const char *key, unsigned max,
		int (*read)(struct reader *rd, const json *o))
{
	const json *list = json_get(doc, key);
	int i = 0, r;

	enter(rd, key, -1);
	if (json_is_absent(list))
		return 0;
	if (json_kind(list) != JSON_IS_ARRAY)
		return wrong(rd, "", "a list");
	if (json_count(list) > max)
		return err_set(rd->e, rd->source->code, 0, "%s: more than %u entries", rd->path,
			       max);
	for (const json *o = json_first(list); o; o = json_next(o)) {
		enter(rd, key, i++);
		if (json_kind(o) != JSON_IS_OBJECT)
			return wrong(rd, "", "an object");
		r = read(rd, o);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_interface(struct reader *rd, const json *o)
{
	struct result_interface *i = &rd->ret->interfaces[rd->ret->n_interfaces];
	const json *mtu = json_get(o, "mtu");
	int64_t n = 0;

	if (get_text(rd, o, "name", &i->name) < 0 || get_text(rd, o, "mac", &i->mac) < 0 ||
	    get_text(rd, o, "sandbox", &i->sandbox) < 0 ||
	    get_text(rd, o, "socketPath", &i->socket_path) < 0 ||
	    get_text(rd, o, "pciID", &i->pci_id) < 0)
		return -EINVAL;
	if (!i->name)
		return wrong(rd, "name", "given");
	if (!json_is_absent(mtu) && (!json_integer(mtu, &n) || n < 0 || n > UINT32_MAX))
		return wrong(rd, "mtu", "a number of bytes");
	i->mtu = (uint32_t)n;
	rd->ret->n_interfaces++;
	return 0;
}

static int get_address(struct reader *rd, const json *o, const char *key, struct result_ip *ret)
{
	const char *text;

	if (get_text(rd, o, key, &text) < 0)
		return -EINVAL;
	if (!text || !cidr_parse(text, &ret->address))
		return wrong_text(rd, key, text, "an address with its prefix length");
	return get_ip(rd, o, "gateway", &ret->gateway);
}

static int read_ip(struct reader *rd, const json *o)
{
	struct result_ip *ip = &rd->ret->ips[rd->ret->n_ips];
	const json *index = json_get(o, "interface");
	int64_t n = -1;

	if (get_address(rd, o, "address", ip) < 0)
		return -EINVAL;
	ip->interface = -1;
	if (!json_is_absent(index) && !rd->source->abbreviated) {
		if (!json_integer(index, &n) || n < 0 || n >= rd->ret->n_interfaces)
			return wrong(rd, "interface", "an index into interfaces");
		ip->interface = (int)n;
	}
	rd->ret->n_ips++;
	return 0;
}

static int read_route(struct reader *rd, const json *o)
{
	struct route *route;

	if (rd->ret->n_routes == RESULT_ROUTES)
		return wrong(rd, "", "left out: there are too many routes");
	route = &rd->ret->routes[rd->ret->n_routes];
	*route = (struct route){ 0 };
	if (field_read(route_fields, o, rd->path, rd->source->code, route, rd->e) < 0)
		return -EINVAL;
	route->has_scope = !json_is_absent(json_get(o, "scope"));
	rd->ret->n_routes++;
	return get_ip(rd, o, "gw", &route->gw);
}

/* ip4 or ip6 of 0.1.0 and 0.2.0. */
static int read_legacy(struct reader *rd, const json *doc, const char *key)
{
	struct result_ip *ip = &rd->ret->ips[rd->ret->n_ips];
	const json *o = json_get(doc, key);

	if (json_is_absent(o))
		return 0;
	enter(rd, key, -1);
	if (json_kind(o) != JSON_IS_OBJECT)
		return wrong(rd, "", "an object");
	if (get_address(rd, o, "ip", ip) < 0)
		return -EINVAL;
	ip->interface = -1;
	rd->ret->n_ips++;
	return each(rd, o, "routes", RESULT_ROUTES, read_route);
}

static int read_texts(struct reader *rd, const json *dns, const char *key, struct result_list *ret)
{
	const json *list = json_get(dns, key);

	if (json_is_absent(list))
		return 0;
	if (json_kind(list) != JSON_IS_ARRAY || json_count(list) > RESULT_DNS)
		return wrong(rd, key, "a list of at most 32 strings");
	for (const json *o = json_first(list); o; o = json_next(o)) {
		if (!json_string(o))
			return wrong(rd, key, "a list of strings");
		ret->text[ret->n++] = json_string(o);
	}
	return 0;
}

static int read_dns(struct reader *rd, const json *doc)
{
	const json *dns = json_get(doc, "dns");

	if (json_is_absent(dns))
		return 0;
	enter(rd, "dns", -1);
	if (json_kind(dns) != JSON_IS_OBJECT)
		return wrong(rd, "", "an object");
	if (read_texts(rd, dns, "nameservers", &rd->ret->nameservers) < 0 ||
	    read_texts(rd, dns, "search", &rd->ret->search) < 0 ||
	    read_texts(rd, dns, "options", &rd->ret->options) < 0)
		return -EINVAL;
	return get_text(rd, dns, "domain", &rd->ret->domain);
}

static int read_version(struct reader *rd, const json *doc)
{
	enum spec spec;
	const char *text;

	if (get_text(rd, doc, "cniVersion", &text) < 0)
		return -EINVAL;
	return !text || !*text || spec_find(text, &spec)
		       ? 0
		       : wrong(rd, "cniVersion", "a version that we support");
}

int result_read(const json *doc, const struct result_source *source, struct result *ret,
		struct err *e)
{
	struct reader rd = { .source = source, .ret = ret, .e = e };

	enter(&rd, NULL, -1);
	if (json_kind(doc) != JSON_IS_OBJECT)
		return err_set(e, source->code == ERR_CONFIG ? ERR_DECODE : source->code, 0,
			       "%s: must be an object", source->what);
	if (read_version(&rd, doc) < 0)
		return -EINVAL;
	if (!source->abbreviated &&
	    each(&rd, doc, "interfaces", RESULT_INTERFACES, read_interface) < 0)
		return -EINVAL;
	if (json_get(doc, "ips")) {
		if (each(&rd, doc, "ips", RESULT_IPS, read_ip) < 0)
			return -EINVAL;
	} else if (read_legacy(&rd, doc, "ip4") < 0 || read_legacy(&rd, doc, "ip6") < 0) {
		return -EINVAL;
	}
	if (each(&rd, doc, "routes", RESULT_ROUTES, read_route) < 0)
		return -EINVAL;
	return read_dns(&rd, doc);
}
