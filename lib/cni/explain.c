/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For people: the plan of an attachment as commands, and the reference of the configuration. The
 * plan is the recorded one; where there is none, of what ADD would do now. Nothing is changed:
 * where no store exists, the dry run asks a store of its own that is thrown away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cni/held.h"
#include "cni/prepare.h"

#define TEXT_MAX (256u << 10)
#define NOTHING  "# not attached: nothing to remove"

static int print_plan(struct call *c, const struct plan *plan, const char *comment, struct err *e)
{
	cleanup_free char *buf = malloc(TEXT_MAX);
	struct text t;

	if (!buf)
		return err_sys(e, ERR_IO, ENOMEM, "explain");
	text_init(&t, buf, TEXT_MAX);
	if (comment)
		text_add(&t, "# %s\n", comment);
	plan_print(plan, c->print, &t);
	if (t.len && buf[t.len - 1] == '\n')
		buf[t.len - 1] = '\0';
	return call_answer(c, buf, e);
}

/* ---- a store that is thrown away ---- */

static void remove_directory(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

static int with_throwaway_store(struct call *c, int (*run)(struct add *add, struct err *e),
				struct add *add, struct err *e)
{
	char path[] = "/tmp/taskvpc-explain-XXXXXX";
	int r;

	if (!mkdtemp(path))
		return err_sys(e, ERR_IO, errno, "explain: %s", path);
	text_copy(c->data_dir, sizeof(c->data_dir), path);
	r = call_store(c, STORE_CREATE, e);
	if (!r)
		r = run(add, e);
	remove_directory(path);
	return r;
}

/* ---- add ---- */

static int print_dry_run(struct add *add, struct err *e)
{
	int r = prepare_lease(add, true, e);

	if (r == 0)
		r = prepare_gateways(add, true, e);
	if (r == 0 && add->mode->consent) /* nobody shall run by hand what ADD refuses */
		r = add->mode->consent(&add->a, &add->io, e);
	if (r < 0)
		return r;
	return print_plan(add->c, &add->plan,
			  add->c->print & PLAN_PRINT_UNDO
				  ? "not attached: what DEL would do after ADD"
				  : "not attached: what ADD would do",
			  e);
}

/* DEL is told of a namespace that is there, or would be after ADD. */
static bool has_namespace(const struct add *add)
{
	return !(add->c->print & PLAN_PRINT_UNDO) || add->conf.create_namespace ||
	       access(add->c->env.netns, F_OK) == 0;
}

static int explain_new(struct add *add, bool has_store, struct err *e)
{
	int r = prepare_config(add, e);

	if (!r && !has_namespace(add))
		return call_answer(add->c, NOTHING, e);
	if (!r && add->c->foreign) {
		err_set(e, ERR_CONFIG, 0, "explain: no plan before %s has given an address",
			add->c->foreign);
		err_hint(e, "explain an attachment that exists, or use ipam.type " POOL_TYPE);
		return -EINVAL;
	}
	if (!r)
		r = prepare_task(add, e);
	if (!r)
		r = prepare_attachment(add, e);
	if (!r && add->mode->stateless) {
		add->mode->plan(&add->a, &add->plan);
		return print_plan(add->c, &add->plan, NULL, e);
	}
	if (r < 0)
		return r;
	if (!has_store)
		return with_throwaway_store(add->c, print_dry_run, add, e);
	r = call_store(add->c, STORE_CREATE, e); /* also a dry lease asks for the writers' lock */
	return r < 0 ? r : print_dry_run(add, e);
}

/* Return: as held_get; on 0 the plan of the record is printed. */
static int explain_held(struct call *c, bool *has_store, struct err *e)
{
	const struct store_key key = call_key(c);
	cleanup_held struct held *h = held_new(e);
	int r;

	if (!h)
		return -ENOMEM;
	r = call_store(c, STORE_READ, e);
	*has_store = !r;
	if (!r)
		r = held_get(c, &key, h, e);
	if (!r)
		r = held_needs_mode(c, h, e);
	return r ? r : print_plan(c, &h->plan, NULL, e);
}

static int explain_run(struct call *c, struct err *e)
{
	bool has_store;
	struct add *add;
	int r = explain_held(c, &has_store, e);

	if (r != STORE_ABSENT)
		return r;
	if (!c->env.netns) /* DEL comes without, and then there is no telling what was there */
		return call_answer(c, NOTHING, e);
	add = prepare_new(c, e);
	r = add ? explain_new(add, has_store, e) : -ENOMEM;
	prepare_free(add);
	return r;
}

int explain_add_run(struct call *c, struct err *e)
{
	return explain_run(c, e);
}

int explain_del_run(struct call *c, struct err *e)
{
	c->print |= PLAN_PRINT_UNDO;
	return explain_run(c, e);
}

/* ---- the reference ---- */

static void describe(struct text *t, const char *title, const struct field *table)
{
	if (!table || !table->key)
		return;
	text_add(t, "### %s\n\n| key | type | default | |\n|---|---|---|---|\n", title);
	field_describe(table, "", t);
	text_add(t, "\n");
}

/* Modes that share a table are described once, under all their names. */
static void describe_mode(struct text *t, const struct plugin *plugin,
			  const struct mode *const *mode)
{
	char title[96];
	struct text line;

	for (const struct mode *const *m = plugin->modes; m < mode; m++)
		if ((*m)->fields == (*mode)->fields)
			return;
	text_init(&line, title, sizeof(title));
	text_add(&line, "Mode %s", (*mode)->name);
	for (const struct mode *const *m = mode + 1; *m; m++)
		if ((*m)->fields == (*mode)->fields)
			text_add(&line, ", %s", (*m)->name);
	describe(t, title, (*mode)->fields);
}

int fields_print(struct call *c, struct err *e)
{
	cleanup_free char *buf = malloc(TEXT_MAX);
	struct text t;

	if (!buf)
		return err_sys(e, ERR_IO, ENOMEM, "--fields");
	text_init(&t, buf, TEXT_MAX);
	describe(&t, "Network configuration", netconf_fields);
	for (const struct mode *const *m = c->plugin->modes; *m; m++)
		describe_mode(&t, c->plugin, m);
	describe(&t, "`ipam`", pool_fields);
	describe(&t, "One of `ipam.ranges`", pool_range_fields);
	describe(&t, "One of `ipam.routes`", pool_route_fields);
	describe(&t, "`runtimeConfig`", runtime_fields);
	describe(&t, "One of `runtimeConfig.portMappings`", port_fields);
	if (t.len && buf[t.len - 1] == '\n')
		buf[t.len - 1] = '\0';
	return call_answer(c, buf, e);
}
