/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GC: take down every record of this network that is not in the runtime's list of valid
 * attachments. Without a list (cnitool sends none, `taskvpc gc` null) only what provably is dead
 * goes. An attachment that cannot be removed keeps its record and holds up none of the others.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cni/flows.h"
#include "cni/held.h"
#include "cni/turn.h"
#include "kernel/link.h"
#include "plan/step.h"

struct entry { /* borrowed from the configuration */
	const char *container_id, *ifname;
};

struct valid {
	struct entry *entries; /* sorted */
	unsigned n;
	bool given;
};

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = strcmp(x->container_id, y->container_id);

	return r ? r : strcmp(x->ifname, y->ifname);
}

static int read_entry(const json *o, const char *key, struct valid *ret, struct err *e)
{
	struct entry *entry = &ret->entries[ret->n];

	entry->container_id = json_string(json_get(o, "containerID"));
	entry->ifname = json_string(json_get(o, "ifname"));
	if (!entry->container_id || !entry->ifname) {
		err_set(e, ERR_CONFIG, 0, "%s[%u]: wrong entry", key, ret->n);
		err_hint(e, "each is an object with the strings containerID and ifname");
		return -EINVAL;
	}
	ret->n++;
	return 0;
}

static int read_list(const json *list, const char *key, struct valid *ret, struct err *e)
{
	struct entry *more;
	int r = 0;

	if (json_is_absent(list))
		return 0;
	if (json_kind(list) != JSON_IS_ARRAY)
		return err_set(e, ERR_CONFIG, 0, "%s: must be a list", key);
	ret->given = true;
	more = realloc(ret->entries, (ret->n + json_count(list) + 1) * sizeof(*more));
	if (!more)
		return err_sys(e, ERR_IO, ENOMEM, "%s", key);
	ret->entries = more;
	for (const json *o = json_first(list); o && !r; o = json_next(o))
		r = read_entry(o, key, ret, e);
	return r;
}

/* Both names of the key: the specification's, and the one that its 1.1.0 tag had. */
static const char *const keys[] = { "cni.dev/valid-attachments", "cni.dev/attachments" };

static int read_valid(const struct call *c, struct valid *ret, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !r; i++)
		r = read_list(json_get(c->root, keys[i]), keys[i], ret, e);
	if (ret->n)
		qsort(ret->entries, ret->n, sizeof(*ret->entries), entry_cmp);
	return r;
}

/* Does the runtime say that it is gone? */
static bool is_unlisted(const struct held *h, const struct valid *valid)
{
	const struct entry key = { h->record.key.container_id, h->record.key.ifname };

	return valid->given &&
	       (!valid->n || !bsearch(&key, valid->entries, valid->n, sizeof(key), entry_cmp));
}

/* Return: 1 must go, 0 stays, or a negative errno. */
static int is_stale(struct call *c, const struct held *h, const struct valid *valid, struct err *e)
{
	int r;

	if (!h->mode)
		return 0;
	if (valid->given)
		return is_unlisted(h, valid);
	r = held_fate(c, h, e);
	return r < 0 ? r : r == HELD_DEAD;
}

struct sweep {
	unsigned seen, stay, failed;
	struct err first;
};

static void keep_first(struct sweep *s, const struct err *e)
{
	if (!s->failed++)
		s->first = *e;
}

/* With the attachment to ourselves, look again: it may be another one by now.
 * Return: as sweep_one(). */
static int take_stale(struct call *c, const struct store_key *key, struct held *h,
		      const struct valid *valid, struct err *e)
{
	int r = held_seize(c, key, true, h, e);

	if (r)
		return r == STORE_ABSENT ? 0 : r;
	r = is_stale(c, h, valid, e);
	if (r <= 0)
		return r < 0 ? r : 1;
	return held_take_down(c, h, pool_read_cooldown(c->foreign ? NULL : c->ipam), e);
}

/* Must it be looked at with the attachment to ourselves? What is unlisted need not be read before.
 * Return: 1, 0, or a negative errno. */
static int is_suspect(struct call *c, struct held *h, const struct valid *valid, struct err *e)
{
	int r;

	if (is_unlisted(h, valid))
		return 1;
	r = held_decode(c, h, e);
	return r < 0 ? r : is_stale(c, h, valid, e);
}

