/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what is configured and what is compiled in to lists of plugins. Judged here is what a
 * runtime needs: a name, plugins with types, a version that both sides speak; the rest is the
 * plugins' business. Files are read by network_file.c.
 */
#include "network.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ipam/pool.h"

#define BUILT_IN "built-in"

/* Versions that we speak, oldest first. */
static const char *const versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1",
					"0.4.0", "1.0.0", "1.1.0" };

void network_free(struct network *n)
{
	if (n)
		json_free(n->list);
	free(n);
}

void networks_free(struct networks *all)
{
	for (unsigned i = 0; i < all->n; i++)
		network_free(all->of[i]);
	all->n = 0;
}

/* ---- judging one ---- */

bool network_is_name(const char *s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *s && !strchr("_.-", *s) && strspn(s, letters) == strlen(s) &&
	       strlen(s) <= STORE_NAME_MAX;
}

static int version_index(const char *text)
{
	for (int i = 0; i < (int)ARRAY_SIZE(versions); i++)
		if (text && !strcmp(text, versions[i]))
			return i;
	return -1;
}

/* The newest of `cniVersion` and `cniVersions` that we speak, as libcni takes it. -1: none. */
static int choose_version(const json *doc)
{
	const json *one = json_get(doc, "cniVersion");
	int best = json_is_absent(one) ? 0 : version_index(json_string(one));

	for (const json *v = json_first(json_get(doc, "cniVersions")); v; v = json_next(v)) {
		int n = version_index(json_string(v));

		best = n > best ? n : best;
	}
	return best;
}

static int judge_plugins(const json *plugins, const char *source, struct err *e)
{
	unsigned i = 0;

	if (json_kind(plugins) != JSON_IS_ARRAY || !json_count(plugins)) {
		err_set(e, ERR_CONFIG, 0, "%s: plugins: must be a list, and not empty", source);
		err_hint(e, "only a list without this key, and without loadOnlyInlinedPlugins, has "
			    "its plugins in files: NAME/*.conf beside its own");
		return -EINVAL;
	}
	for (const json *p = json_first(plugins); p; p = json_next(p), i++)
		if (!json_string(json_get(p, "type")))
			return err_set(e, ERR_CONFIG, 0, "%s: plugins[%u].type: must be a string",
				       source, i);
	return 0;
}

/* A boolean, or its name in any case, as in libcni. Return: false if it is neither. */
static bool read_switch(const json *value, bool *ret)
{
	const char *text = json_string(value);

	*ret = json_bool(value, text && !strcasecmp(text, "true"));
	return json_is_absent(value) || json_kind(value) == JSON_IS_BOOL ||
	       (text && (*ret || !strcasecmp(text, "false")));
}

bool network_is_set(const json *list, const char *key)
{
	bool set;

	return read_switch(json_get(list, key), &set) && set;
}

static int judge_switches(const json *list, const char *source, struct err *e)
{
	static const char *const keys[] = { NETWORK_NO_CHECK, NETWORK_NO_GC, NETWORK_ONLY_INLINED };
	bool set;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!read_switch(json_get(list, keys[i]), &set))
			return err_set(e, ERR_CONFIG, 0, "%s: %s: must be true or false", source,
				       keys[i]);
	return 0;
}

/* A configuration of one plugin (.conf) is a list of it. */
static json *as_list(const json *doc, int version)
{
	json *list = json_copy(doc), *one = NULL;

	if (list && !json_get(doc, "plugins")) {
		one = list;
		list = json_object();
		json_add_string(list, "name", json_string(json_get(doc, "name")));
		json_add_copy(json_add_array(list, "plugins"), NULL, one);
	}
	json_free(one);
	json_remove(list, "cniVersion");
	json_remove(list, "cniVersions");
	json_add_string(list, "cniVersion", versions[version]);
	return list;
}

bool network_is_list(const json *doc)
{
	return json_get(doc, "plugins") || !json_string(json_get(doc, "type"));
}

