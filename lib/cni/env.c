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

/* White space outside ASCII, as Go's unicode.IsSpace has it, in UTF-8. */
static bool has_wide_space(const char *s)
{
	static const char *const spaces[] = {
		"\xc2\x85", "\u00a0", "\u1680", "\u2028", "\u2029", "\u202f", "\u205f",
		"\u3000",   "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
		"\u2006",   "\u2007", "\u2008", "\u2009", "\u200a",
	};

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (strstr(s, spaces[i]))
			return true;
	return false;
}

/* What is wrong with an interface name; NULL if nothing is. */
static const char *ifname_fault(const char *s)
{
	size_t len = strlen(s);

	if (len > STORE_IFNAME_MAX)
		return "is longer than 15 bytes";
	if (!strcmp(s, ".") || !strcmp(s, ".."))
		return "is the name of a directory";
	if (strpbrk(s, "/:"))
		return "has a '/' or ':'";
	if (strpbrk(s, " \t\n\v\f\r") || has_wide_space(s))
		return "has white space";
	if (!text_is_utf8(s, len))
		return "is not UTF-8";
	if (strchr(s, '%')) /* "eth%d" asks the kernel to choose a name, which we would not know */
		return "has a '%'";
	return NULL;
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
		fault = ifname_fault(env->ifname);
		if (fault)
			return value_error(e, "CNI_IFNAME", env->ifname, fault);
	}
	if ((verb->env & ENV_NETNS) && strlen(env->netns) >= NETNS_PATH_MAX)
		return value_error(e, "CNI_NETNS", env->netns, "is too long for a path");
	return 0;
}
