/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan acts through: two namespaces, and a socket to each part of the kernel when needed. */
#include "plan/io.h"

#include "kernel/release.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

void plan_io_turn(struct plan_io *io, const struct netns *task)
{
	struct plan_io next = {
		.host = io->host,
		.task = *task,
		.route = { io->route[HOST], NETLINK_CLOSED },
		.nft = io->nft,
		.batch = io->batch,
	};

	netlink_close(&io->route[TASK]);
	netns_close(&io->task);
	*io = next;
	io->batch->owner = 0;
	batch_reset(io->batch);
}

int plan_io_open(struct plan_io *io, const struct netns *host, const struct netns *task,
		 struct err *e)
{
	*io = (struct plan_io){
		.host = *host,
		.task = NETNS_NONE,
		.route = { NETLINK_CLOSED, NETLINK_CLOSED },
		.nft = NETLINK_CLOSED,
		.batch = malloc(sizeof(*io->batch)),
	};
	if (!io->batch)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot plan");
	plan_io_turn(io, task);
	return 0;
}

void plan_io_close(struct plan_io *io)
{
	netlink_close(&io->route[HOST]);
	netlink_close(&io->route[TASK]);
	netlink_close(&io->nft);
	netns_close(&io->task);
	free(io->batch);
	io->batch = NULL;
}

const struct netns *plan_io_netns(const struct plan_io *io, enum side side)
{
	return side == TASK ? &io->task : &io->host;
}

int plan_io_route(struct plan_io *io, enum side side, struct netlink **ret, struct err *e)
{
	*ret = &io->route[side];
	if ((*ret)->fd >= 0)
		return 0;
	return netlink_open(NETLINK_ROUTE, plan_io_netns(io, side), &io->host, *ret, e);
}

int plan_io_nft(struct plan_io *io, struct netlink **ret, struct err *e)
{
	int r;

	*ret = &io->nft;
	if (io->nft.fd >= 0)
		return 0;
	r = netlink_open(NETLINK_NETFILTER, &io->host, &io->host, &io->nft, e);
	if (r == -EPROTONOSUPPORT)
		err_hint(e, "the kernel needs nf_tables (CONFIG_NF_TABLES)");
	return r;
}

bool plan_io_lacks_nft(struct plan_io *io)
{
	uint32_t generation;
	struct netlink *nl;
	struct err ignored;
	int r = plan_io_nft(io, &nl, &ignored);

	if (r == 0)
		r = nft_generation(nl, &generation, &ignored);
	return r == -EPROTONOSUPPORT || r == -EOPNOTSUPP || r == -EINVAL;
}

bool plan_io_gone(const struct plan_io *io, enum side side)
{
	return side == TASK && io->task.fd < 0;
}

int plan_release_link(struct plan_io *io, enum side side, uint32_t ifindex, const char *kind,
		      struct err *e)
{
	struct link_info link;
	struct netlink *nl;
	int r;

	if (plan_io_gone(io, side))
		return 0;
	r = plan_io_route(io, side, &nl, e);
	if (r == 0)
		r = link_by_index(nl, ifindex, &link, e);
	if (r != 0 || strcmp(link.kind, kind) != 0)
		return r < 0 ? r : 0;
	return link_release(plan_io_netns(io, side), &io->host, nl, ifindex, e);
}

/* Before the thread goes to the task: opened in there, the host's socket would be the task's, and
 * the task's would bring the thread back to the host. */
static int enter_task(struct plan_io *io, struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = plan_io_route(io, TASK, &nl, e);
	return r < 0 ? r : netns_enter(&io->task, e);
}

int plan_call(plan_call_fn *fn, const struct step *s, const struct plan *p, struct plan_io *io,
	      struct err *e)
{
	bool away = s->side == TASK;
	int r = away ? enter_task(io, e) : 0;

	if (r < 0)
		return r;
	r = fn(s, p, io, e);
	if (away)
		netns_return(&io->host);
	return r;
}
