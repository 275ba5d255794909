/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ADD up to the lease: what add.c carries out and explain.c only prints. */
#ifndef CNI_PREPARE_H
#define CNI_PREPARE_H

#include "cni/host_address.h"
#include "cni/netconf.h"
#include "cni/result.h"
#include "ipam/lease.h"
#include "plan/plan.h"

/* The state of one ADD. Large: on the heap, by prepare_new. */
struct add {
	struct call *c;
	const struct mode *mode;
	char *body;       /* of the record */
	json *given_root; /* the document that `given` borrows from */
	int patience;     /* how often a holder that is about to go may still be waited for */
	bool is_linked;   /* `linked` is */
	bool io_is_open;
	bool inherits_name; /* of its namespace, from an attachment that was healed */
	struct netconf conf;
	struct asked asked;
	bool joins[STORE_PORTS]; /* lease_wish.joins */
	struct plan_io io;
	struct attachment a;
	struct host_routers routers;
	struct mode_view view;
	struct plan plan;
	struct plan linked;   /* link_first: the part that was applied before the addresses */
	struct result result; /* starts as prevResult */
	struct result given;  /* what a foreign IPAM plugin answered */
};

struct add *prepare_new(struct call *c, struct err *e);
void prepare_free(struct add *add);

/* prepare_config: read and judge everything that was said. Touches nothing. */
int prepare_config(struct add *add, struct err *e);
/* prepare_task: open the task's namespace and the way to it; with createNamespace, make one. */
int prepare_task(struct add *add, struct err *e);
/*
 * prepare_name_bearers: how many records bear the name of the task's namespace, as one that
 * createNamespace made. Draws in add->plan. Return: 0 or a negative errno.
 */
int prepare_name_bearers(struct add *add, uint64_t *ret, struct err *e);
/* prepare_attachment: everything of the record that is known before it has addresses. */
int prepare_attachment(struct add *add, struct err *e);
/* prepare_judge: may the task have @address, as the host is? Return: as host_address_judge. */
int prepare_judge(struct add *add, const struct ip *address, struct err *e);
/* prepare_lease: addresses, record and plan. @dry_run: only tell, change nothing. */
int prepare_lease(struct add *add, bool dry_run, struct err *e);

/*
 * prepare_gateways: with the lease: no task may have the address of a gateway. Code 103.
 * @dry_run: the record of a dead task, which would be taken down, stands in the way as well.
 */
int prepare_gateways(struct add *add, bool dry_run, struct err *e);

/*
 * ports_join: a lease_join_fn: podman and nerdctl hand the same portMappings to every network of a
 * container, so its later attachments join the ports of the first.
 */
int ports_join(void *ctx, const struct store_holder *holder, struct err *e);
/*
 * ports_judge: leave out mappings that another one of @a covers, to the same container port.
 * Return: 0, or code 7 where one host port leads to two container ports.
 */
int ports_judge(struct attachment *a, struct err *e);
/*
 * ports_wish: the ports of the attachment into @wish, and where those of 0 come from.
 * @ret: room for them, which must live as long as the wish.
 */
int ports_wish(const struct add *add, struct store_port ret[static STORE_PORTS],
	       struct lease_wish *wish, struct err *e);

#endif
