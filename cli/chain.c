/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of a chain. Each call is one configuration on a plugin's stdin: CNI's "execution". */
#include "chain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "call.h"
#include "ipam/delegate.h"

#ifndef TASKVPC_BIN_DIR
#define TASKVPC_BIN_DIR "/opt/cni/bin"
#endif

/* ---- where plugins are ---- */

/* In a build tree they lie beside us; a taskvpc in /usr/local/bin has none beside it. */
static void add_own_dir(struct text *t)
{
	char self[PATH_MAX], plugin[PATH_MAX + 8];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(plugin, sizeof(plugin), "%s/awsvpc", self);
	if (!access(plugin, X_OK))
		text_add(t, "%s:", self);
}

void chain_path(const struct cli *c, char ret[static CHAIN_PATH])
{
	const char *env = getenv("CNI_PATH");
	struct text t;

	text_init(&t, ret, CHAIN_PATH);
	if (c->bin_dir)
		text_add(&t, "%s:", c->bin_dir);
	if (env && *env)
		text_add(&t, "%s:", env);
	add_own_dir(&t);
	text_add(&t, "%s:/usr/lib/cni", TASKVPC_BIN_DIR);
}

int chain_find(const struct chain *ch, struct err *e)
{
	const json *plugins = json_get(ch->list, "plugins");
	char path[PATH_MAX];

	for (const json *p = json_first(plugins); p; p = json_next(p)) {
		const struct delegate_call call = { .type = json_string(json_get(p, "type")),
						    .cni_path = ch->path,
						    .what = "plugin" };

		if (delegate_find(&call, path, e) == 0)
			continue;
		cli_error(e, EXIT_ABSENT, "there is no plugin \"%s\" in %s", call.type, ch->path);
		err_hint(e, "`make install` puts ours into %s; --bin-dir names another directory",
			 TASKVPC_BIN_DIR);
		return -ENOENT;
	}
	return 0;
}

/* ---- the verbs ---- */

static unsigned count(const struct chain *ch)
{
	return json_count(json_get(ch->list, "plugins"));
}

static const json *plugin_at(const struct chain *ch, unsigned n)
{
	const json *p = json_first(json_get(ch->list, "plugins"));

	while (n--)
		p = json_next(p);
	return p;
}

static bool version_at_least(const struct chain *ch, int major, int minor)
{
	const char *text = json_string(json_get(ch->list, "cniVersion"));
	char *end = NULL;
	long have = text ? strtol(text, &end, 10) : 0;

	if (have != major || !end || *end != '.')
		return have > major;
	return strtol(end + 1, NULL, 10) >= minor;
}

static int read_result(const char *text, const json *plugin, json **ret, struct err *e)
{
	char what[96];

	snprintf(what, sizeof(what), "result of %.60s", json_string(json_get(plugin, "type")));
	json_free(*ret);
	*ret = NULL;
	return json_parse(text, strlen(text), what, ret, e);
}

/* Which failures of DEL leave nothing behind. */
struct removal {
	bool whole;     /* the ADD of the chain succeeded: none of them */
	unsigned added; /* plugins from here on have attached nothing */
	bool quiet;
};

/* The version is judged before anything is made, so a plugin that refuses it has made nothing. */
static bool may_fail(const struct removal *m, unsigned plugin, const struct err *why)
{
	return !m->whole && (why->code == ERR_VERSION || plugin >= m->added);
}

static int delete_all(const struct chain *ch, const json *prev, const struct removal *m,
		      struct err *e)
{
	int first = 0;

	for (unsigned i = count(ch); i-- > 0;) {
		struct call call = { .chain = ch, .plugin = plugin_at(ch, i), .verb = "DEL" };
		struct err why;
		int r;

		call.prev = prev;
		r = call_plugin(&call, NULL, &why);
		if (r < 0 && may_fail(m, i, &why)) {
			if (!m->quiet && why.code != ERR_VERSION)
				fprintf(stderr, "taskvpc: warning: DEL after a refused ADD: %s\n",
					why.msg);
			continue;
		}
		if (r < 0 && !first)
			*e = why;
		first = first ? first : r;
	}
	return first;
}

int chain_del(const struct chain *ch, const json *result, unsigned added, struct err *e)
{
	const struct removal m = { .whole = result != NULL, .added = added };

	/* Before 0.4.0 there was no prevResult at DEL. */
	return delete_all(ch, version_at_least(ch, 0, 4) ? result : NULL, &m, e);
}

/* Undo a chain of which a plugin failed: @why. */
static unsigned take_back(const struct chain *ch, unsigned failed, const struct err *why)
{
	struct removal m = { .quiet = true };
	struct err ignored;

	/* One that was killed or fell silent may have made anything. */
	m.added = failed + (why->code == ERR_DELEGATE);
	delete_all(ch, NULL, &m, &ignored);
	return m.added;
}

int chain_add(const struct chain *ch, json **ret, unsigned *ret_added, struct err *e)
{
	unsigned added, i;
	int r = 0;

	*ret = NULL;
	for (i = 0; i < count(ch) && r == 0; i++) {
		struct call call = { .chain = ch, .plugin = plugin_at(ch, i), .verb = "ADD" };
		cleanup_free char *out = NULL;

		call.prev = *ret;
		r = call_plugin(&call, &out, e);
		if (r == 0 && out && *out) {
			r = read_result(out, call.plugin, ret, e);
			i += r < 0; /* it is attached, though it answered nonsense */
		}
	}
	if (r == 0)
		return 0;
	added = take_back(ch, i - 1, e);
	if (ret_added)
		*ret_added = added;
	json_free(*ret);
	*ret = NULL;
	return r;
}