/* One record. Return: 1 it stays, 0 it is gone, or a negative errno. */
static int sweep_one(struct call *c, struct held *h, const struct valid *valid, struct err *e)
{
	const struct store_holder of = h->record.key;
	const struct store_key key = { of.network, of.container_id, of.ifname };
	int r = is_suspect(c, h, valid, e);

	if (r <= 0)
		return r < 0 ? r : 1;
	r = take_stale(c, &key, h, valid, e);
	turn_key_end(c, &key);
	return r;
}

static int sweep_records(struct call *c, const struct valid *valid, struct sweep *s, struct held *h,
			 struct err *e)
{
	uint64_t cursor = 0, before;
	int r;

	for (;;) {
		before = cursor;
		r = store_next(c->store, c->network, &cursor, &h->record, e);
		if (r == STORE_ABSENT)
			return 0;
		if (r < 0 && cursor == before) /* the store, not one record, is at fault */
			return r;
		s->seen++;
		if (!r)
			r = sweep_one(c, h, valid, e);
		if (r > 0 && h->mode)
			s->stay++;
		if (r < 0)
			keep_first(s, e);
	}
}

/* ---- links, all at once ---- */

struct bunch {
	struct batch *batch;
	uint32_t group;
	unsigned n;
};

static int send_bunch(struct call *c, struct bunch *b, struct err *e)
{
	struct batch_failure failure;

	return batch_send(b->batch, &c->nl, &failure, e);
}

/*
 * The kernel is told of a link by its index alone, so nobody else may be at its attachment from the
 * look at it until the group is gone: another ADD could have the index by then. What is busy is
 * left out.
 */
static int gather_link(struct call *c, struct held *h, struct bunch *b, struct err *e)
{
	int r = held_seize_found(c, h, e);

	if (r)
		return r < 0 ? r : 0;
	r = held_host_end(c, &h->a, e);
	if (r <= 0)
		return r;
	link_set_group(b->batch, h->a.ifindex, b->group);
	b->n++;
	return b->batch->n < BATCH_REQUESTS ? 0 : send_bunch(c, b, e);
}

static int gather_links(struct call *c, const struct valid *valid, struct held *h, struct bunch *b,
			struct err *e)
{
	uint64_t cursor = 0;
	int r;

