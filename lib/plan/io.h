/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside plan/: sockets on demand, and the sending of batches by side. */
#ifndef PLAN_IO_H
#define PLAN_IO_H

#include "plan/step.h"

const struct netns *plan_io_netns(const struct plan_io *io, enum side side);
/* The task's namespace is gone: nothing of it is left to undo, nothing can be checked. */
bool plan_io_gone(const struct plan_io *io, enum side side);

/* plan_io_lacks_nft: the kernel has no nf_tables, neither the protocol nor the subsystem. */
bool plan_io_lacks_nft(struct plan_io *io);

/* plan_call: run @fn of a step in the step's namespace, and come back. */
typedef int plan_call_fn(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e);
int plan_call(plan_call_fn *fn, const struct step *s, const struct plan *p, struct plan_io *io,
	      struct err *e);

/*
 * plan_release_link: release the link @ifindex of @side, if it still is one of @kind: found by
 * index, so that a renamed one goes as well, and what others put in its place stays. A namespace or
 * a link that is gone is fine.
 */
int plan_release_link(struct plan_io *io, enum side side, uint32_t ifindex, const char *kind,
		      struct err *e);

/*
 * A stream of requests: what goes to the same socket as the request before is sent with it.
 * first..: the steps of the batch that is being gathered.
 */
struct stream {
	struct plan_io *io;
	bool active;
	bool forgiving; /* an nft transaction that is given up is no error, only noted */
	bool given_up;
	bool carrier_pending; /* some link that was asked for is not ready yet */
	bool found_in_task;   /* something of the task was there already, and may be */
	enum step_via via;
	enum side side;
};

/* stream_to: turn the stream to a socket, sending what was gathered for another one. */
int stream_to(struct stream *st, enum step_via via, enum side side, struct err *e);
/* stream_flush: send what was gathered. io->failure tells whose request failed. */
int stream_flush(struct stream *st, struct err *e);

/* plan_blame: step @i is what failed: its command in front of the kernel's sentence, and the remedy
 * where that does not tell it. */
void plan_blame(const struct plan *p, unsigned i, struct err *e);
/* plan_route_where: for a check: where a route of @side may stand. */
enum route_where plan_route_where(enum side side);

/* plan_print_step: one step's command(s), without a trailing newline. */
void plan_print_step(const struct plan *p, const struct step *s, bool undo, struct text *t);
/* plan_hint_command: for a check: what repairs it is not the step, but the command @line. */
void plan_hint_command(const struct plan *p, enum side side, const char *line, struct err *e);
/* plan_hint_link: it is to set @key of the interface @ifname to @value. */
void plan_hint_link(const struct plan *p, enum side side, const char *ifname, const char *key,
		    const char *value, struct err *e);

#endif
