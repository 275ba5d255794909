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

#include "base/lock.h"
#include "base/text.h"

#define TRIES    2500 /* 5 s: a busy host may need one; who hangs must not hold up all the others */
#define PAUSE_NS 2000000
#define GATE     0
/* The call that has it may wait a minute for a foreign IPAM plugin (DELEGATE_TIMEOUT_MS). */
#define KEY_WAIT_S (LOCK_WAIT_S + 60)

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

#define WHAT_TEXT (sizeof(((struct call *)0)->data_dir) + 8)

static const char *turn_path(const struct call *c, char buf[static WHAT_TEXT])
{
	snprintf(buf, WHAT_TEXT, "%s/turn", c->data_dir);
	return buf;
}

static int wait_byte(const struct call *c, off_t at, short type, unsigned seconds, struct err *e)
{
	char what[WHAT_TEXT];

	return lock_take_byte(c->turn, at, type, seconds, turn_path(c, what), e);
}

/* Of one byte of the file, for writing. Return: 0, 1 (taken), or -errno. */
static int try_byte(const struct call *c, off_t at, struct err *e)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	while (fcntl(c->turn, F_OFD_SETLK, &l) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return 1;
		if (errno != EINTR)
			return err_sys(e, ERR_STORE, errno, "cannot lock %s/turn", c->data_dir);
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
	char what[WHAT_TEXT];
	int r;

	if (c->shares_turn)
		return 0;
	r = turn_open(c, e);
	if (r == 0)
		r = wait_byte(c, GATE, F_RDLCK, LOCK_WAIT_S, e);
	if (r < 0)
		return r;
	r = lock_take(c->turn, LOCK_SH, LOCK_WAIT_S, turn_path(c, what), e);
	c->shares_turn = r == 0;
	unlock_bytes(c, GATE, 1);
	return r < 0 ? r : 1;
}

/* Behind the gate, only those have it who had it before, and they come to an end. */
static int wait_alone(struct call *c, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	char what[WHAT_TEXT];

	for (unsigned i = 0; i < TRIES; i++) {
		if (flock(c->turn, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	lock_refuse(c->turn, -1, TRIES / (1000000000 / PAUSE_NS), turn_path(c, what), e);
	return -EAGAIN;
}

int turn_alone(struct call *c, struct err *e)
{
	int r = turn_open(c, e);

	turn_end(c);
	if (r == 0)
		r = wait_byte(c, GATE, F_WRLCK, LOCK_WAIT_S, e);
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

	if (r < 0 || !wait)
		return r < 0 ? r : try_byte(c, key_byte(key), e);
	return wait_byte(c, key_byte(key), F_WRLCK, KEY_WAIT_S, e);
}

void turn_key_end(struct call *c, const struct store_key *key)
{
	unlock_bytes(c, key_byte(key), 1);
}

void turn_all_keys_end(struct call *c)
{
	unlock_bytes(c, GATE + 1, 0);
}
