/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row of live.h. Private to live.c. */
#ifndef CLI_LIVE_ROW_H
#define CLI_LIVE_ROW_H

#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "state.h"
#include "store/store.h"
#include "json/json.h"

/* What is needed to find out whether an attachment lives. */
struct live_look {
	struct netns host;
	struct netlink nl;
	struct attachment *a; /* for decoding */
};
int live_look_open(struct live_look *look, struct err *e);
void live_look_close(struct live_look *look);

/* live_row_of_record: append a row. A record that cannot be read is a row that says so. */
int live_row_of_record(struct live_look *look, const struct store_record *record, const char *dir,
		       json *rows, struct err *e);
/* live_shorten: @rows, each with its "short"; @ret: a new root. */
int live_shorten(const json *rows, json **ret, struct err *e);
/* live_row_of_task: append a row of a task that has no record. */
void live_row_of_task(const struct task *t, json *rows);

#endif
