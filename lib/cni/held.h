/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An attachment that the store holds: found, judged alive or dead, and taken down again. */
#ifndef CNI_HELD_H
#define CNI_HELD_H

#include "cni/call.h"
#include "plan/plan.h"

/* A record and what it means, one after the other. Large: on the heap, by held_new. */
struct held {
	struct store_record record;
	struct attachment a;
	const struct mode *mode; /* NULL: unknown to this plugin */
	struct plan plan;
	struct plan_io io; /* of held_take_down; without a batch: not open */
};

struct held *held_new(struct err *e);
void held_freep(struct held **h);
#define cleanup_held CLEANUP(held_freep)

/* held_get: the record of @key. Return: 0, STORE_ABSENT, or a negative errno. */
int held_get(struct call *c, const struct store_key *key, struct held *ret, struct err *e);
/* held_next: as store_next, of one network or of all. Return: as held_get. */
int held_next(struct call *c, const char *network, uint64_t *cursor, struct held *ret,
	      struct err *e);
/*
 * held_decode: what @h->record means, where store_next() has filled that in; until then the other
 * members are those of the record before, or of none.
 * Return: 0, or a negative errno.
 */
int held_decode(struct call *c, struct held *h, struct err *e);
/*
 * held_seize: be the only call at the attachment of @key (turn_key), and know it as it is now.
 * @wait: for another call that is at it. Return: as held_get, or HELD_BUSY (only without @wait).
 */
#define HELD_BUSY 100
int held_seize(struct call *c, const struct store_key *key, bool wait, struct held *ret,
	       struct err *e);
/*
 * held_seize_found: as held_seize, without waiting, of the record that store_next() has filled in.
 * Return: 0, HELD_BUSY (also where it is gone by now, or of no mode of ours), or a negative errno.
 */
int held_seize_found(struct call *c, struct held *h, struct err *e);
/* held_needs_mode: an error that names the mode, where this plugin does not know it. */
int held_needs_mode(const struct call *c, const struct held *h, struct err *e);

/*
 * held_fate: is its namespace gone? A path that leads nowhere is no proof while the host's end of
 * the link stands, because both ends die with the namespace: somebody else may hold it, or the
 * kernel, which takes namespaces apart in the background, is still at it. Where the link has no end
 * on the host, the namespace is looked for by the id that ADD gave it: the path may be that of a
 * process that has ended while another, or a descriptor alone, keeps the namespace. In a record
 * without an id, of an older version, it is looked for in all processes. The host's own namespace
 * lives as long as the store.
 * Return: enum held_fate, or a negative errno.
 */
enum held_fate {
	HELD_ALIVE,
	HELD_DEAD,
	HELD_UNCERTAIN
};
int held_fate(struct call *c, const struct held *h, struct err *e);

/*
 * held_host_end: is there a host's end of the link, recognised by both index and name?
 * Return: 1, 0 (none stands, or the mode has none), or a negative errno.
 */
int held_host_end(struct call *c, const struct attachment *a, struct err *e);

/*
 * held_namespace: the task's namespace: by CNI_NETNS if that leads to the recorded one, else by the
 * recorded path, and where the link has no end on the host by a search; not open (fd -1) if it is
 * not found. Return: 0, or a negative errno where that cannot be told.
 */
int held_namespace(const struct call *c, const struct held *h, struct netns *ret, struct err *e);

/*
 * held_take_down: undo the plan, then forget the record; in this order, so that what a failure
 * leaves can be tried again by the next DEL or GC. The store must be open for writing, and the
 * caller the only one at the attachment (held_seize).
 */
int held_take_down(struct call *c, struct held *h, uint32_t cooldown_s, struct err *e);

/*
 * plan_release: forget the record of @plan's attachment and undo what it shared with nobody else.
 * For a plan whose own steps are undone already.
 */
int plan_release(struct call *c, const struct plan *plan, struct plan_io *io, uint32_t cooldown_s,
		 struct err *e);

/*
 * held_restore: put back the elements of all attachments: whatever flushed the nftables skeleton
 * (io->ruleset_loaded), or a set, took them along. The store is the truth, nftables a cache.
 * What cannot be had for one holds up none of the others; it is the error, what follows is warned
 * of. A shared turn is given up. Return: 0, or a negative errno: -EAGAIN (code 11) where others
 * were busy for so long that nothing was restored.
 */
int held_restore(struct call *c, struct plan_io *io, struct err *e);

#endif