	while ((r = store_next(c->store, c->network, &cursor, &h->record, e)) == 0) {
		if (is_unlisted(h, valid))
			r = gather_link(c, h, b, e);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

/* Return: success; @b is empty, with a group that nobody else uses. */
static bool bunch_begin(struct bunch *b)
{
	b->batch = malloc(sizeof(*b->batch));
	if (!b->batch)
		return false;
	b->batch->owner = 0;
	batch_reset(b->batch);
	while (b->group == 0)
		if (getrandom(&b->group, sizeof(b->group), 0) < 0)
			return false;
	return true;
}

/*
 * Each link alone would make its DEL wait for the kernel. What fails here is no loss: the records
 * still tell what to take down, one by one.
 */
static void release_links(struct call *c, const struct valid *valid, struct held *h)
{
	struct bunch b = { .n = 0 };
	struct err e;

	if (bunch_begin(&b) && call_netlink(c, &e) == 0 && turn_share(c, &e) >= 0) {
		if (gather_links(c, valid, h, &b, &e) == 0 && b.n > 1) {
			link_del_group(b.batch, b.group);
			send_bunch(c, &b, &e);
		}
		turn_all_keys_end(c);
		turn_end(c);
	}
	free(b.batch);
}

/* ---- what is left, now that everything else is gone ---- */

/*
 * An attachment of this network, to ourselves: the next that nobody else is at.
 * Return: 0, STORE_ABSENT: there is none, or a negative errno.
 */
static int seize_survivor(struct call *c, struct held *h, struct err *e)
{
	uint64_t cursor = 0;
	int r;

	while ((r = store_next(c->store, c->network, &cursor, &h->record, e)) == 0) {
		r = held_seize_found(c, h, e);
		if (r <= 0)
			return r;
	}
	return r;
}

/* A way to the host. Two users do not share one: after an error nobody knows what the sockets have
 * not answered yet. */
static int host_io(struct call *c, struct plan_io *ret, struct err *e)
{
	const struct netns none = NETNS_NONE;
	int r = call_host(c, e);

	return r < 0 ? r : plan_io_open(ret, &c->host, &none, e);
}

/* A line each, told once they are gone. */
struct differences {
	struct text text;
	char lines[4096];
};

static void note_difference(void *ctx, const char *difference)
{
	struct differences *d = ctx;

	text_add(&d->text, "%s%s", d->text.len ? "\n" : "", difference);
}

/* The host's shared steps of @h once more, which is harmless where they stand. */
static int apply_shared(struct call *c, const struct held *h, struct err *e)
{
	cleanup_free struct plan *shared = malloc(sizeof(*shared));
	struct differences differences;
	struct plan_io io;
	int r;

	if (!shared)
		return err_sys(e, ERR_IO, ENOMEM, "GC");
	text_init(&differences.text, differences.lines, sizeof(differences.lines));
	plan_init(shared, &h->a);
	for (unsigned i = 0; i < h->plan.n; i++) {
		if (!h->plan.steps[i].shared || h->plan.steps[i].side != HOST ||
		    h->plan.steps[i].kind == &step_netns) /* the name of a task's namespace */
			continue;
		shared->steps[shared->n] = h->plan.steps[i];
		shared->steps[shared->n++].dies_with = -1;
	}
	r = host_io(c, &io, e);
	if (r < 0)
		return r;
	plan_differences(shared, &io, note_difference, &differences);
	r = plan_apply(shared, &io, e);
	plan_io_close(&io);
	for (char *line = strtok(differences.lines, "\n"); line && r == 0;
	     line = strtok(NULL, "\n"))
		call_warn(c, "restored: %s", line);
	return r;
}

/*
 * What the attachments of this network share, by the record of one of them: while we are the only
 * one at it, that record stands, and nobody takes down what its tags hold.
 */
static int mend_shared(struct call *c, struct held *h, struct err *e)
{
	struct store_key key;
	int r = seize_survivor(c, h, e);

	if (r)
		return r < 0 ? r : 0;
	key = attachment_key(&h->a);
	r = apply_shared(c, h, e);
	turn_key_end(c, &key);
	return r;
}

/* Somebody may have flushed the rules, or one set: whatever networks they are of. */
static int mend_rules(struct call *c, struct err *e)
{
	struct plan_io io;
	int r = host_io(c, &io, e);

	if (r < 0)
		return r;
	r = held_restore(c, &io, e);
	plan_io_close(&io);
	return r;
}

static int gc_own(struct call *c, const struct valid *valid, struct err *e)
{
	struct sweep s = { 0 };
	cleanup_held struct held *h = held_new(e);
	int r = h ? call_store(c, STORE_CHANGE, e) : -ENOMEM;

	if (r)
		return r == STORE_ABSENT ? 0 : r;
	if (valid->given) /* without a list only what is dead goes, and that has no links */
		release_links(c, valid, h);
	r = sweep_records(c, valid, &s, h, e);
	if (!r && s.stay && mend_shared(c, h, e) < 0)
		keep_first(&s, e);
	if (!r && mend_rules(c, e) < 0)
		keep_first(&s, e);
	/* Whoever should have deleted the connections of released addresses may be dead. */
	if (!r && flows_clear(c, e) < 0)
		keep_first(&s, e);
	if (r < 0 || !s.failed)
		return r;
	*e = s.first;
	err_prefix(e, "%u failures over %u attachments; the first", s.failed, s.seen);
	return -EIO;
}

int gc_run(struct call *c, struct err *e)
{
	struct valid valid = { 0 };
	struct err theirs;
	int ours, r;

	ours = read_valid(c, &valid, e);
	if (ours < 0) {
		free(valid.entries);
		return ours;
	}
	if (!valid.given && !json_get(c->root, keys[0])) /* null: the caller knows */
		call_warn(c, "%s: missing, only dead attachments are removed", keys[0]);
	ours = gc_own(c, &valid, e);
	free(valid.entries);
	r = call_delegate(c, "GC", NULL, &theirs);
	if (ours < 0)
		return ours;
	if (r < 0)
		*e = theirs;
	return r;
}
