/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plugin gets: our environment with other CNI_* variables, and its object of the list with
 * name, version, the capabilities that it declared, and the result so far.
 */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "ipam/delegate.h"

#define VARIABLES 6
#define ERROR_MAX (64u << 10)

/* ---- the environment ---- */

struct environment {
	char *own[VARIABLES];
	char **all;
};

static void environment_free(struct environment *env)
{
	for (unsigned i = 0; i < VARIABLES; i++)
		free(env->own[i]);
	free(env->all);
}

static int environment_make(const struct call *call, struct environment *ret)
{
	const struct chain *ch = call->chain;
	const char *const values[VARIABLES][2] = {
		{ "COMMAND", call->verb }, { "CONTAINERID", ch->container_id },
		{ "NETNS", ch->netns },    { "IFNAME", ch->ifname },
		{ "ARGS", ch->args },      { "PATH", ch->path },
	};
	unsigned n = 0, i;

	*ret = (struct environment){ .all = NULL };
	for (i = 0; environ[i]; i++)
		;
	ret->all = calloc(i + VARIABLES + 1, sizeof(*ret->all));
	for (i = 0; ret->all && environ[i]; i++)
		if (strncmp(environ[i], "CNI_", 4) != 0)
			ret->all[n++] = environ[i];
	for (i = 0; ret->all && i < VARIABLES; i++) {
		const char *value = values[i][1] ? values[i][1] : "";

		if (asprintf(&ret->own[i], "CNI_%s=%s", values[i][0], value) < 0)
			return -ENOMEM;
		ret->all[n++] = ret->own[i];
	}
	return ret->all ? 0 : -ENOMEM;
}

/* ---- the configuration ---- */

static void add_runtime(const struct call *call, json *config)
{
	const json *declared = json_get(call->plugin, "capabilities");
	json *runtime = NULL;

	for (const json *one = json_first(call->chain->runtime); one; one = json_next(one)) {
		if (!json_bool(json_get(declared, json_key(one)), false))
			continue;
		if (!runtime)
			runtime = json_add_object(config, "runtimeConfig");
		json_add_copy(runtime, json_key(one), one);
	}
}

static char *configuration(const struct call *call)
{
	static const char *const shared[] = { "name", "cniVersion" };
	cleanup_json json *config = json_copy(call->plugin);

	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		json_remove(config, shared[i]);
		json_add_copy(config, shared[i], json_get(call->chain->list, shared[i]));
	}
	add_runtime(call, config);
	if (call->prev)
		json_add_copy(config, "prevResult", call->prev);
	/* We know of none: GC is to look for itself what is dead, and need not warn that it does.
	 */
	if (!strcmp(call->verb, "GC"))
		json_add_null(config, "cni.dev/valid-attachments");
	if (!strcmp(call->verb, "STATUS") && call_is_ours(call) &&
	    json_is_absent(json_get(config, "statusExhausted")))
		json_add_string(config, "statusExhausted", "error");
	return config ? json_print(config) : NULL;
}

/* ---- the call ---- */

static const char *type_of(const struct call *call)
{
	return json_string(json_get(call->plugin, "type"));
}

/* What it said for people: its error, if it was not asked as a runtime asks; or its warnings. */
static void take_words(const struct call *call, int fd, int r, struct err *e)
{
	cleanup_free char *text = NULL;
	char *rest;
	size_t len;

	if (lseek(fd, 0, SEEK_SET) < 0 || io_read_all(fd, ERROR_MAX, &text, &len) < 0 || !len)
		return;
	text[len - (text[len - 1] == '\n')] = '\0';
	if (call->ret_warn) {
		*call->ret_warn = text;
		text = NULL;
	} else if (r < 0) {
		rest = strchr(text, '\n');
		if (rest)
			*rest++ = '\0';
		err_set(e, ERR_CONFIG, 0, "%s", text);
		err_hint(e, "%s", rest ? rest + strspn(rest, " ") : "");
	}
}

static int run(const struct call *call, const char *config, char *const *env, char **ret_out,
	       struct err *e)
{
	struct delegate_call d = { .type = type_of(call),
				   .verb = call->verb,
				   .cni_path = call->chain->path,
				   .config = config,
				   .config_len = strlen(config),
				   .what = "plugin",
				   .args = call->args,
				   .env = env };
	cleanup_close int words = -1;
	int r;

	if (call->ret_warn || call->args) {
		words = memfd_create("stderr", MFD_CLOEXEC);
		d.error_fd = words > 0 ? words : 0;
	}
	r = delegate_run(&d, ret_out, e);
	if (words > 0)
		take_words(call, words, r, e);
	if (r < 0 && !call->args)
		err_prefix(e, "%s", d.type);
	return r;
}

int call_plugin(const struct call *call, char **ret_out, struct err *e)
{
	cleanup_free char *config = configuration(call);
	struct environment env;
	int r = environment_make(call, &env);

	if (r == 0 && config)
		r = run(call, config, env.all, ret_out, e);
	else
		r = err_sys(e, ERR_IO, ENOMEM, "%s", type_of(call));
	environment_free(&env);
	return r;
}

bool call_is_ours(const struct call *call)
{
	static const char *const ours[] = { "awsvpc", "task-bridge", "task-host", "task-none",
					    "loopback" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (!strcmp(type_of(call), ours[i]))
			return true;
	return false;
}
