/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns are a flock beside the store's files: a kill ends them, and nobody waits who need not. */
#include "cni/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#define TRIES    500
#define PAUSE_NS 2000000

static int turn_open(struct call *c, struct err *e)
{
	char path[sizeof(c->data_dir) + 8];

	snprintf(path, sizeof(path), "%s/turn", c->data_dir);
	c->turn = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return c->turn < 0 ? err_sys(e, ERR_STORE, errno, "cannot open %s", path) : 0;
}

int turn_share(struct call *c, struct err *e)
{
	int r;

	if (c->turn >= 0)
		return 0;
	r = turn_open(c, e);
	if (r < 0)
		return r;
	do
		r = flock(c->turn, LOCK_SH);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 1;
	r = err_sys(e, ERR_STORE, errno, "cannot lock %s/turn", c->data_dir);
	turn_end(c);
	return r;
}

int turn_alone(struct call *c, struct err *e)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int r = c->turn < 0 ? turn_open(c, e) : 0;

	for (unsigned i = 0; r == 0 && i < TRIES; i++) {
		if (flock(c->turn, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	turn_end(c);
	return r ? r : err_set(e, ERR_AGAIN, EAGAIN, "other calls are busy: GC restores the rules");
}

void turn_end(struct call *c)
{
	if (c->turn >= 0)
		close(c->turn);
	c->turn = -1;
}
