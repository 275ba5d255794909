/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole configuration of one ADD, STATUS or explain, read and judged. */
#ifndef CNI_NETCONF_H
#define CNI_NETCONF_H

#include "cni/args.h"
#include "cni/call.h"

/*
 * netconf_read: the configuration of @c for the mode it asks for, and what it asks for beside it.
 * @ret: zeroed; also after an error the caller frees its pool (pool_free).
 * Return: 0, or -EINVAL with code 7, or 4 where CNI_ARGS is wrong.
 */
int netconf_read(const struct call *c, const struct mode **mode, struct netconf *ret,
		 struct asked *asked, struct err *e);

/* netconf_may_get_ranges: STATUS is of no container: the ranges that one brings, it has not seen.
 */
bool netconf_may_get_ranges(const struct call *c);

/* shape_error: @value at @path "must be @allowed", code 7. Return: -EINVAL. */
int shape_error(struct err *e, const char *path, const json *value, const char *allowed);

/*
 * runtime_read: `args.cni` and `runtimeConfig` into @ret and @asked: the latter wins. For each key
 * that both know, and CNI_ARGS, the order is runtimeConfig, args.cni, CNI_ARGS.
 */
int runtime_read(const struct call *c, struct netconf *ret, struct asked *asked, struct err *e);

/* netconf_unknown: warn of keys that nobody reads in objects that are ours. */
void netconf_unknown(struct call *c, const struct mode *mode);

extern const struct field runtime_fields[]; /* runtimeConfig, for the reference */
extern const struct field port_fields[];    /* one of runtimeConfig.portMappings */

#endif
