/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undoing: from the end, everything, whatever is missing; the first failure is reported. */
#include "plan/undo.h"

#include "plan/io.h"

#include <string.h>
#include <sys/socket.h>

#define UNDO_LINE 1024 /* a path of a namespace and an address: none is as long */

/* Remember the first failure only: later ones are mostly its echo. */
static void keep_first(int r, const struct err *now, int *first, struct err *e)
{
	if (r < 0 && *first == 0) {
		*first = r;
		*e = *now;
	}
}

static bool needs_refusals_gone(const struct step *s)
{
	return (s->kind == &step_rule && s->shared &&
		(s->rule.action == RULE_NOP || s->rule.action == RULE_GOTO)) ||
	       (s->kind == &step_toggle && strstr(s->toggle.path, "src_valid_mark"));
}

/*
 * The frame of the second line is one for all stores of the host, and each counts its own tags:
 * while the subnet of another store has a rule that refuses, the frame stays for its tasks. Return:
 * 0 it may go, 1 it stays, or a negative errno.
 */
static int find_refusals(const struct step *s, struct stream *st, struct err *e)
{
	struct netlink *nl;
	int r = needs_refusals_gone(s) ? stream_flush(st, e) : 1;

	if (r != 0)
		return r < 0 ? r : 0;
	r = plan_io_route(st->io, s->side, &nl, e);
	return r < 0 ? r : rule_refuses(nl, s->kind == &step_rule ? s->rule.family : AF_INET, e);
}

/*
 * The kernel may delete what is not ours, if ours is not there: of intervals one of a network with
 * a wider block, of a map what leads to another's task. Return: 0 it is there, 1 not, or a negative
 * errno.
 */
static int find_ours(const struct plan *p, const struct step *s, struct stream *st, struct err *e)
{
	int r = 0;

	if (s->kind == &step_element && nft_drop_is_blind(&s->element.element)) {
		r = stream_flush(st, e);
		if (r == 0)
			r = plan_call(step_element.check, s, p, st->io, e);
	}
	return r;
}

