/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The turn is a flock, which is shared or not. Before it stands a gate, which who wants the turn
 * alone keeps shut: else others, one after the other, would share the turn for ever. The gate is
 * the first byte of the file, a key one of all the others.
 */
#include "cni/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "base/text.h"

#define TRIES    2500 /* 5 s: a busy host may need one; who hangs must not hold up all the others */
#define PAUSE_NS 2000000
#define GATE     0

static int turn_open(struct call *c, struct err *e)
{
	char path[sizeof(c->data_dir) + 8];

	if (c->turn >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/turn", c->data_dir);
	c->turn = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->turn >= 0)
		return 0;
	err_sys(e, ERR_STORE, errno, "cannot open %s", path);
	store_hint(e->sys, c->data_dir, e);
	return -e->sys;
}

static int lock_error(const struct call *c, struct err *e)
{
	return err_sys(e, ERR_STORE, errno, "cannot lock %s/turn", c->data_dir);
}

/* Of one byte of the file. @type: F_RDLCK, F_WRLCK. Return: 0, 1 (taken), or -errno. */
static int lock_byte(const struct call *c, off_t at, short type, bool wait, struct err *e)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	while (fcntl(c->turn, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return 1;
		if (errno != EINTR)
			return lock_error(c, e);
	}
	return 0;
}

/* @n bytes from @at on; 0: all. */
static void unlock_bytes(const struct call *c, off_t at, off_t n)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = n };

	if (c->turn >= 0)
		fcntl(c->turn, F_OFD_SETLK, &l);
}

int turn_share(struct call *c, struct err *e)
{
	int r;

	if (c->shares_turn)
		return 0;
	r = turn_open(c, e);
	if (r == 0)
		r = lock_byte(c, GATE, F_RDLCK, true, e);
	if (r < 0)
		return r;
	do
		r = flock(c->turn, LOCK_SH);
	while (r < 0 && errno == EINTR);
	c->shares_turn = r == 0;
	if (r < 0)
		r = lock_error(c, e);
	unlock_bytes(c, GATE, 1);
	return r < 0 ? r : 1;
}

/* Behind the gate, only those have it who had it before, and they come to an end. */
static int wait_alone(struct call *c, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (unsigned i = 0; i < TRIES; i++) {
		if (flock(c->turn, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	err_set(e, ERR_AGAIN, EAGAIN, "other calls were busy for five seconds");
	err_hint(e, "call GC when they have ended");
	return -EAGAIN;
}

int turn_alone(struct call *c, struct err *e)
{
	int r = turn_open(c, e);

	turn_end(c);
	if (r == 0)
		r = lock_byte(c, GATE, F_WRLCK, true, e);
	if (r < 0)
		return r;
	r = wait_alone(c, e);
	unlock_bytes(c, GATE, 1);
	return r;
}

void turn_end(struct call *c)
{
	if (c->turn >= 0)
		flock(c->turn, LOCK_UN);
	c->shares_turn = false;
}

/* ---- keys ---- */

/* Two keys of one byte wait for each other without need, once in 2^62 times. */
static off_t key_byte(const struct store_key *key)
{
	uint64_t h = hash_text(HASH_START, key->network);

	h = hash_text(hash_text(h, key->container_id), key->ifname);
	return (off_t)(h >> 2) + GATE + 1;
}

int turn_key(struct call *c, const struct store_key *key, bool wait, struct err *e)
{
	int r = turn_open(c, e);

	return r < 0 ? r : lock_byte(c, key_byte(key), F_WRLCK, wait, e);
}

void turn_key_end(struct call *c, const struct store_key *key)
{
	unlock_bytes(c, key_byte(key), 1);
}

void turn_all_keys_end(struct call *c)
{
	unlock_bytes(c, GATE + 1, 0);
}
