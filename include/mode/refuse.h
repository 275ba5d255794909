/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judgements that several modes share. Each: Return 0, or -EINVAL with code 7 that names the key.
 */
#ifndef MODE_REFUSE_H
#define MODE_REFUSE_H

#include "mode/mode.h"

/*
 * mode_refuse_interface: what would be of an interface of the task's own, where @mode makes none:
 * `mtu`, `ipam` (save dataDir, the place of the store), an address or a MAC asked for, a limit.
 */
int mode_refuse_interface(const struct netconf *c, const char *mode, struct err *e);
/*
 * mode_refuse_bandwidth: a limit of runtimeConfig.bandwidth, which a runtime sends only where the
 * network's author has declared that this plugin keeps it. @instead: who could, for the remedy.
 */
int mode_refuse_bandwidth(const struct netconf *c, const char *mode, const char *instead,
			  struct err *e);
/* mode_refuse_other_ports: a host port that is neither blank nor the container's own; @why not. */
int mode_refuse_other_ports(const struct netconf *c, const char *why, struct err *e);

#endif
