/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying a plan: as few sendmsgs as there are changes of side, and all of it or nothing. */
#include "plan/io.h"

#include "plan/undo.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define REST_LINE    8192 /* a step as text, the longest being a ruleset */
#define MAC_TAKEN_MS 2000
#define AGAIN_MS     20
#define FLUSHES      3 /* in the midst of one ADD, or of one restore */

static bool creates_link(const struct step *s)
{
	return s->kind == &step_veth || s->kind == &step_macvlan || s->kind == &step_bridge ||
	       s->kind == &step_ifb;
}

/* What others made, and nothing gives back: the kernel goes on after an error, so what may fail is
 * sent first. */
static bool takes_away(const struct step *s)
{
	return s->kind == &step_addr && s->addr.how.gone;
}

static int apply_call(const struct plan *p, unsigned i, struct stream *st, struct err *e)
{
	int r = stream_flush(st, e);

	if (r < 0)
		return r;
	r = plan_call(p->steps[i].kind->apply, &p->steps[i], p, st->io, e);
	if (r < 0) {
		st->io->failure.owner = i;
		st->io->failure.error = -r;
	}
	return r;
}

static int apply_step(const struct plan *p, unsigned i, struct stream *st, struct err *e)
{
	const struct step *s = &p->steps[i];
	int r;

	if (s->kind->via == VIA_CALL)
		return s->kind->apply ? apply_call(p, i, st, e) : 0;
	/* A link is born by a message alone: if its name or index is taken, nothing else may
	 * follow. */
	r = creates_link(s) || takes_away(s) ? stream_flush(st, e) : 0;
	if (r == 0)
		r = stream_to(st, s->kind->via, s->side, e);
	if (r < 0)
		return r;
	st->io->batch->owner = i;
	s->kind->add(s, st->io, st->io->batch);
	return creates_link(s) ? stream_flush(st, e) : 0;
}

static bool raises_link(const struct step *s)
{
	return s->kind == &step_link && s->link.set.up &&
	       s->link.dev.ifindex != LOOPBACK_INDEX; /* lo has no queue to activate */
}

/* Before Linux 6.8 the question does not activate the queue: wait for the kernel to do so. */
static int await_links(const struct plan *p, struct plan_io *io, struct err *e)
{
	int r = 0;

	for (unsigned i = p->n; i-- > 0 && r == 0;) {
		const struct step *s = &p->steps[i];
		struct netlink *nl;

		if (!raises_link(s))
			continue;
		r = plan_io_route(io, s->side, &nl, e);
		if (r == 0)
			r = link_await(nl, s->link.dev.ifindex, e);
	}
	return r;
}

/*
 * Ready means ready: a link that has just come up loses its first packets until the kernel has
 * activated its queue. Asking for the link makes the kernel do so at once. Last first: a bridge has
 * a carrier only once that of its port is known.
 */
static int sync_links(const struct plan *p, struct stream *st, struct err *e)
{
	int r = 0;

	for (unsigned i = p->n; i-- > 0 && r == 0;) {
		const struct step *s = &p->steps[i];

		if (!raises_link(s))
			continue;
		r = stream_to(st, VIA_ROUTE, s->side, e);
		st->io->batch->owner = i;
		if (r == 0)
			link_sync(st->io->batch, s->link.dev.ifindex);
	}
	if (r == 0)
		r = stream_flush(st, e);
	if (r == 0 && st->carrier_pending)
		r = await_links(p, st->io, e);
	return r;
}

/* The key of a map leads elsewhere: to a task of another dataDir, or where somebody wanted it. */
static void hint_taken(const struct step *s, struct err *e)
{
	struct nft_element key = s->element.element;
	char line[256];
	struct text t;

	key.n_data = 0;
	text_init(&t, line, sizeof(line));
	nft_element_print("delete", s->element.table, &key, &t);
	err_hint(
		e,
		"this port of the host leads elsewhere already: to a task of another dataDir, or it was "
		"added by hand. Use another port; or, if nobody needs it: %s",
		line);
}

/* Of a link that has IPv6 turned off: what the kernel says to whom. */
static bool lacks_ipv6(const struct step *s, int error)
{
	if (s->kind == &step_neigh)
		return error == EINVAL && s->neigh.ip.family == AF_INET6;
	return error == EACCES && (s->kind == &step_addr || s->kind == &step_route);
}

/* A route of the task is in the way. */
static void hint_route(const struct step *s, struct err *e)
{
	if (s->shared)
		err_hint(e,
			 "a network of the task brings it (ipam.routes), or it was added by hand: "
			 "take it away there, or leave out what needs the new one "
			 "(blockInstanceMetadata)");
	else
		err_hint(e, "the task has a route there already with this metric: leave one of the "
			    "two out, or give it another priority (routes[].priority)");
}

