/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lab of one mode: a host of its own (network and mount namespace, an empty /run), a machine
 * beside it on a LAN, and two tasks that are attached by the plugins as any runtime does it.
 *
 *   LAN machine 10.202.0.2 ─── lan0 10.202.0.1 host ─ ─ a, b
 */
#ifndef CLI_LAB_H
#define CLI_LAB_H

#include "base/ip.h"
#include "compare.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"

#define LAN_HOST     "10.202.0.1"
#define LAN_OTHER    "10.202.0.2"
#define LAN_METADATA "169.254.169.254" /* of the LAN's machine, as well */
#define LAN_FREE     "10.202.0.66"     /* nobody has it */
#define LAN_LEN      24
#define TASK_PORT    80 /* where a serves */

/* The interface of a namespace that is not lo. */
struct nic {
	char name[16]; /* empty: there is none */
	uint32_t ifindex;
	struct mac mac;
	struct cidr address; /* family 0: none */
};

struct lab_task {
	char name[24];
	struct netns ns; /* fd -1: not attached */
	struct nic nic;
	struct ip gateway; /* family 0: none */
	json *list, *runtime, *result;
	double start_us, stop_us; /* what attaching and detaching took */
};

struct lab {
	const struct mode *mode;
	struct cli cli;
	const char *path; /* CNI_PATH */
	json *list;       /* of the mode's network */
	struct netns host, lan;
	struct nic lan_nic;
	struct lab_task a, b;
	struct err broken; /* code 0: both are attached; else why not, and nothing can be tried */
};

/*
 * lab_open: in namespaces that nobody else is in (lab_worker.c). That the tasks cannot be attached
 * is no error: this kernel may lack what the mode needs.
 */
int lab_open(struct lab *lab, struct err *e);

/*
 * lab_attach: a task @name on @list, serving at @port, which is the host's as well if the mode
 * publishes (0: at none). @t is to be detached, whatever this returns. lab_detach: all of it is
 * gone.
 */
int lab_attach(struct lab *lab, const json *list, const char *name, unsigned port,
	       struct lab_task *ret, struct err *e);
int lab_detach(struct lab *lab, struct lab_task *t, struct err *e);
/* lab_again: both tasks anew, in fresh namespaces: somebody has lied to the old ones. */
void lab_again(struct lab *lab);
/* lab_small: the network once more, with a pool of a /28; a new root. */
json *lab_small(const struct lab *lab);

/* lab_own: the address that a task has itself, 127.0.0.1 if that is all. */
struct ip lab_own(const struct lab_task *t);
/* lab_client: the address that clients of @t are told. */
struct ip lab_client(const struct lab *lab, const struct lab_task *t);
/* lab_route: the LAN machine knows the way to a's subnet, by the host; or not. */
int lab_route(struct lab *lab, bool known, struct err *e);
/* lab_send: requests to the kernel, about @ns. */
int lab_send(const struct lab *lab, const struct netns *ns, struct batch *b, struct err *e);
/* lab_shares: are both in one namespace? */
bool lab_shares(const struct netns *one, const struct netns *other);

#endif
