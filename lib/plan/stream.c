/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gathering the requests of neighbouring steps into one sendmsg a socket. */
#include "plan/io.h"

#include <string.h>

int stream_to(struct stream *st, enum step_via via, enum side side, struct err *e)
{
	int r;

	if (st->active && st->via == via && st->side == side && batch_has_room(st->io->batch))
		return 0;
	r = stream_flush(st, e);
	if (r < 0)
		return r;
	st->active = true;
	st->via = via;
	st->side = side;
	if (via == VIA_NFT)
		nft_begin(st->io->batch);
	return 0;
}

int stream_flush(struct stream *st, struct err *e)
{
	struct plan_io *io = st->io;
	struct netlink *nl;
	int r;

	if (!st->active)
		return 0;
	st->active = false;
	memset(&io->failure, 0, sizeof(io->failure));
	if (st->via == VIA_NFT) {
		nft_commit(io->batch);
		r = plan_io_nft(io, &nl, e);
	} else {
		r = plan_io_route(io, st->side, &nl, e);
	}
	if (r < 0) {
		batch_reset(io->batch);
		return r;
	}
	r = batch_send(io->batch, nl, &io->failure, e);
	st->carrier_pending |= io->failure.carrier_pending;
	st->found_in_task |= st->via == VIA_ROUTE && st->side == TASK && io->failure.tolerated;
	if (!st->forgiving || st->via != VIA_NFT)
		return r;
	st->given_up |= r < 0 || io->failure.tolerated;
	return 0;
}