/* "awsvpc: warning: restored: WHAT": into @restored; all else is for our own stderr. */
static void take_restored(char *said, json *restored)
{
	static const char mark[] = ": warning: restored: ";

	for (char *line = said ? strtok(said, "\n") : NULL; line; line = strtok(NULL, "\n")) {
		const char *at = strstr(line, mark);

		if (at)
			json_add_string(restored, NULL, at + strlen(mark));
		else
			fprintf(stderr, "%s\n", line);
	}
}

int chain_check(const struct chain *ch, const json *result, struct err *e)
{
	int r = 0;

	if (!version_at_least(ch, 0, 4))
		return err_set(e, ERR_VERSION, 0, "cniVersion: before 0.4.0 there is no CHECK");
	for (unsigned i = 0; i < count(ch) && r == 0; i++) {
		struct call call = { .chain = ch, .plugin = plugin_at(ch, i), .verb = "CHECK" };

		call.prev = result;
		r = call_plugin(&call, NULL, e);
	}
	return r;
}

int chain_gc(const struct chain *ch, json *restored, struct err *e)
{
	int first = 0;

	for (unsigned i = 0; i < count(ch); i++) {
		struct call call = { .chain = ch, .plugin = plugin_at(ch, i), .verb = "GC" };
		cleanup_free char *said = NULL;
		struct err why;
		int r;

		call.ret_warn = &said;
		r = call_plugin(&call, NULL, &why);
		take_restored(said, restored);
		if (r < 0 && !first)
			*e = why;
		first = first ? first : r;
	}
	return first;
}

static void add_words(char **all, const char *more)
{
	char *joined;

	if (!more || !*more ||
	    asprintf(&joined, "%s%s%s", *all ? *all : "", *all ? "; " : "", more) < 0)
		return;
	free(*all);
	*all = joined;
}

/* Does the answer to VERSION name the version of the list? */
static bool speaks(const char *answer, const char *version)
{
	cleanup_json json *doc = NULL;
	struct err ignored;

	if (!answer || json_parse(answer, strlen(answer), "VERSION", &doc, &ignored) < 0)
		return false;
	for (const json *v = json_first(json_get(doc, "supportedVersions")); v; v = json_next(v))
		if (json_string(v) && !strcmp(json_string(v), version))
			return true;
	return false;
}

/*
 * A plugin older than STATUS answers it with what it lacks for another verb, or with nothing. Say
 * whether it would take an ADD at all: of the version that the list has.
 */
static int judge_old(const struct chain *ch, const json *plugin, struct err *e)
{
	struct call call = { .chain = ch, .plugin = plugin, .verb = "VERSION" };
	const char *type = json_string(json_get(plugin, "type"));
	const char *version = json_string(json_get(ch->list, "cniVersion"));
	cleanup_free char *out = NULL;
	struct err ignored;

	if (call_plugin(&call, &out, &ignored) == 0 && !speaks(out, version)) {
		err_set(e, ERR_CONFIG, 0, "%s has no STATUS, and does not speak cniVersion %s",
			type, version);
		err_hint(e,
			 "install a newer %s, or set cniVersion to one that it speaks: "
			 "CNI_COMMAND=VERSION %s tells them",
			 type, type);
	} else {
		err_set(e, ERR_VERSION, 0, "%s has no STATUS", type);
	}
	return -EINVAL;
}

/* What CNI's skeleton of Go says to a verb that it does not know, by its age. */
static bool is_older(const struct err *e)
{
	return e->code == ERR_UNKNOWN_CONTAINER || e->code == ERR_ENVIRONMENT ||
	       strstr(e->msg, "unknown CNI_COMMAND");
}

int chain_status(const struct chain *ch, char **warn, struct err *e)
{
	int r = 0;

	*warn = NULL;
	if (!version_at_least(ch, 1, 1)) {
		err_set(e, ERR_VERSION, 0, "not asked: before cniVersion 1.1.0 there is no STATUS");
		err_hint(e, "add \"cniVersions\": [\"1.0.0\", \"1.1.0\"] to the network");
		return -EINVAL;
	}
	for (unsigned i = 0; i < count(ch) && r == 0; i++) {
		struct call call = { .chain = ch, .plugin = plugin_at(ch, i), .verb = "STATUS" };
		cleanup_free char *said = NULL;

		call.ret_warn = &said;
		r = call_plugin(&call, NULL, e);
		if (r < 0 && !call_is_ours(&call) && is_older(e))
			r = judge_old(ch, call.plugin, e);
		add_words(warn, said);
	}
	return r;
}

int chain_explain(const struct chain *ch, const char *verb, char **ret, struct err *e)
{
	size_t size = 512u << 10;
	cleanup_free char *all = malloc(size);
	struct text t;
	int r = 0;

	if (!all)
		return err_sys(e, ERR_IO, ENOMEM, "explain");
	text_init(&t, all, size);
	for (unsigned i = 0; i < count(ch) && r == 0; i++) {
		const char *const args[] = { "--explain", verb, "--why", NULL };
		struct call call = { .chain = ch, .plugin = plugin_at(ch, i), .args = args };
		const char *type = json_string(json_get(call.plugin, "type"));
		cleanup_free char *out = NULL;

		call.verb = strcmp(verb, "del") ? "ADD" : "DEL";
		if (!call_is_ours(&call)) {
			text_add(&t,
				 "\n# %s: not a plugin of taskvpc, it does not explain itself.\n",
				 type);
			continue;
		}
		r = call_plugin(&call, &out, e);
		text_add(&t, "%s", r == 0 ? out : "");
	}
	*ret = all;
	all = NULL;
	return r;
}