/* Where the kernel's sentence does not say what to do about it. */
static void add_hint(const struct step *s, struct err *e)
{
	if (e->sys == EXFULL)
		err_hint(e,
			 "a Linux bridge takes at most 1023 ports: use another bridge, or awsvpc, "
			 "which has no such limit");
	if (lacks_ipv6(s, e->sys))
		err_hint(e,
			 "IPv6 is turned off there, by net.ipv6.conf.default.disable_ipv6, all or "
			 "the interface's own: turn it on before, or leave the IPv6 range out");
	if (e->sys == EOPNOTSUPP && s->kind == &step_rule)
		err_hint(e, "the kernel needs policy routing (CONFIG_IP_MULTIPLE_TABLES, for IPv6 "
			    "CONFIG_IPV6_MULTIPLE_TABLES)");
	if (e->sys == EEXIST && s->kind == &step_rule)
		err_hint(e, "a rule with this priority is there already, made by another program: "
			    "delete it (ip rule del)");
	if (e->sys == EEXIST && s->kind == &step_route && s->side == TASK)
		hint_route(s, e);
	if (e->sys == EEXIST && s->kind == &step_element && s->element.element.lasting)
		err_hint(
			e,
			"this block overlaps with that of another network (its subnet, or vpc.cidr), "
			"which the host cannot keep apart: give them separate blocks, or the same");
	if (e->sys == EEXIST && s->kind == &step_element && s->element.element.n_data)
		hint_taken(s, e);
	plan_hint_need(s, e);
}

void plan_blame(const struct plan *p, unsigned i, struct err *e)
{
	char line[512], *other;
	struct text t;

	text_init(&t, line, sizeof(line));
	plan_print_step(p, &p->steps[i], false, &t);
	line[strcspn(line, "\n")] = '\0';
	other = strstr(line, " 2>/dev/null"); /* what sh does next is no part of the step */
	if (other)
		*other = '\0';
	err_prefix(e, "%s", line);
	add_hint(&p->steps[i], e);
}

/*
 * What is shared may be there already; but the kernel says so of any route to the same destination,
 * and one that leads there is not one that leads nowhere. Only in the task, where it is rare: on
 * the host each ADD but the first finds the gateway's. That is CHECK's to tell.
 */
static int judge_found(const struct plan *p, struct plan_io *io, struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, TASK, &nl, e);

	for (unsigned i = 0; i < p->n && r >= 0; i++) {
		const struct step *s = &p->steps[i];

		if (s->kind != &step_route || s->side != TASK || !s->shared)
			continue;
		r = route_find(nl, &s->route.spec, ROUTE_OF_TABLE, e);
		if (r == ROUTE_CHANGED)
			r = err_set(e, ERR_KERNEL, EEXIST,
				    "a route of another kind is there already");
		if (r < 0)
			io->failure = (struct batch_failure){ .owner = i, .error = -r };
	}
	return r < 0 ? r : 0;
}

static int apply_all(const struct plan *p, struct stream *st, unsigned *ret_last, struct err *e)
{
	int r = 0;

	memset(&st->io->failure, 0, sizeof(st->io->failure));
	for (unsigned i = 0; i < p->n && r == 0; i++) {
		*ret_last = i;
		r = apply_step(p, i, st, e);
	}
	if (r == 0)
		r = sync_links(p, st, e);
	return r < 0 || !st->found_in_task ? r : judge_found(p, st->io, e);
}

static int apply_once(const struct plan *p, struct plan_io *io, struct err *e)
{
	struct stream st = { .io = io };
	struct batch_failure failure;
	unsigned last = 0;
	struct err ignored;
	int failed;
	int r = apply_all(p, &st, &last, e);

	if (r == 0)
		return 0;
	failure = io->failure;
	/* Without a step that failed the socket did: then all may have come about, or nothing. */
	failed = failure.error ? (int)failure.owner : -1;
	plan_blame(p, failed < 0 ? last : (unsigned)failed, e);
	batch_reset(io->batch);
	io->stuck |= undo_steps(p, io, last + 1, failed, &ignored) < 0;
	io->failure = failure;
	return r;
}

/* A link could not come up because its MAC is taken: the kernel refuses that of macvlans of one
 * master. */
static bool mac_is_taken(const struct plan *p, const struct plan_io *io)
{
	const struct batch_failure *f = &io->failure;

	return f->error == EADDRINUSE && p->steps[f->owner].kind == &step_link;
}

/* The table was there when the plan began, and somebody has flushed it since. */
static bool was_flushed(const struct plan *p, const struct plan_io *io)
{
	const struct batch_failure *f = &io->failure;

	return f->error == ENOENT && p->steps[f->owner].kind == &step_element;
}

