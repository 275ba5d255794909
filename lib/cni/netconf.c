/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network configuration as a struct netconf: the fields that all modes share, the mode's own,
 * and what the runtime adds for this one container. Judged whole before anything is touched.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"
#include "cni/netconf.h"
#include "mode/task.h"

int shape_error(struct err *e, const char *path, const json *value, const char *allowed)
{
	cleanup_free char *text = json_print(value);
	char shown[80];

	text_printable(shown, sizeof(shown), text ? text : "");
	return err_set(e, ERR_CONFIG, 0, "%s: %s must be %s", path, shown, allowed);
}

static const struct mode *select_mode(const struct call *c, struct err *e)
{
	return c->plugin->select ? c->plugin->select(c->root, e) : c->plugin->modes[0];
}

/* Read elsewhere and otherwise; here only so that each of them stands there once. */
struct once {
	const json *any;
};

/* NOLINTBEGIN(bugprone-sizeof-expression): a pointer is what FIELD_ANY fills */
static const struct field once_fields[] = {
	FIELD(struct once, any, "cniVersion", FIELD_ANY),
	FIELD(struct once, any, "name", FIELD_ANY),
	FIELD(struct once, any, "type", FIELD_ANY),
	FIELD(struct once, any, "ipam", FIELD_ANY),
	FIELD(struct once, any, "args", FIELD_ANY),
	FIELD(struct once, any, "runtimeConfig", FIELD_ANY),
	FIELD(struct once, any, "prevResult", FIELD_ANY),
	{ .key = NULL },
};
/* NOLINTEND(bugprone-sizeof-expression) */

static int read_fields(const struct call *c, const struct mode *mode, struct netconf *ret,
		       struct err *e)
{
	const char *type = json_string(json_get(c->root, "type"));
	struct once once;
	int r;

	if (mode->defaults)
		mode->defaults(ret->own);
	r = field_read(once_fields, c->root, "", ERR_CONFIG, &once, e);
	if (!r)
		r = field_read(netconf_fields, c->root, "", ERR_CONFIG, ret, e);
	if (!r && mode->fields)
		r = field_read(mode->fields, c->root, "", ERR_CONFIG, ret->own, e);
	if (!r)
		r = pool_judge_dns(&ret->dns, pool_dns_fields, "dns", e);
	if (r < 0)
		return r;
	text_copy(ret->cni_version, sizeof(ret->cni_version), spec_names[c->spec]);
	text_copy(ret->name, sizeof(ret->name), c->network);
	text_copy(ret->type, sizeof(ret->type), type ? type : "");
	ret->root = c->root;
	ret->ipam = c->ipam;
	return 0;
}

/* What goes wrong with a mode of this kind, whatever its own fields say. */
static int judge_namespace(const struct mode *mode, const struct netconf *c, struct err *e)
{
	if (!c->create_namespace || (!mode->host_namespace && !mode->stateless))
		return 0;
	err_set(e, ERR_CONFIG, 0, "createNamespace: true cannot go with the mode %s", mode->name);
	err_hint(e, "%s: leave createNamespace out",
		 mode->host_namespace
			 ? "its containers are in the host's own namespace"
			 : "it keeps no record by which DEL could remove the namespace");
	return -EINVAL;
}

/* The pool that `ipam` describes, and the ranges that come with one container. */
static int read_pool(const struct call *c, const struct mode *mode, const struct asked *asked,
		     struct pool *ret, struct err *e)
{
	if (call_names_itself(c)) {
		err_set(e, ERR_CONFIG, 0, "ipam.type: \"%s\" gives no addresses, it asks for them",
			c->foreign);
		err_hint(e, "name an IPAM plugin: \"task-ipam\", \"host-local\", \"dhcp\"");
		return -EINVAL;
	}
	return c->foreign ? 0 : pool_read(c->ipam, asked->ranges, mode->reserve, ret, e);
}

bool netconf_may_get_ranges(const struct call *c)
{
	const json *brought = json_get(c->root, "capabilities");

	return !(c->verb->env & ENV_CONTAINER_ID) &&
	       json_bool(json_get(brought, "ipRanges"), false);
}

/* What must fit together, whatever addresses come out of the pool. */
static int judge_pool(const struct call *c, const struct mode *mode, const struct netconf *conf,
		      struct err *e)
{
	const struct pool *pool = &conf->pool;
	int r = 0;

