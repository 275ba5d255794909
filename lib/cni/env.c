/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment of a call. A runtime always passes all six variables and leaves those empty that
 * it has no value for, so empty and unset are the same. What is missing is told at once, by name;
 * what is there is judged before anything else is read.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cni/call.h"
#include "kernel/link.h"

#define SHOWN 80 /* bytes of a wrong value that a message repeats */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

void env_read(struct env *ret)
{
	ret->command = variable("CNI_COMMAND");
	ret->container_id = variable("CNI_CONTAINERID");
	ret->netns = variable("CNI_NETNS");
	ret->ifname = variable("CNI_IFNAME");
	ret->args = variable("CNI_ARGS");
	ret->path = variable("CNI_PATH");
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool name_is_valid(const char *s)
{
	size_t n;

	if (!is_alnum(s[0]))
		return false;
	for (n = 1; s[n]; n++)
		if (!is_alnum(s[n]) && !strchr("_.-", s[n]))
			return false;
	return n <= STORE_NAME_MAX;
}

static int value_error(struct err *e, const char *name, const char *value, const char *fault)
{
	char shown[SHOWN];

	text_printable(shown, sizeof(shown), value);
	return err_set(e, ERR_ENVIRONMENT, 0, "%s: \"%s\" %s", name, shown, fault);
}

static int judge_missing(const struct env *env, const struct verb *verb, struct err *e)
{
	const struct {
		unsigned bit;
		const char *name, *value;
	} rows[] = {
		{ ENV_CONTAINER_ID, "CNI_CONTAINERID", env->container_id },
		{ ENV_NETNS, "CNI_NETNS", env->netns },
		{ ENV_IFNAME, "CNI_IFNAME", env->ifname },
	};
	char list[128];
	struct text t;

	text_init(&t, list, sizeof(list));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((verb->env & rows[i].bit) && !rows[i].value)
			text_add(&t, "%s%s", t.len ? ", " : "", rows[i].name);
	if (!t.len)
		return 0;
	err_set(e, ERR_ENVIRONMENT, 0, "missing in the environment of %s: %s", verb->name, list);
	err_hint(e, "the runtime must set them; an empty value counts as missing");
	return -EINVAL;
}

int env_judge(const struct env *env, const struct verb *verb, struct err *e)
{
	const char *fault;

	if (judge_missing(env, verb, e) < 0)
		return -EINVAL;
	if ((verb->env & ENV_CONTAINER_ID) && !name_is_valid(env->container_id)) {
		value_error(e, "CNI_CONTAINERID", env->container_id, "is no container id");
		err_hint(e,
			 "a letter or digit, then letters, digits, '_', '.', '-'; at most %d bytes",
			 STORE_NAME_MAX);
		return -EINVAL;
	}
	if (verb->env & ENV_IFNAME) {
		fault = link_name_fault(env->ifname);
		if (fault)
			return value_error(e, "CNI_IFNAME", env->ifname, fault);
	}
	if ((verb->env & ENV_NETNS) && strlen(env->netns) >= NETNS_PATH_MAX)
		return value_error(e, "CNI_NETNS", env->netns, "is too long for a path");
	return 0;
}
