/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From records and tasks to rows. Nothing is changed, and nothing but the stores is locked. */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ipam/pool.h"
#include "live_row.h"
#include "state.h"
#include "store/store.h"

const char *live_text(const json *row, const char *key)
{
	const char *text = json_string(json_get(row, key));

	return text ? text : "";
}

int live_netns(const json *row, const struct netns *host, struct netns *ret, struct err *e)
{
	const char *path = live_text(row, "netns");
	int64_t cookie;
	int r;

	if (!json_integer(json_get(row, "netnsCookie"), &cookie))
		return netns_open(path, host, ret, e);
	r = netns_reopen(path, (uint64_t)cookie, ret, e);
	if (r <= 0)
		return r;
	return cli_error(e, EXIT_ABSENT, "%.300s is not the network namespace of %s any more", path,
			 live_short(row));
}

const char *live_ip(const json *row, char buf[static LIVE_IP_TEXT])
{
	const char *path = live_text(row, "netns"), *name = netns_name(path);
	struct text t;

	text_init(&t, buf, LIVE_IP_TEXT);
	text_add(&t, name ? "ip -n " : "nsenter --net=");
	text_add_shell(&t, name ? name : path);
	text_add(&t, name ? "" : " ip");
	return buf;
}

/* ---- networks and stores ---- */

static int add_network_of(void *ctx, const char *name, struct err *e)
{
	struct task t = TASK_NONE;
	struct network *n;
	struct err ignored;
	int r = 0;

	if (task_open(name, &t, &ignored) == 0 &&
	    network_read(json_get(t.doc, "network"), live_text(t.doc, "source"), &n, &ignored) == 0)
		r = networks_add(ctx, n, e);
	task_close(&t);
	return r;
}

int live_networks(const struct cli *c, struct networks *ret, struct err *e)
{
	int r = networks_load(c, ret, NULL, NULL, e);

	return r < 0 ? r : tasks_each(add_network_of, ret, e);
}

static void add_store(struct live_stores *s, const char *dir)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->of[i], dir))
			return;
	if (s->n < LIVE_STORES)
		text_copy(s->of[s->n++], sizeof(s->of[0]), dir);
}

void live_stores(const struct networks *all, struct live_stores *ret)
{
	char dir[256];

	ret->n = 0;
	add_store(ret, POOL_DATA_DIR);
	for (unsigned i = 0; i < all->n; i++)
		add_store(ret, network_data_dir(all->of[i]->list, dir));
}

/* ---- rows ---- */

static int add_records(struct live_look *look, const char *dir, json *rows, struct err *e)
{
	cleanup_free struct store_record *record = malloc(sizeof(*record));
	cleanup_store struct store *store = NULL;
	char warn[256];
	uint64_t cursor = 0, before;
	int r;

	if (!record)
		return err_sys(e, ERR_STORE, ENOMEM, "%s", dir);
	r = store_open(dir, STORE_READ, &store, warn, sizeof(warn), e);
	while (r == 0) {
		before = cursor;
		r = store_next(store, NULL, &cursor, record, e);
		if (r == 0)
			r = live_row_of_record(look, record, dir, rows, e);
		else if (r < 0 && cursor != before) /* one record is at fault, not the store */
			r = 0;
	}
	return r == STORE_ABSENT ? 0 : r;
}

static const json *find_row(const json *rows, const char *task, const char *network)
{
	const json *row = json_first(rows);

	while (row && (strcmp(live_text(row, "task"), task) != 0 ||
		       strcmp(live_text(row, "network"), network) != 0))
		row = json_next(row);
	return row;
}

static int add_task(void *ctx, const char *name, struct err *e)
{
	json *rows = ctx;
	struct task t = TASK_NONE;
	struct err ignored;

	(void)e;
	if (task_open(name, &t, &ignored) < 0)
		return 0;
	if (!find_row(rows, name, live_text(json_get(t.doc, "network"), "name")))
		live_row_of_task(&t, rows);
	task_close(&t);
	return 0;
}

int live_attachments(const struct cli *c, json **ret, struct err *e)
{
	cleanup_networks struct networks all = { .n = 0 };
	cleanup_json json *rows = json_array();
	struct live_look look;
	struct live_stores stores;
	int r = live_networks(c, &all, e);

	if (r == 0)
		r = live_look_open(&look, e);
	if (r < 0)
		return r;
	live_stores(&all, &stores);
	for (unsigned i = 0; i < stores.n && r == 0; i++)
		r = add_records(&look, stores.of[i], rows, e);
	live_look_close(&look);
	if (r == 0)
		r = tasks_each(add_task, rows, e);
	if (r == 0)
		r = live_shorten(rows, ret, e);
	return r;
}
