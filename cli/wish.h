/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person wants for a task (-p, --ip, --mac), as a runtime passes it on to the plugins. */
#ifndef CLI_WISH_H
#define CLI_WISH_H

#include "cli.h"

struct wish {
	struct words ports;
	const char *ip, *mac;
};

/* Rows for the options of a subcommand whose struct @s has a struct wish as @m. */
#define WISH_OPTIONS(s, m)                                                                         \
	OPT(s, m.ports, 'p', "publish", OPT_LIST, "[[IP:]HOST:]CONTAINER[/PROTO]",                 \
	    "Publish a port, or FIRST-LAST; on a bridge without HOST: any free."),                 \
		OPT(s, m.ip, 0, "ip", OPT_TEXT, "ADDRESS[,ADDRESS]", "Ask for this address."),     \
		OPT(s, m.mac, 0, "mac", OPT_TEXT, "MAC", "Ask for this MAC address.")

/*
 * wish_read: judge @w and turn it into runtimeConfig, and CNI_ARGS for what @list (of a network)
 * declares no capability.
 * @ret_runtime: a new root. @ret_args: a new string, or NULL: nothing to say.
 * Return: 0; EXIT_USAGE for a value that cannot be; EXIT_CONFIG where the network cannot take it.
 */
int wish_read(const struct wish *w, const json *list, json **ret_runtime, char **ret_args,
	      struct err *e);

#endif
