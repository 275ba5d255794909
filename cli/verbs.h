/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs for attachments that are known by their record alone: those of other runtimes. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "chain.h"
#include "json/json.h"

/* plugin_of_mode: "awsvpc" for "awsvpc-veth"; NULL: no plugin of ours. */
const char *plugin_of_mode(const char *mode);

/*
 * verbs_list: what GC and CHECK need of a network's configuration: name, plugin, store. From a row
 * of live.h; the rest is in the record. @ret: as the list of a struct network, a new root. Return:
 * 0, or -EINVAL if no plugin of ours has that mode.
 */
int verbs_list(const json *row, json **ret, struct err *e);
/* verbs_result: the result that CHECK compares with, from a row; a new root. */
json *verbs_result(const json *row);

#endif
