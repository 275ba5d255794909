/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network's plugins as libcni calls them: one after the other, each with the result of the one
 * before, DEL in reverse, runtimeConfig by what each declares. So `taskvpc run` and containerd go
 * the same way.
 */
#ifndef CLI_CHAIN_H
#define CLI_CHAIN_H

#include <limits.h>

#include "cli.h"

#define CHAIN_PATH 4096

struct chain {                                     /* all borrowed */
	const json *list;                          /* of struct network */
	const json *runtime;                       /* what is wished by capability; may be NULL */
	const char *container_id, *netns, *ifname; /* NULL: none */
	const char *args;                          /* CNI_ARGS; NULL: none */
	const char *path;                          /* CNI_PATH */
};

/* chain_path: where plugins are looked for: @c's, CNI_PATH, beside us, then the usual places. */
void chain_path(const struct cli *c, char ret[static CHAIN_PATH]);

/* chain_find: are all the plugins there? Return: 0 or -ENOENT (EXIT_ABSENT, with the remedy). */
int chain_find(const struct chain *ch, struct err *e);

#define CHAIN_UNKNOWN UINT_MAX /* ADD neither succeeded nor answered: it was killed */

/*
 * chain_add: attach. If a plugin fails, the whole chain is deleted again.
 * @ret: the last result, a new root; NULL where no plugin gave any.
 * @ret_added: of a chain that failed, how many plugins may have attached something: those that
 * succeeded, and one that did not answer. May be NULL.
 */
int chain_add(const struct chain *ch, json **ret, unsigned *ret_added, struct err *e);
/*
 * chain_del: DEL of all plugins, in reverse; the first error is returned.
 * @result: of chain_add; NULL: the chain was not attached whole.
 * @added: of chain_add, or CHAIN_UNKNOWN. Without @result, DEL of a plugin from @added on may fail
 * (a warning), and DEL of each may refuse the version, as its ADD did.
 */
int chain_del(const struct chain *ch, const json *result, unsigned added, struct err *e);
int chain_check(const struct chain *ch, const json *result, struct err *e);
/*
 * chain_gc: what provably is dead goes. For plugins of ours only: to others, a GC without a list of
 * what is valid means that nothing is.
 * @restored: an array; a string for each thing that was not as it should be, and is again.
 */
int chain_gc(const struct chain *ch, json *restored, struct err *e);
/* chain_status: @warn: what all plugins said on stderr, a new string or NULL. */
int chain_status(const struct chain *ch, char **warn, struct err *e);
/* chain_explain: what --explain of each plugin prints, a new string. @verb: "add" or "del". */
int chain_explain(const struct chain *ch, const char *verb, char **ret, struct err *e);

#endif
