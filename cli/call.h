/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of one plugin of a chain. Private to chain.c. */
#ifndef CLI_CALL_H
#define CLI_CALL_H

#include "chain.h"

struct call {
	const struct chain *chain;
	const json *plugin; /* its object in the list */
	const json *prev;   /* prevResult; NULL: none */
	const char *verb;
	const char *const *args; /* NULL: called as a runtime does */
	char **ret_warn;         /* not NULL: its stderr, if any, as a new string */
};

/*
 * call_plugin: run it. @ret_out: its stdout, the caller frees it; may be NULL.
 * Return: 0, or a negative errno with the plugin's own error, prefixed by its type.
 */
int call_plugin(const struct call *call, char **ret_out, struct err *e);

/* call_is_ours: does it have --explain? Plugins of taskvpc do. */
bool call_is_ours(const struct call *call);

#endif