/* The key of a map leads elsewhere. It may be one of ours that was dropped a moment ago, and has
 * not expired yet; whatever else it is, it is somebody's. */
static bool leads_elsewhere(const struct plan *p, const struct plan_io *io)
{
	const struct batch_failure *f = &io->failure;

	return f->error == EEXIST && p->steps[f->owner].kind == &step_element &&
	       p->steps[f->owner].element.element.n_data > 0;
}

/*
 * A namespace that has ended keeps its links, and a macvlan its MAC, until the kernel is through
 * with it some ten milliseconds later, and no event tells when. A container that is started again
 * at once with the MAC it had must not fail for that.
 */
int plan_apply(const struct plan *p, struct plan_io *io, struct err *e)
{
	int r;

	if (p->overflow)
		return err_set(
			e, ERR_CONFIG, E2BIG,
			"this attachment needs more than %d steps: give it fewer ports or routes",
			PLAN_STEPS);
	r = apply_once(p, io, e);
	if (r < 0 && leads_elsewhere(p, io)) {
		nft_wait_expired();
		r = apply_once(p, io, e);
	}
	for (int i = 0; r < 0 && was_flushed(p, io) && i < FLUSHES; i++)
		r = apply_once(p, io, e);
	for (int waited = 0; r < 0 && mac_is_taken(p, io) && waited < MAC_TAKEN_MS;
	     waited += AGAIN_MS) {
		poll(NULL, 0, AGAIN_MS);
		r = apply_once(p, io, e);
	}
	if (r < 0 && mac_is_taken(p, io))
		err_hint(e, "another interface on the same master has this MAC: use another one");
	return r;
}

/* Two steps are the same if they read the same. */
static bool has_step(const struct plan *p, const char *line)
{
	char other[REST_LINE];
	struct text t;

	for (unsigned i = 0; i < p->n; i++) {
		text_init(&t, other, sizeof(other));
		plan_print_step(p, &p->steps[i], false, &t);
		if (strcmp(other, line) == 0)
			return true;
	}
	return false;
}

int plan_apply_rest(const struct plan *p, const struct plan *done, struct plan_io *io,
		    struct err *e)
{
	cleanup_free struct plan *rest = malloc(sizeof(*rest));
	char line[REST_LINE];
	struct text t;

	if (!rest)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot plan");
	plan_init(rest, p->a);
	rest->overflow = p->overflow;
	for (unsigned i = 0; i < p->n; i++) {
		text_init(&t, line, sizeof(line));
		plan_print_step(p, &p->steps[i], false, &t);
		if (has_step(done, line))
			continue;
		rest->steps[rest->n] = p->steps[i];
		rest->steps[rest->n++].dies_with = -1;
	}
	return plan_apply(rest, io, e);
}

static int restore_together(const struct plan *p, struct plan_io *io, struct err *e)
{
	struct stream st = { .io = io };
	int r = 0;

	for (unsigned i = 0; i < p->n && r == 0; i++) {
		if (p->steps[i].kind == &step_ruleset)
			r = apply_call(p, i, &st, e);
		if (p->steps[i].kind != &step_element || r < 0)
			continue;
		r = stream_to(&st, VIA_NFT, HOST, e);
		io->batch->owner = i;
		if (r == 0)
			step_element.add(&p->steps[i], io, io->batch);
	}
	return r < 0 ? r : stream_flush(&st, e);
}

/* One by one, past those that cannot be had: they must not keep the others away. */
static int restore_alone(const struct plan *p, struct plan_io *io, struct err *e)
{
	struct stream st = { .io = io };
	struct err now;
	int r, first = 0;

	for (unsigned i = 0; i < p->n; i++) {
		if (p->steps[i].kind != &step_element)
			continue;
		r = apply_step(p, i, &st, &now);
		if (r == 0)
			r = stream_flush(&st, &now);
		if (r == 0 || first != 0)
			continue;
		first = r;
		*e = now;
		plan_blame(p, i, e);
	}
	return first;
}

int plan_apply_elements(const struct plan *p, struct plan_io *io, struct err *e)
{
	int r = restore_together(p, io, e);

	for (int i = 0; r < 0 && was_flushed(p, io) && i < FLUSHES; i++)
		r = restore_together(p, io, e);
	return r < 0 && io->failure.error == EEXIST ? restore_alone(p, io, e) : r;
}

int plan_apply_joins(const struct plan *p, struct plan_io *io, struct err *e)
{
	struct stream st = { .io = io };
	int r = 0;

	for (unsigned i = 0; i < p->n && r == 0; i++) {
		if (p->steps[i].kind != &step_join)
			continue;
		r = apply_call(p, i, &st, e);
		if (r < 0)
			plan_blame(p, i, e);
	}
	return r;
}

bool plan_has_joins(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->steps[i].kind == &step_join)
			return true;
	return false;
}