	if (c->foreign)
		return 0;
	if (mode->has_interface && conf->mtu)
		r = task_judge_mtu(conf->mtu, pool_has_family(pool, AF_INET6), e);
	if (r < 0 || netconf_may_get_ranges(c))
		return r;
	if (!pool->n_sets && mode->needs_address) {
		err_set(e, ERR_CONFIG, 0, "ipam.ranges: missing: mode %s needs an address",
			mode->name);
		err_hint(e, "for example \"ipam\": "
			    "{\"ranges\": [[{\"subnet\": \"10.0.1.0/24\"}]]}");
		return -EINVAL;
	}
	return pool_judge_routes(pool, e);
}

int netconf_read(const struct call *c, const struct mode **mode, struct netconf *ret,
		 struct asked *asked, struct err *e)
{
	const json *ipam = json_get(c->root, "ipam");
	int r;

	*mode = select_mode(c, e);
	if (!*mode)
		return -EINVAL;
	if (!json_is_absent(ipam) && !c->ipam)
		return shape_error(e, "ipam", ipam, "an object");
	r = read_fields(c, *mode, ret, e);
	if (!r)
		r = args_read(c->env.args, asked, e);
	if (!r)
		r = runtime_read(c, ret, asked, e);
	if (!r)
		r = read_pool(c, *mode, asked, &ret->pool, e);
	if (!r)
		r = judge_namespace(*mode, ret, e);
	if (!r && (*mode)->judge)
		r = (*mode)->judge(ret, e);
	return r ? r : judge_pool(c, *mode, ret, e);
}

/* ---- keys that no reader knows ---- */

static void tell_unknown(void *ctx, const char *path, const char *meant)
{
	const struct call *c = ctx;
	char shown[160];

	text_printable(shown, sizeof(shown), path);
	if (meant)
		call_warn(c, "%s: unknown key, ignored (did you mean %s?)", shown, meant);
	else
		call_warn(c, "%s: unknown key, ignored", shown);
}

/* @value: an object, or a list of objects, or of lists of them. */
static void look_through(struct call *c, const struct field *table, const json *value,
			 const char *path)
{
	char below[128];
	struct text t;
	unsigned i = 0;

	if (json_kind(value) == JSON_IS_OBJECT)
		field_unknown(table, value, path, tell_unknown, c);
	if (json_kind(value) != JSON_IS_ARRAY)
		return;
	for (const json *one = json_first(value); one; one = json_next(one)) {
		text_init(&t, below, sizeof(below));
		text_add(&t, "%s[%u]", path, i++);
		look_through(c, table, one, below);
	}
}

static void look_through_objects(struct call *c, const struct field *table)
{
	for (const struct field *f = table; f && f->key; f++)
		if (f->type == FIELD_OBJECT)
			look_through(c, f->fields, json_get(c->root, f->key), f->key);
}

/* ---- at the top level ---- */

#define TABLES 8

/* What the root may have: of every plugin, of all modes, of this one first. */
static unsigned tables_of(const struct call *c, const struct mode *mode,
			  const struct field *ret[static TABLES])
{
	unsigned n = 0;

	ret[n++] = mode->fields;
	ret[n++] = netconf_fields;
	ret[n++] = once_fields;
	for (const struct mode *const *m = c->plugin->modes; *m && n < TABLES; m++)
		if (*m != mode)
			ret[n++] = (*m)->fields;
	return n;
}

/* Of lists, of runtimes and of people: comments, labels, names with a domain. */
static bool is_of_others(const char *key)
{
	static const char *const keys[] = { "capabilities", "cniVersions", "disableCheck",
					    "disableGC",    "plugins",     "loadOnlyInlinedPlugins",
					    "comment",      "description" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcasecmp(key, keys[i]))
			return true;
	return strchr("_$#/", *key) || strchr(key, '/') || strchr(key, '.');
}

static void look_through_root(struct call *c, const struct mode *mode)
{
	const struct field *tables[TABLES];
	unsigned n = tables_of(c, mode, tables);

	for (const json *i = json_first(c->root); i; i = json_next(i)) {
		const char *key = json_key(i), *meant = NULL;
		bool known = is_of_others(key) || (mode->knows && mode->knows(key));

		for (unsigned t = 0; t < n && !known; t++)
			known = tables[t] && field_row(tables[t], key);
		for (unsigned t = 0; t < n && !known && !meant; t++)
			meant = field_meant(tables[t], key);
		if (!known && !json_is_absent(i))
			tell_unknown(c, key, meant);
	}
}

void netconf_unknown(struct call *c, const struct mode *mode)
{
	if (c->ipam && !c->foreign) {
		field_unknown(pool_fields, c->ipam, "ipam", tell_unknown, c);
		look_through(c, pool_range_fields, json_get(c->ipam, "ranges"), "ipam.ranges");
	}
	look_through_objects(c, netconf_fields);
	look_through_objects(c, mode->fields);
	if (!c->plugin->is_ipam)
		look_through_root(c, mode);
}
