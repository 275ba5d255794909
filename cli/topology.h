/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live picture of this host, as one document; text, SVG and DOT are readings of it. What tasks
 * should have comes from their records (live.h), what they have from the kernel, asked now.
 *
 *   taskvpc, date
 *   host {name, kernel, forwarding {ipv4, ipv6}, interfaces [LINK + gateways]}
 *   groups [{kind, name, network, link LINK, tasks [TASK], subnets [of subnets.h]}]
 *   unused [subnets without a task]
 *   problems [{task, finding, fix}]
 *
 *   LINK  name, kind, state (up, down, no carrier, gone), mac, addresses
 *   TASK  task, network, interface, mode, state, runtime, netns, mac, addresses, hostInterface,
 *         hostMac, wire (up, down, gone), ports [{hostPort, containerPort, protocol, hostIP}]
 *
 * A group is what tasks are joined by. kind: routed (a subnet whose router is the host), bridge,
 * lan (macvlans of one interface of the host), host (its own network), none (alone), other.
 * state: as in live.h, and broken: it is up, but the kernel has not all that it should have.
 */
#ifndef CLI_TOPOLOGY_H
#define CLI_TOPOLOGY_H

#include <stdio.h>

#include "kernel/link.h"
#include "kernel/route.h"
#include "live.h"
#include "output.h"

/* ---- looking: topology_look.c ---- */

#define HOST_ADDRESSES 1024

struct topology_look {
	struct netns host;
	struct netlink route, nft;
	struct link_info *links; /* of the host */
	size_t n_links;
	struct addr_info addresses[HOST_ADDRESSES]; /* of the host */
	unsigned n_addresses;
	json *problems; /* what is wrong goes here */
};

/* look_open: @ret is large: on the heap. */
int look_open(struct topology_look *ret, struct err *e);
void look_close(struct topology_look *look);
/* look_named: a link of the host, NULL if there is none of that name. */
const struct link_info *look_named(const struct topology_look *look, const char *name);
/* look_link: a LINK, appended to @parent (an array: @key NULL); "gone" if there is none. */
json *look_link(const struct topology_look *look, const char *name, json *parent, const char *key);
/* look_task: a TASK of @row, appended to @list. */
void look_task(struct topology_look *look, const json *row, json *list);
/* look_host: the host's part of the document. */
void look_host(struct topology_look *look, json *doc);
/* look_problem: @task "": of the host. */
void look_problem(struct topology_look *look, const char *task, const char *fix, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));

/* look_shell: the name of an interface, as sh takes it for a word. */
#define LOOK_SHELL 80
const char *look_shell(const char *ifname, char buf[static LOOK_SHELL]);

/* ---- the document: topology_doc.c ---- */

/* topology_doc: of these @rows (of live_attachments) and @subnets (of subnets_json). */
int topology_doc(const json *rows, const json *subnets, json **ret, struct err *e);

/* ---- words that all readings use: topology_words.c ---- */

#define WORDS_TEXT 512

/* How many tasks there are in all groups, and from when on they are drawn small. */
unsigned topology_count(const json *doc);
#define FEW_TASKS 40
#define FEW_HERE  4
bool topology_is_dense(const json *doc, const json *group);

bool is_kind(const json *group, const char *kind);
/* "subnet-a 10.200.1.0/24", "bridge br-lab 10.201.0.1/24", …: printable, as all of these. */
const char *group_name(const json *group, char buf[static WORDS_TEXT]);
/* "lab-awsvpc; the host routes, gateway 10.200.1.1; 3 of 251 used": @between goes in between. */
const char *group_about(const json *group, const char *between, char buf[static WORDS_TEXT]);
const char *subnet_about(const json *subnet, char buf[static WORDS_TEXT]);
/* The name, or the first 12 digits of an id. */
const char *task_name(const json *task, char buf[static WORDS_TEXT]);
/* "dead, leaked", "broken", "unknown"; "" if it is well. */
const char *task_trouble(const json *task);
enum tone task_tone(const json *task);
/* The part of the first address that differs within its subnet: ".4" of 10.200.1.4/24. */
const char *task_short_address(const json *task, char buf[static WORDS_TEXT]);
/*
 * ports_text: "8080→80", "127.0.0.1:8081→81/udp", "9000" where both are one; "8001-8009→81-89" of a
 * range. Return: the first port behind those that it tells.
 */
const json *ports_text(const json *port, const char *arrow, char buf[static WORDS_TEXT]);
/* "default via 198.51.100.1" of an interface of the host; "" if none goes there. */
const char *gateways_text(const json *link, char buf[static WORDS_TEXT]);
const char *forwarding_text(const json *doc, char buf[static WORDS_TEXT]);
/* A string of @object, printable. */
const char *shown_text(const json *object, const char *key, char buf[static WORDS_TEXT]);

/* ---- readings ---- */

void topology_text(const json *doc);
void topology_svg(FILE *out, const json *doc);
void topology_dot(FILE *out, const json *doc);

#endif
