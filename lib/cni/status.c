/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STATUS: would an ADD succeed now? The configuration, a place for the store, a free address, what
 * the mode needs of the host, and the foreign IPAM plugin's own word. Nothing is created. Keys that
 * nobody reads are told on stderr: this is the verb that an administrator waits for.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cni/netconf.h"
#include "ipam/lease.h"
#include "plan/plan.h"

struct status {
	const struct mode *mode;
	struct netconf conf;
	struct asked asked;
};

/* Where no store is yet, one can be made: the nearest directory that exists is writable. */
static int judge_place(const struct call *c, struct err *e)
{
	char dir[sizeof(c->data_dir)];
	char *slash;

	text_copy(dir, sizeof(dir), c->data_dir);
	while (access(dir, F_OK) < 0 && errno == ENOENT) {
		slash = strrchr(dir, '/');
		if (!slash)
			break;
		slash[slash == dir] = '\0'; /* of "/name" stays "/" */
	}
	if (!access(dir, W_OK | X_OK))
		return 0;
	err_sys(e, ERR_UNAVAILABLE, errno, "the store cannot be made: %s", dir);
	err_hint(e, "ipam.dataDir is %s", c->data_dir);
	return -e->sys;
}

static int judge_store(struct call *c, struct err *e)
{
	int r = call_store(c, STORE_READ, e);

	if (r == STORE_ABSENT)
		return judge_place(c, e);
	if (r < 0)
		e->code = ERR_UNAVAILABLE;
	return r;
}

static int judge_mode(struct call *c, const struct status *s, struct err *e)
{
	const struct netns none = NETNS_NONE;
	char lines[4096];
	struct text warn;
	struct plan_io io;
	int r;

	text_init(&warn, lines, sizeof(lines));
	if (!s->mode->status)
		return 0;
	r = call_host(c, e);
	if (!r)
		r = plan_io_open(&io, &c->host, &none, e);
	if (r < 0)
		return r;
	r = s->mode->status(&s->conf, &io, &warn, e);
	plan_io_close(&io);
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
		call_warn(c, "%s", line);
	return r;
}

static int judge_all(struct call *c, struct status *s, struct err *e)
{
	int r = netconf_read(c, &s->mode, &s->conf, &s->asked, e);

	if (r < 0)
		return r;
	netconf_unknown(c, s->mode);
	r = judge_store(c, e);
	if (!r && !c->foreign && s->conf.pool.n_sets)
		r = lease_status(c->store, &s->conf.pool, e);
	return r < 0 ? r : judge_mode(c, s, e);
}

int status_run(struct call *c, struct err *e)
{
	struct status *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_sys(e, ERR_IO, ENOMEM, "STATUS");
	c->env.args = NULL; /* STATUS is of no container: what stands there is somebody else's */
	r = judge_all(c, s, e);
	pool_free(&s->conf.pool);
	free(s);
	return r < 0 ? r : call_delegate(c, "STATUS", NULL, e);
}