int network_read(const json *doc, const char *source, struct network **ret, struct err *e)
{
	const char *name = json_string(json_get(doc, "name"));
	int version = choose_version(doc), r = 0;
	struct network *n;

	if (!name || !network_is_name(name))
		return err_set(e, ERR_CONFIG, 0, "%s: name: missing, or no name of a network",
			       source);
	if (version < 0) {
		err_set(e, ERR_VERSION, 0, "%s: cniVersion: none that taskvpc speaks", source);
		err_hint(e, "it speaks %s to %s", versions[0], versions[ARRAY_SIZE(versions) - 1]);
		return -EINVAL;
	}
	if (network_is_list(doc)) {
		r = judge_plugins(json_get(doc, "plugins"), source, e);
		r = r < 0 ? r : judge_switches(doc, source, e);
	}
	n = r < 0 ? NULL : calloc(1, sizeof(*n));
	if (n)
		n->list = as_list(doc, version);
	if (r < 0 || !n || !n->list) {
		network_free(n);
		return r < 0 ? r : err_sys(e, ERR_IO, ENOMEM, "%s", source);
	}
	text_copy(n->name, sizeof(n->name), name);
	text_copy(n->source, sizeof(n->source), source);
	*ret = n;
	return 0;
}

/* ---- where they come from ---- */

static int read_text(const char *text, size_t len, const char *source, struct network **ret,
		     struct err *e)
{
	cleanup_json json *doc = NULL;
	int r = json_parse(text, len, source, &doc, e);

	return r < 0 ? r : network_read(doc, source, ret, e);
}

static bool has_suffix(const char *s)
{
	static const char *const suffixes[] = { ".conflist", ".conf", ".json" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t len = strlen(suffixes[i]);

		if (strlen(s) > len && !strcmp(s + strlen(s) - len, suffixes[i]))
			return true;
	}
	return false;
}

int networks_add(struct networks *all, struct network *n, struct err *e)
{
	if (networks_get(all, n->name)) {
		network_free(n);
		return 0;
	}
	if (all->n == NETWORKS_MAX) {
		network_free(n);
		return err_set(e, ERR_CONFIG, 0, "more than %d networks", NETWORKS_MAX);
	}
	all->of[all->n++] = n;
	return 0;
}

const struct network *networks_get(const struct networks *all, const char *name)
{
	for (unsigned i = 0; i < all->n; i++)
		if (!strcmp(all->of[i]->name, name))
			return all->of[i];
	return NULL;
}

bool networks_ask(const struct networks *all, const char *name, const char *key)
{
	const struct network *n = networks_get(all, name);

	return n && network_is_set(n->list, key);
}

static int is_configuration(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type != DT_DIR && has_suffix(entry->d_name);
}

static int load_files(const char *dir, struct networks *ret, network_broken_fn *broken, void *ctx,
		      struct err *e)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_configuration, alphasort), r = 0;

	for (int i = 0; i < n; i++) {
		struct network *one = NULL;
		char path[PATH_MAX];
		struct err why;

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (r == 0 && network_read_file(path, &one, &why) == 0 && one)
			r = networks_add(ret, one, e);
		else if (r == 0 && broken)
			broken(ctx, path, &why);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return r;
}

/* The usual one may be missing, as long as nobody configured a network. One that was named may not.
 */
static int judge_dir(const char *dir, struct err *e)
{
	DIR *opened = dir ? opendir(dir) : NULL;
	char shown[200];

	if (opened)
		closedir(opened);
	if (!dir || opened)
		return 0;
	text_printable(shown, sizeof(shown), dir);
	cli_error(e, EXIT_ABSENT, "--conf-dir %s: %s", shown, strerror(errno));
	err_hint(e, "a directory of .conflist and .conf files; without it, %s", NETWORK_CONF_DIR);
	return -ENOENT;
}

int networks_load(const struct cli *c, struct networks *ret, network_broken_fn *broken, void *ctx,
		  struct err *e)
{
	int r = judge_dir(c->conf_dir, e);

