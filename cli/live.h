/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is there now, as one document: an object for each attachment of this host, whoever made it.
 * It comes from the stores, whose records every plugin of ours writes, and from the tasks that
 * taskvpc runs itself. ls, inspect, ports, subnets and doctor are readings of it.
 *
 *   task, short, name, network, interface, mode, state, created, netns
 *   podNamespace, podName, hostname: what CNI_ARGS called it; name: the first of these
 *   address, addresses [{address, gateway, subnet, az}], subnet, mac, mtu
 *   eni, hostInterface, hostMac, bridge, master, hostAccess (with a master)
 *   ipMasq (true), vpc [the CIDR blocks that are not masqueraded]
 *   ports [{hostPort, containerPort, protocol, hostIP}], held [the same: those that it keeps]
 *   runtime ("taskvpc", or "other"), containers [{name, state, pid, command, created}], store
 *
 * state: up; dead: its namespace is gone, and what it held is leaked; unknown: its namespace is not
 * where it was, but its link still stands.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "kernel/netns.h"
#include "network.h"

/* live_networks: those of networks_load, and those that tasks were started with from files. */
int live_networks(const struct cli *c, struct networks *ret, struct err *e);

#define LIVE_STORES 32
struct live_stores {
	char of[LIVE_STORES][256];
	unsigned n;
};
/* live_stores: the directories of all records: the usual one, and what @all say. */
void live_stores(const struct networks *all, struct live_stores *ret);

/* live_attachments: @ret is a new root, an array by task. Return: 0 or a negative errno. */
int live_attachments(const struct cli *c, json **ret, struct err *e);

/*
 * live_find: the attachments of one task (an array, a new root) by its id or name; else the name
 * of its pod (also NAMESPACE/NAME) or container, or its host name; else what only one id begins
 * with, with or without the runtime's namespace, or 4 bytes or more of a name.
 * Return: 0, or EXIT_ABSENT, EXIT_USAGE if ambiguous.
 */
int live_find(const json *all, const char *name, json **ret, struct err *e);

/*
 * live_of_other: @e says that taskvpc runs no task @name. Where another runtime does, say that.
 * Return: @r.
 */
int live_of_other(const struct cli *c, const char *name, int r, struct err *e);

/* live_text: a string of a row, "" if it has none. */
const char *live_text(const json *row, const char *key);
/* live_short: what a table calls it: 12 digits of an id, or as many as make it unique. Borrowed. */
const char *live_short(const json *row);
/*
 * live_netns: the namespace of @row, by its path, if that is still the one that the record knows:
 * a process whose number another has by now leads elsewhere. Return: 0, or a negative errno.
 */
int live_netns(const json *row, const struct netns *host, struct netns *ret, struct err *e);

/* live_ip: the command ip(8) in the namespace of @row: "ip -n web". Returns @buf. */
#define LIVE_IP_TEXT 160
const char *live_ip(const json *row, char buf[static LIVE_IP_TEXT]);

#endif
