/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STATUS: would an ADD succeed now? The configuration, a place for the store, a free address, what
 * the mode needs of the host, the plan of a task that there is not, and the foreign IPAM plugin's
 * own word. Nothing is created. Keys that nobody reads are told on stderr: this is the verb that an
 * administrator waits for.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cni/host_address.h"
#include "cni/netconf.h"
#include "ipam/lease.h"
#include "plan/plan.h"

struct status {
	const struct mode *mode;
	struct netconf conf;
	struct asked asked;
	struct attachment a; /* of nobody */
	struct plan plan;
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
	if (r < 0 && r != -ETIMEDOUT) /* that one passes: code 11 */
		e->code = ERR_UNAVAILABLE;
	return r;
}

/* ---- a task that there is not ---- */

static int imagine(struct call *c, struct status *s, struct plan_io *io, struct err *e)
{
	struct attachment *a = &s->a;

	text_copy(a->network, sizeof(a->network), c->network);
	text_copy(a->container_id, sizeof(a->container_id), "status");
	text_copy(a->ifname, sizeof(a->ifname), "eth0");
	text_copy(a->mode, sizeof(a->mode), s->mode->name);
	id_eni_new(a->eni_id);
	a->mac = id_eni_mac(a->eni_id);
	return s->mode->resolve ? s->mode->resolve(&s->conf, io, a, e) : 0;
}

/* With an address of the @k-th subnet of each set. */
static int draw(struct status *s, unsigned k, struct plan_io *io, struct err *e)
{
	int r = lease_sample(&s->conf.pool, k, &s->a, e);

	if (r == 0 && s->mode->accept)
		r = s->mode->accept(&s->a, e);
	if (r < 0)
		return r;
	plan_init(&s->plan, &s->a);
	s->mode->plan(&s->a, &s->plan);
	return plan_fits(&s->plan, io, e);
}

/* It is enough if one choice of subnets can be served; else the first says why not. */
static int draw_any(struct status *s, struct plan_io *io, struct err *e)
{
	const struct pool *pool = &s->conf.pool;
	unsigned most = 1;
	struct err later;
	int r = draw(s, 0, io, e);

	for (unsigned i = 0; i < pool->n_sets; i++)
		most = pool->sets[i].n_ranges > most ? pool->sets[i].n_ranges : most;
	for (unsigned k = 1; k < most && r < 0; k++)
		if (draw(s, k, io, &later) == 0)
			return 0;
	return r;
}

/* Live attachments of the store have elements, and the store marker is gone. An ADD repairs it. */
static int warn_of_flush(struct call *c, struct status *s, struct plan_io *io, struct err *e)
{
	uint64_t tag, n = 0;
	int r;

	if (!c->store)
		return 0;
	s->a.store_mark = store_boot_base(c->store);
	plan_init(&s->plan, &s->a);
	s->mode->plan(&s->a, &s->plan);
	if (!plan_marker_tag(&s->plan, &tag))
		return 0;
	r = store_tag_count(c->store, tag, &n, e);
	if (r == 0 && n)
		r = plan_marker_find(&s->plan, io, e);
	if (r == 1)
		call_warn(c,
			  "the nftables rules were flushed: tasks have no guard and no published "
			  "ports. To restore them: taskvpc gc");
	return r < 0 ? r : 0;
}

/* Addresses that come from elsewhere, or with the container, are not known. */
static int judge_task(struct call *c, struct status *s, struct plan_io *io, struct err *e)
{
	int r = imagine(c, s, io, e);

	if (r == 0 && !c->foreign)
		r = host_address_avoid(
			io, s->a.bridge_foreign ? s->a.bridge_ifindex : s->a.master_ifindex,
			&s->conf.pool, e);
	if (r == 0 && !c->foreign && !netconf_may_get_ranges(c))
		r = draw_any(s, io, e);
	if (r < 0)
		e->code = ERR_UNAVAILABLE;
	return r < 0 ? r : warn_of_flush(c, s, io, e);
}

static int judge_host(struct call *c, struct status *s, struct plan_io *io, struct err *e)
{
	char lines[4096];
	struct text warn;
	int r;

	text_init(&warn, lines, sizeof(lines));
	r = s->mode->status ? s->mode->status(&s->conf, io, &warn, e) : 0;
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
		call_warn(c, "%s", line);
	return r < 0 ? r : judge_task(c, s, io, e);
}

static int judge_mode(struct call *c, struct status *s, struct err *e)
{
	const struct netns none = NETNS_NONE;
	struct plan_io io;
	int r;

	if (!s->mode->has_interface)
		return 0;
	r = call_host(c, e);
	if (!r)
		r = plan_io_open(&io, &c->host, &none, e);
	if (r < 0)
		return r;
	r = judge_host(c, s, &io, e);
	plan_io_close(&io);
	return r;
}

/* The runtime takes code 50 for a fault of the node, and the end of a task gives addresses back. */
static int judge_pool(struct call *c, const struct status *s, struct err *e)
{
	char *counts = e->details;
	int r;

	if (c->foreign || !s->conf.pool.n_sets)
		return 0;
	r = lease_status(c->store, &s->conf.pool, e);
	if (r != 1)
		return r;
	if (s->conf.status_exhausted == STATUS_EXHAUSTED_ERROR)
		return -EADDRNOTAVAIL;
	for (char *line = strtok(counts, "\n"); line; line = strtok(NULL, "\n"))
		call_warn(c, "%s: %s", e->msg, line);
	return 0;
}

static int judge_all(struct call *c, struct status *s, struct err *e)
{
	int r = netconf_read(c, &s->mode, &s->conf, &s->asked, e);

	if (r < 0)
		return r;
	netconf_unknown(c, s->mode);
	r = judge_store(c, e);
	if (!r)
		r = judge_pool(c, s, e);
	return r < 0 ? r : judge_mode(c, s, e);
}

/* What the plugin itself says is passed on as it is; without the plugin there is no ADD. */
static int ask_delegate(struct call *c, struct err *e)
{
	int r = call_delegate(c, "STATUS", NULL, e);

	if (r < 0 && r != -EREMOTEIO && e->code == ERR_ENVIRONMENT)
		e->code = ERR_UNAVAILABLE;
	return r;
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
	return r < 0 ? r : ask_delegate(c, e);
}
