/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit codes that outlive their tasks. */
#include "ended.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ip.h"
#include "base/text.h"
#include "files.h"

static bool path_of(char ret[static PATH_MAX], const char *task, const char *container)
{
	char name[2 * TASK_NAME_MAX + 2];
	int n = snprintf(name, sizeof(name), "%s.%s", task, container);

	return n > 0 && n < (int)sizeof(name) && *task && *task != '.' && !strchr(name, '/') &&
	       file_path(ret, ENDED_DIR, name, "");
}

/* ---- keeping ---- */

/* "10.0.1.4,fd00::4": as --ip takes them. */
static void add_addresses(const json *result, json *doc)
{
	char list[8 * IP_TEXT], text[IP_TEXT];
	struct cidr cidr;
	struct text t;

	text_init(&t, list, sizeof(list));
	for (const json *i = json_first(json_get(result, "ips")); i; i = json_next(i)) {
		const char *address = json_string(json_get(i, "address"));

		if (!address || !cidr_parse(address, &cidr) || ip_is_loopback(&cidr.ip))
			continue;
		if (!t.len)
			json_add_string(doc, "address", address);
		text_add(&t, "%s%s", t.len ? "," : "", ip_text(&cidr.ip, text));
	}
	if (t.len)
		json_add_string(doc, "ip", list);
}

static void add_mac(const struct task *t, const json *result, json *doc)
{
	const char *ifname = json_string(json_get(t->doc, "ifname"));

	for (const json *i = json_first(json_get(result, "interfaces")); i; i = json_next(i)) {
		const char *name = json_string(json_get(i, "name"));
		const char *mac = json_string(json_get(i, "mac"));

		if (json_string(json_get(i, "sandbox")) && name && ifname &&
		    !strcmp(name, ifname) && mac && *mac)
			json_add_string(doc, "mac", mac);
	}
}

void ended_describe(const struct task *t, json *doc)
{
	const json *result = json_get(t->doc, "result");
	const char *mode = json_string(json_get(t->doc, "mode"));

	json_add_copy(doc, "network", json_get(json_get(t->doc, "network"), "name"));
	json_add_copy(doc, "mode", json_get(t->doc, "mode"));
	json_add_copy(doc, "path", json_get(t->doc, "path"));
	if (!mode || !strcmp(mode, "host"))
		return;
	add_addresses(result, doc);
	add_mac(t, result, doc);
}

static int is_ended(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strchr(entry->d_name, '.') &&
	       !strstr(entry->d_name, ".new");
}

static void forget(const char *path)
{
	unlink(path);
}

void ended_note(const struct task *t, const struct container *c, int code)
{
	cleanup_json json *doc = json_copy(c->doc);
	char path[PATH_MAX];
	struct err ignored;

	if (!path_of(path, t->name, c->name) || (mkdir(ENDED_DIR, 0700) < 0 && errno != EEXIST))
		return;
	json_remove(doc, "pid");
	json_remove(doc, "supervisor");
	json_add_string(doc, "task", t->name);
	json_add_string(doc, "container", c->name);
	json_add_integer(doc, "ended", io_epoch_s());
	json_add_integer(doc, "exitCode", code);
	ended_describe(t, doc);
	(void)file_write_json(path, doc, &ignored);
	files_keep_newest(ENDED_DIR, ENDED_KEPT, is_ended, forget);
}

/* ---- reading ---- */

static json *read_one(const char *path)
{
	json *doc = NULL;
	struct err ignored;

	return file_read_json(path, &doc, &ignored) == 0 ? doc : NULL;
}

json *ended_find(const char *task, const char *container)
{
	char path[PATH_MAX];

	return path_of(path, task, container) ? read_one(path) : NULL;
}

json *ended_json(void)
{
	struct dirent **entries;
	json *list = json_array();
	int n = scandir(ENDED_DIR, &entries, is_ended, versionsort);

	for (int i = 0; i < n; i++) {
		cleanup_json json *one = NULL;
		char path[PATH_MAX];

		if (file_path(path, ENDED_DIR, entries[i]->d_name, ""))
			one = read_one(path);
		if (one)
			json_add_copy(list, NULL, one);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return list;
}

void ended_forget(const char *task, const char *container)
{
	cleanup_json json *all = container ? NULL : ended_json();
	char path[PATH_MAX];

	if (container && path_of(path, task, container))
		unlink(path);
	for (const json *one = json_first(all); one; one = json_next(one)) {
		const char *name = json_string(json_get(one, "task"));
		const char *of = json_string(json_get(one, "container"));

		if (name && of && !strcmp(name, task) && path_of(path, name, of))
			unlink(path);
	}
}

void ended_hint(const char *word, struct err *e)
{
	char task[CONTAINER_WORD];
	const char *container = container_split(word, task);
	cleanup_json json *one = ended_find(task, container ? container : CONTAINER_FIRST);
	int64_t code;

	if (!json_integer(json_get(one, "exitCode"), &code))
		return;
	cli_error(e, EXIT_ABSENT, "the task \"%s\" has ended, with exit code %d", word, (int)code);
	if (json_get(one, "run"))
		err_hint(
			e,
			"`taskvpc logs %s` tells what it said, `taskvpc restart %s` starts it again",
			word, task);
	else
		err_hint(e, "`taskvpc ls -a` tells those that have ended");
}
