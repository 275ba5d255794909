/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people call a task. Other runtimes name theirs by an id of 64 hex digits, nerdctl and ctr
 * with their namespace in front; what they print is the begin of it, and what people remember is
 * the name of a pod, of a container, or a host name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ended.h"
#include "live.h"
#include "live_row.h"

#define PREFIX_MIN 4 /* of a name that is no id */
#define ID_LENGTH  64
#define ID_SHOWN   12

/* The id in "default-f87ddb67…", or in a word that is one; NULL: there is none. */
static const char *id_of(const char *task)
{
	size_t len = strlen(task);
	const char *id = task + (len > ID_LENGTH ? len - ID_LENGTH : 0);

	if (len < ID_LENGTH || strspn(id, "0123456789abcdef") != ID_LENGTH ||
	    (id != task && id[-1] != '-'))
		return NULL;
	return id;
}

/* ---- shortened, where that is unique ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* How much of @ids[i] no other begins with. The same id again is another interface of the task. */
static size_t length_of(const char *const *ids, size_t n, const char *id)
{
	const char *const *at = bsearch(&id, ids, n, sizeof(*ids), by_text);
	size_t first = (size_t)(at - ids), last = first, len = ID_SHOWN, shared;

	while (first > 0 && !strcmp(ids[first - 1], id))
		first--;
	while (last + 1 < n && !strcmp(ids[last + 1], id))
		last++;
	shared = first > 0 ? common(ids[first - 1], id) : 0;
	len = shared >= len ? shared + 1 : len;
	shared = last + 1 < n ? common(ids[last + 1], id) : 0;
	return shared >= len ? shared + 1 : len;
}

int live_shorten(const json *rows, json **ret, struct err *e)
{
	cleanup_free const char **ids = calloc(json_count(rows) + 1, sizeof(*ids));
	size_t n = 0;

	*ret = json_array();
	if (!ids || !*ret)
		return err_sys(e, ERR_IO, ENOMEM, "looking");
	for (const json *row = json_first(rows); row; row = json_next(row))
		if (id_of(live_text(row, "task")))
			ids[n++] = id_of(live_text(row, "task"));
	qsort(ids, n, sizeof(*ids), by_text);
	for (const json *row = json_first(rows); row; row = json_next(row)) {
		const char *task = live_text(row, "task"), *id = id_of(task);
		char shown[ID_LENGTH + 1];

		if (id)
			snprintf(shown, sizeof(shown), "%.*s", (int)length_of(ids, n, id), id);
		json_add_string(json_add_copy(*ret, NULL, row), "short", id ? shown : task);
	}
	return 0;
}

const char *live_short(const json *row)
{
	return *live_text(row, "short") ? live_text(row, "short") : live_text(row, "task");
}

/* ---- one of them ---- */

/* In the order in which they are tried; the first that anything matches decides. */
enum match {
	MATCH_TASK,
	MATCH_NAME,
	MATCH_PREFIX,
	MATCH_NONE
};

static bool is_name(const json *row, const char *name)
{
	static const char *const keys[] = { "name", "podName", "hostname" };
	const char *task = live_text(row, "task"), *dash = strchr(task, '-');

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(live_text(row, keys[i]), name))
			return true;
	/* "web" for "default-web", as `ctr run` names it. */
	return dash && !strcmp(dash + 1, name) && strcmp(live_text(row, "runtime"), "taskvpc") != 0;
}

static bool is_prefix(const json *row, const char *name)
{
	const char *task = live_text(row, "task"), *id = id_of(task);
	size_t len = strlen(name);

	if (id && !strncmp(id, name, len))
		return true;
	return len >= PREFIX_MIN && !strncmp(task, name, len);
}

static bool matches(const json *row, const char *name, enum match how)
{
	if (how == MATCH_TASK)
		return !strcmp(live_text(row, "task"), name);
	return how == MATCH_NAME ? is_name(row, name) : is_prefix(row, name);
}

static json *select_rows(const json *all, const char *name, enum match how)
{
	json *list = json_array();

	for (const json *row = json_first(all); row; row = json_next(row))
		if (matches(row, name, how))
			json_add_copy(list, NULL, row);
	return list;
}

static void add_tasks(const json *list, struct text *t)
{
	const char *before = "";

	for (const json *row = json_first(list); row; row = json_next(row)) {
		const char *name = live_text(row, "name");

		if (!strcmp(before, live_text(row, "task")))
			continue;
		before = live_text(row, "task");
		text_add(t, " %.63s%s%.120s%s", live_short(row), *name ? " (" : "", name,
			 *name ? ")" : "");
	}
}

static bool is_ambiguous(const json *list)
{
	const char *first = live_text(json_first(list), "task");

	for (const json *row = json_first(list); row; row = json_next(row))
		if (strcmp(live_text(row, "task"), first) != 0)
			return true;
	return false;
}

static int refuse_ambiguous(const json *list, const char *name, struct err *e)
{
	char names[600], shown[80];
	struct text t;

	text_init(&t, names, sizeof(names));
	add_tasks(list, &t);
	text_printable(shown, sizeof(shown), name);
	cli_error(e, EXIT_USAGE, "%s: several tasks begin so, or are called so", shown);
	err_hint(e, "name more of one of%s", names);
	return -EINVAL;
}

static int refuse(const json *all, const char *name, struct err *e)
{
	char list[600], shown[80];
	struct text t;

	text_init(&t, list, sizeof(list));
	add_tasks(all, &t);
	text_printable(shown, sizeof(shown), name);
	cli_error(e, EXIT_ABSENT, "there is no task \"%s\"", shown);
	err_hint(e, t.len ? "there is%s" : "no task runs here: `taskvpc run` starts one%s", list);
	ended_hint(name, e);
	return -ENOENT;
}

int live_find(const json *all, const char *name, json **ret, struct err *e)
{
	cleanup_json json *list = NULL;

	for (enum match how = MATCH_TASK; how < MATCH_NONE && *name; how++) {
		json_free(list);
		list = select_rows(all, name, how);
		if (json_count(list))
			break;
	}
	if (!json_count(list))
		return refuse(all, name, e);
	if (is_ambiguous(list))
		return refuse_ambiguous(list, name, e);
	*ret = list;
	list = NULL;
	return 0;
}

int live_of_other(const struct cli *c, const char *name, int r, struct err *e)
{
	cleanup_json json *all = NULL, *found = NULL;
	struct err ignored;

	if (cli_status(e) != EXIT_ABSENT || live_attachments(c, &all, &ignored) < 0 ||
	    live_find(all, name, &found, &ignored) < 0 ||
	    !strcmp(live_text(json_first(found), "runtime"), "taskvpc"))
		return r;
	cli_error(e, EXIT_ABSENT,
		  "there is no task \"%s\" that taskvpc runs: it is a task of another runtime",
		  live_short(json_first(found)));
	err_hint(e, "use that runtime's %s (nerdctl, podman, crictl); taskvpc %s works for it",
		 c->command->name, "inspect, check, capture, explain");
	return r;
}
