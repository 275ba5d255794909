/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deleting the tracked connections of addresses in quarantine. Two bytes of the file "turn", which
 * no key has, are locked: one by the process that waits to walk (the walker) for all its life, one
 * by whoever walks. A call that finds a walker leaves its addresses to it; one that needs an
 * address at once walks itself. The walker gives up the first byte before it looks a last time, so
 * no address falls between it and a call that found it at work. A kill loses nothing: what is in
 * quarantine stays in the store, and the next call that releases some, GC, or an ADD in need of
 * an address goes on.
 */
#include "cni/flows.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"
#include "cni/turn.h"
#include "kernel/conntrack.h"
#include "kernel/nft.h"

/* Nobody may have the addresses meanwhile; an ADD in need does not wait. */
#define FIRST_MS  100
#define GATHER_MS 1000 /* from the second walk on, where DELs keep coming */
#define TICK_MS   12   /* elements that lead to a task expire within a tick after its DEL */
#define TRIES     2500
#define PAUSE_MS  2
#define ROUNDS    64 /* of one list each */

#define WALKER ((off_t)INT64_MAX - 2)
#define WALK   ((off_t)INT64_MAX - 1)

static int open_locks(const struct call *c, struct err *e)
{
	char path[sizeof(c->data_dir) + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/turn", c->data_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd >= 0 ? fd : err_sys(e, ERR_STORE, errno, "cannot open %s", path);
}

/* @type: F_WRLCK, F_UNLCK. Return: 0, 1: another has it, or -errno. */
static int lock_walk(int fd, off_t at, short type, struct err *e)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	while (fcntl(fd, F_OFD_SETLK, &l) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return 1;
		if (errno != EINTR)
			return err_sys(e, ERR_STORE, errno, "cannot lock the walk over flows");
	}
	return 0;
}

static int wait_walk(int fd, struct err *e)
{
	int r = lock_walk(fd, WALK, F_WRLCK, e);

	for (unsigned i = 0; r == 1 && i < TRIES; i++) {
		poll(NULL, 0, PAUSE_MS);
		r = lock_walk(fd, WALK, F_WRLCK, e);
	}
	if (r <= 0)
		return r;
	lock_refuse(fd, WALK, TRIES * PAUSE_MS / 1000, "the walk over tracked connections", e);
	return -EAGAIN;
}

/* ---- the walk ---- */

static int delete_flows(struct call *c, struct store_quarantine *q, struct err *e)
{
	struct conntrack_addresses addresses = { .n = q->n, .ips = q->addresses };
	cleanup_free struct batch *b = malloc(sizeof(*b));
	struct netlink nl = NETLINK_CLOSED;
	int r = b ? call_host(c, e) : err_sys(e, ERR_KERNEL, ENOMEM, "cannot delete flows");

	if (r == 0)
		r = netlink_open(NETLINK_NETFILTER, &c->host, &c->host, &nl, e);
	if (r < 0)
		return r;
	b->owner = 0;
	batch_reset(b);
	if (io_clock_ms() < (int64_t)q->released_ms + TICK_MS)
		nft_wait_expired();
	r = conntrack_forget_addresses(&nl, &c->host, &addresses, b, e);
	netlink_close(&nl);
	return r;
}

/* Return: 1 some were cleared, 0 there were none, or a negative errno (with *e). */
static int clear_some(struct call *c, struct store_quarantine *q, struct err *e)
{
	int r = store_quarantine(c->store, q, e);

	if (r != 0 || q->n_records == 0)
		return r < 0 ? r : 0; /* STORE_ABSENT: somebody removed the store */
	r = delete_flows(c, q, e);
	if (r == 0)
		r = store_unquarantine(c->store, q, e);
	return r < 0 ? r : 1;
}

/* All that is there now; while others release more, that is theirs to look after. */
static int clear_all(struct call *c, int fd, struct err *e)
{
	cleanup_free struct store_quarantine *q = malloc(sizeof(*q));
	unsigned rounds = ROUNDS;
	int r = q ? wait_walk(fd, e) : err_sys(e, ERR_STORE, ENOMEM, "cannot delete flows");

	if (r < 0)
		return r;
	do
		r = clear_some(c, q, e);
	while (r == 1 && q->n_records > STORE_QUARANTINES / 2 && --rounds);
	lock_walk(fd, WALK, F_UNLCK, e);
	return r < 0 ? r : 0;
}

int flows_clear(struct call *c, struct err *e)
{
	int fd = open_locks(c, e);
	int r = fd < 0 ? fd : clear_all(c, fd, e);

	if (fd >= 0)
		close(fd);
	if (r < 0)
		err_prefix(e, "quarantine of released addresses");
	else
		c->quarantined = false; /* what this call has released is among them */
	return r < 0 ? r : 1;
}

/* ---- the walker ---- */

/* Return: 1, 0, or a negative errno. */
static int is_pending(struct call *c, struct err *e)
{
	cleanup_free struct store_quarantine *q = malloc(sizeof(*q));
	int r = q ? store_quarantine(c->store, q, e) : -ENOMEM;

	return r < 0 ? r : r == 0 && q->n_records > 0;
}

static void walk_until_done(struct call *c, int fd)
{
	int r, pause = FIRST_MS;
	struct err e;

	do {
		do {
			poll(NULL, 0, pause);
			pause = GATHER_MS;
			r = clear_all(c, fd, &e);
			if (r == 0)
				r = is_pending(c, &e);
		} while (r == 1);
		lock_walk(fd, WALKER, F_UNLCK, &e);
	} while (r == 0 && is_pending(c, &e) == 1 && lock_walk(fd, WALKER, F_WRLCK, &e) == 0);
}

/* Nothing of the runtime's, which reads our stdout to its end, nor of our locks. */
static void detach(struct call *c, int fd)
{
	int low = fd < c->host.fd ? fd : c->host.fd, high = fd < c->host.fd ? c->host.fd : fd;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_NAME, "taskvpc-flows"); /* for ps */
	setsid();
	store_close(c->store);
	c->store = NULL;
	for (int i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			close(i);
	close_range(3, (unsigned)low - 1, 0);
	close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0U, 0);
	c->turn = -1;
	c->nl = (struct netlink)NETLINK_CLOSED;
}

static void carry_on(struct call *c, int fd)
{
	struct err e;

	detach(c, fd);
	/* What a damaged store needs, and its warning, are for a call that somebody reads. */
	if (call_store(c, STORE_VISIT, &e) == 0)
		walk_until_done(c, fd);
	_exit(0);
}

void flows_leave(struct call *c)
{
	struct err e;
	int fd;
	pid_t child;

	if (!c->quarantined || call_host(c, &e) < 0)
		return;
	fd = open_locks(c, &e);
	if (fd < 0)
		return;
	if (lock_walk(fd, WALKER, F_WRLCK, &e) == 0) {
		turn_end(c);
		turn_all_keys_end(c);
		child = fork();
		if (child == 0)
			carry_on(c, fd);
		if (child < 0)
			clear_all(c, fd, &e);
	}
	close(fd);
}