	ret->n = 0;
	if (r < 0)
		return r;
	r = load_files(c->conf_dir ? c->conf_dir : NETWORK_CONF_DIR, ret, broken, ctx, e);
	for (const struct builtin *b = builtins; b->name && r == 0; b++) {
		struct network *n = NULL;

		r = read_text(b->text, strlen(b->text), BUILT_IN, &n, e);
		if (r == 0 && n)
			r = networks_add(ret, n, e);
	}
	return r;
}

/* It may be in a file that could not be used. */
static void note_broken(void *ctx, const char *path, const struct err *why)
{
	(void)path;
	text_add(ctx, "\nnot usable: %s", why->msg);
}

static int refuse(const struct networks *all, const char *name, const char *broken, struct err *e)
{
	static const char *const modes[][2] = { { "awsvpc", "--mode awsvpc" },
						{ "bridge", "--mode bridge" },
						{ "host", "--mode host" },
						{ "none", "--mode none" } };
	const char *meant = NULL;
	char list[512], shown[80];
	struct text t;

	for (unsigned i = 0; i < all->n; i++)
		if (text_is_slip(name, all->of[i]->name))
			meant = all->of[i]->name;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(name, modes[i][0]))
			meant = modes[i][1];
	text_printable(shown, sizeof(shown), name);
	text_init(&t, list, sizeof(list));
	for (unsigned i = 0; i < all->n; i++)
		text_add(&t, "%s%s", i ? ", " : "", all->of[i]->name);
	cli_error(e, EXIT_ABSENT, "there is no network \"%s\"", shown);
	err_hint(e, "%s%s%sthere is %s; or name a file, with a '/'%s", meant ? "did you mean " : "",
		 meant ? meant : "", meant ? "? " : "", list, broken);
	return -ENOENT;
}

int network_find(const struct cli *c, const char *name, struct network **ret, struct err *e)
{
	cleanup_networks struct networks all = { .n = 0 };
	char broken[400];
	struct text t;
	int r;

	if (strchr(name, '/') || has_suffix(name))
		return network_read_file(name, ret, e);
	text_init(&t, broken, sizeof(broken));
	r = networks_load(c, &all, note_broken, &t, e);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < all.n; i++) {
		if (strcmp(all.of[i]->name, name) != 0)
			continue;
		*ret = all.of[i];
		all.of[i] = all.of[--all.n];
		return 0;
	}
	return refuse(&all, name, broken, e);
}

/* ---- what they say ---- */

void network_unknown(const json *list, struct text *ret)
{
	static const char *const keys[] = {
		"name",        "cniVersion",         "cniVersions", "plugins",   NETWORK_NO_CHECK,
		NETWORK_NO_GC, NETWORK_ONLY_INLINED, "args",        "nerdctlID", "nerdctlLabels",
	};

	for (const json *i = json_first(list); i; i = json_next(i)) {
		const char *key = json_key(i), *meant = NULL;
		bool known = strpbrk(key, "/.") || strchr("_$#", *key);

		for (size_t k = 0; k < ARRAY_SIZE(keys) && !known; k++) {
			known = !strcasecmp(key, keys[k]);
			if (text_is_slip(key, keys[k]))
				meant = keys[k];
		}
		if (!known)
			text_add(ret, "%s%.60s: unknown key, ignored%s%s%s", ret->len ? "\n" : "",
				 key, meant ? " (did you mean " : "", meant ? meant : "",
				 meant ? "?)" : "");
	}
}

const char *mode_of_type(const char *type)
{
	static const char ours[] = "task-";

	return strncmp(type, ours, strlen(ours)) == 0 ? type + strlen(ours) : type;
}

const char *network_mode(const json *list)
{
	const char *type = json_string(json_get(json_first(json_get(list, "plugins")), "type"));

	return type ? mode_of_type(type) : "";
}

const char *network_data_dir(const json *list, char buf[static 256])
{
	const json *ipam = json_get(json_first(json_get(list, "plugins")), "ipam");
	const char *type;

	pool_read_data_dir(pool_is_foreign(ipam, &type) ? NULL : ipam, buf, 256);
	return buf;
}