static int undo_step(const struct plan *p, unsigned i, struct stream *st, struct err *e)
{
	const struct step *s = &p->steps[i];
	int r = find_refusals(s, st, e);

	if (r != 0)
		return r < 0 ? r : 0;
	if (s->kind->undo) {
		r = stream_flush(st, e);
		return r < 0 ? r : plan_call(s->kind->undo, s, p, st->io, e);
	}
	if (!s->kind->drop)
		return 0;
	r = find_ours(p, s, st, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = stream_to(st, s->kind->via, s->side, e);
	if (r == 0) {
		st->io->batch->owner = i;
		s->kind->drop(s, st->io, st->io->batch);
	}
	if (r == 0 && s->kind->via == VIA_NFT && !nft_drops_together())
		r = stream_flush(st, e);
	return r;
}

/* A kernel without nf_tables keeps nothing of it: there an ADD has failed, and must be forgotten.
 */
static int unless_missing(bool nft, struct plan_io *io, int r)
{
	return r < 0 && nft && plan_io_lacks_nft(io) ? 0 : r;
}

/* Undo one step and send it. */
static int undo_alone(const struct plan *p, unsigned i, struct stream *st, struct err *e)
{
	const struct step_kind *kind = p->steps[i].kind;
	int r = undo_step(p, i, st, e);

	if (r == 0)
		r = stream_flush(st, e);
	return unless_missing(kind->via == VIA_NFT || kind == &step_ruleset ||
				      kind == &step_marker,
			      st->io, r);
}

/* It goes with another step of the part that is being undone. */
static bool goes_along(const struct step *s, unsigned n, int skip)
{
	return s->dies_with >= 0 && s->dies_with < (int)n && s->dies_with != skip;
}

/*
 * The elements one by one: a transaction is all or nothing, so where a table or an element is gone
 * (or is somebody else's by now) it kept all the others alive.
 */
static int undo_elements_alone(const struct plan *p, struct plan_io *io, unsigned n, int skip,
			       struct err *e)
{
	struct stream st = { .io = io };
	struct err now;
	int first = 0;

	for (unsigned i = n; i-- > 0;) {
		if (p->steps[i].kind->via != VIA_NFT || p->steps[i].shared || (int)i == skip)
			continue;
		keep_first(undo_alone(p, i, &st, &now), &now, &first, e);
	}
	return first;
}

/* Send what was gathered; elements that were given up together go one by one. */
static int undo_flush(const struct plan *p, unsigned n, int skip, struct stream *st, struct err *e)
{
	bool nft = st->via == VIA_NFT;
	int r = unless_missing(nft, st->io, stream_flush(st, e));
	struct err now;

	if (!st->given_up)
		return r;
	/* What was refused may be of another socket: the elements go all the same. */
	st->given_up = false;
	keep_first(undo_elements_alone(p, st->io, n, skip, &now), &now, &r, e);
	return r;
}

int undo_steps(const struct plan *p, struct plan_io *io, unsigned n, int skip, struct err *e)
{
	struct stream st = { .io = io, .forgiving = true };
	struct err now;
	int first = 0;

	for (unsigned i = n; i-- > 0;) {
		const struct step *s = &p->steps[i];

		if (s->shared || (int)i == skip || goes_along(s, n, skip) ||
		    plan_io_gone(io, s->side))
			continue;
		/* What is done at once relies on what was dropped before it. */
		if (s->kind->undo)
			keep_first(undo_flush(p, n, skip, &st, &now), &now, &first, e);
		keep_first(undo_step(p, i, &st, &now), &now, &first, e);
	}
	keep_first(undo_flush(p, n, skip, &st, &now), &now, &first, e);
	return first;
}

int plan_undo(const struct plan *p, struct plan_io *io, struct err *e)
{
	return undo_steps(p, io, p->n, -1, e);
}

/* A shared step is known by how it is undone; a name of a namespace by that one's cookie as well,
 * for it may lead to another by now. Return: false if there is nothing to undo. */
static bool shared_tag(const struct plan *p, const struct step *s, uint64_t *ret)
{
	uint64_t seed = HASH_START;
	char line[UNDO_LINE];
	struct text t;

	if (s->tag_with >= 0)
		s = &p->steps[s->tag_with];
	text_init(&t, line, sizeof(line));
	if (s->shared)
		plan_print_step(p, s, true, &t);
	if (s->kind == &step_netns)
		seed = hash_bytes(seed, &p->a->netns_cookie, sizeof(p->a->netns_cookie));
	*ret = hash_text(seed, line);
	return t.len > 0;
}

static bool is_among(uint64_t tag, const uint64_t *tags, unsigned n)
{
	while (n-- > 0)
		if (tags[n] == tag)
			return true;
	return false;
}

/* By their tags, not by their places: a later version may draw another plan from the same record.
 */
int plan_undo_shared(const struct plan *p, struct plan_io *io, const uint64_t *tags, unsigned n,
		     struct err *e)
{
	struct stream st = { .io = io };
	struct err now;
	uint64_t tag;
	int first = 0;

	for (unsigned i = p->n; i-- > 0;) {
		if (!shared_tag(p, &p->steps[i], &tag) || !is_among(tag, tags, n) ||
		    plan_io_gone(io, p->steps[i].side))
			continue;
		/* Each alone: what others took away meanwhile must not keep the rest. */
		keep_first(undo_alone(p, i, &st, &now), &now, &first, e);
	}
	return first;
}

unsigned plan_tags(const struct plan *p, uint64_t *ret, unsigned max)
{
	unsigned n = 0;
	uint64_t tag;

	for (unsigned i = 0; i < p->n; i++) {
		if (p->steps[i].tag_with >= 0 || !shared_tag(p, &p->steps[i], &tag) ||
		    (ret && is_among(tag, ret, n < max ? n : max)))
			continue;
		if (ret && n < max)
			ret[n] = tag;
		n++;
	}
	return n;
}

bool plan_marker_tag(const struct plan *p, uint64_t *ret)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->steps[i].kind == &step_marker)
			return shared_tag(p, &p->steps[i], ret);
	return false;
}
