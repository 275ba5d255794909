/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contract of store.h on files: open, the lock, and every call but store_lease. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"

/* Return: 0, STORE_ABSENT (there are no records, and none are to be made), or a negative errno. */
static int attach(struct store *s, struct err *e)
{
	int err = truth_attach(s, e);

	if (!err)
		err = cache_attach(s, e);
	return err == -ENOENT && s->access != STORE_CREATE ? STORE_ABSENT : err;
}

static int lock(struct store *s, struct err *e)
{
	char what[300];

	snprintf(what, sizeof(what), "%.280s/lock", s->dir);
	return lock_take(s->lockfd, LOCK_EX, LOCK_WAIT_S, what, e);
}

int store_locked(struct store *s, locked_fn *fn, void *args, struct err *e)
{
	int r = lock(s, e);

	if (r)
		return r;
	r = attach(s, e);
	if (!r)
		r = fn(s, args, e);
	if (r == -EUCLEAN && s->index.h) {
		index_begin(&s->index); /* dirty: attach makes it anew */
		r = attach(s, e);
		if (!r)
			r = fn(s, args, e);
		if (r == -EUCLEAN)
			r = err_set(e, ERR_STORE, EUCLEAN, "the state in %s contradicts itself",
				    s->dir);
	}
	/* unlocked, not closed: a child that somebody forked meanwhile shares the lock */
	flock(s->lockfd, LOCK_UN);
	return r;
}

static int nothing_locked(struct store *s, void *args, struct err *e)
{
	(void)s;
	(void)args;
	(void)e;
	return 0;
}

/* Only STORE_CREATE makes a store; but where one has lost its lock, the lock is made. */
static int open_files(struct store *s, struct err *e)
{
	bool make;

	s->dirfd = dir_open(s->dir, s->access == STORE_CREATE, e);
	if (s->dirfd < 0)
		return s->dirfd;
	make = s->access == STORE_CREATE || truth_exists(s);
	s->lockfd = dir_file(s, "lock", make ? O_CREAT : 0, e);
	if (s->lockfd < 0)
		return s->lockfd;
	return store_locked(s, nothing_locked, NULL, e);
}

int store_open(const char *dir, enum store_access access, struct store **ret, char *warn,
	       size_t warn_size, struct err *e)
{
	cleanup_store struct store *s = calloc(1, sizeof(*s));
	int r;

	if (warn && warn_size)
		*warn = '\0';
	if (s)
		*s = (struct store){ .dirfd = -1,
				     .lockfd = -1,
				     .access = access,
				     .records_map.fd = -1,
				     .index_map.fd = -1,
				     .warn = warn_size ? warn : NULL,
				     .warn_size = warn_size };
	if (s)
		s->dir = strdup(dir);
	if (!s || !s->dir)
		return err_sys(e, ERR_STORE, ENOMEM, "cannot open the store");
	r = open_files(s, e);
	if (r == -ENOENT && access != STORE_CREATE)
		return STORE_ABSENT;
	if (r)
		return r;
	s->warn = NULL;
	*ret = s;
	s = NULL;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	map_close(&s->index_map);
	map_close(&s->records_map);
	if (s->lockfd >= 0)
		close(s->lockfd);
	if (s->dirfd >= 0)
		close(s->dirfd);
	free(s->dir);
	free(s);
}

struct release_call {
	const struct store_key *key;
	uint32_t cooldown_s;
	store_last_fn *last;
	void *ctx;
};

/*
 * The tags of a live record that no other bears (a tag twice in one record counts once). Where
 * records were lost nobody knows, so what is shared stays: tasks may live by it.
 */
static unsigned last_tags(const struct store *s, const struct slot_view *v,
			  uint64_t ret[static STORE_TAGS])
{
	unsigned n = 0;

	if (records_header(&s->records)->bereaved)
		return 0;
	for (unsigned i = 0; i < v->h->n_tags; i++)
		if (index_tag_count(&s->index, v->tags[i]) <= 1)
			ret[n++] = v->tags[i];
	return n;
}

/* The head says how long it cools before it says that it does. */
static int forget(struct store *s, const struct slot_view *v, uint32_t cooldown_s, uint64_t now)
{
	bool quarantine = cooldown_s & STORE_QUARANTINE;
	bool cool = cooldown_s && v->h->n_addresses;
	int err;

	index_begin(&s->index);
	v->h->released_ms = now;
	v->h->order = ++s->index.h->order;
	v->h->cooldown_s = cooldown_s & ~STORE_QUARANTINE;
	v->h->cooling = ((1u << v->h->n_addresses) - 1) | (quarantine ? SLOT_QUARANTINE : 0);
	slot_commit(slot_at(&s->records, v->n), cool ? SLOT_COOLING : SLOT_FREE);
	err = index_remove(&s->index, &s->records, v, cool);
	if (!err)
		index_end(&s->index);
	return err;
}

static int release_locked(struct store *s, void *args, struct err *e)
{
	const struct release_call *c = args;
	uint64_t now = (uint64_t)io_clock_ms();
	uint64_t tags[STORE_TAGS];
	struct slot_view v;
	int r = index_expire(&s->index, &s->records, now, false);

	if (!r)
		r = index_find_key(&s->index, &s->records, c->key, &v);
	if (!r && c->last)
		r = c->last(c->ctx, tags, last_tags(s, &v, tags), e);
	return r ? r : forget(s, &v, c->cooldown_s, now);
}

int store_release(struct store *s, const struct store_key *key, uint32_t cooldown_s,
		  store_last_fn *last, void *ctx, struct err *e)
{
	struct release_call c = { key, cooldown_s, last, ctx };

	if (s->access == STORE_READ)
		return err_set(e, ERR_STORE, EROFS, "the store in %s is open for reading", s->dir);
	return store_locked(s, release_locked, &c, e);
}

struct read_call {
	const struct store_key *key;
	const struct ip *address;
	const char *network;
	uint64_t *cursor;
	struct store_record *ret;
};

static int get_locked(struct store *s, void *args, struct err *e)
{
	const struct read_call *c = args;
	struct slot_view v;
	int r = index_find_key(&s->index, &s->records, c->key, &v);

	(void)e;
	return r ? r : slot_load(&s->records, v.n, c->ret);
}

int store_get(struct store *s, const struct store_key *key, struct store_record *ret, struct err *e)
{
	struct read_call c = { .key = key, .ret = ret };

	return store_locked(s, get_locked, &c, e);
}

static int settle_locked(struct store *s, void *args, struct err *e)
{
	const struct read_call *c = args;
	struct slot_view v;
	int r = index_find_key(&s->index, &s->records, c->key, &v);

	(void)e;
	if (!r)
		v.h->cooling = SLOT_SETTLED;
	return r;
}

int store_settle(struct store *s, const struct store_key *key, struct err *e)
{
	struct read_call c = { .key = key };

	if (s->access == STORE_READ)
		return err_set(e, ERR_STORE, EROFS, "the store in %s is open for reading", s->dir);
	return store_locked(s, settle_locked, &c, e);
}

static int find_locked(struct store *s, void *args, struct err *e)
{
	const struct read_call *c = args;
	struct slot_view v;
	unsigned i;
	int r = index_find_address(&s->index, &s->records, c->address, &v, &i);

	(void)e;
	if (!r && slot_state(slot_at(&s->records, v.n)) != SLOT_LIVE)
		return STORE_ABSENT;
	return r ? r : slot_load(&s->records, v.n, c->ret);
}

int store_find(struct store *s, const struct ip *address, struct store_record *ret, struct err *e)
{
	struct read_call c = { .address = address, .ret = ret };

	return store_locked(s, find_locked, &c, e);
}

static int next_joint_locked(struct store *s, void *args, struct err *e)
{
	const struct read_call *c = args;
	struct slot_view v, other;
	int r = index_find_key(&s->index, &s->records, c->key, &v);

	(void)e;
	if (!r)
		r = index_find_joint(&s->index, &s->records, &v, *c->cursor, &other);
	if (r)
		return r;
	*c->cursor = other.n;
	return slot_load(&s->records, other.n, c->ret);
}

int store_next_joint(struct store *s, const struct store_key *key, uint64_t *cursor,
		     struct store_record *ret, struct err *e)
{
	struct read_call c = { .key = key, .cursor = cursor, .ret = ret };

	return store_locked(s, next_joint_locked, &c, e);
}

/* The cursor is the number of the last slot seen: a record stays in its slot while it lives. */
static int next_locked(struct store *s, void *args, struct err *e)
{
	const struct read_call *c = args;

	(void)e;
	for (uint64_t n = *c->cursor + 1; n < s->records.n; n++) {
		struct slot_view v;

		if (slot_state(slot_at(&s->records, (uint32_t)n)) != SLOT_LIVE)
			continue;
		if (!slot_parse(&s->records, (uint32_t)n, &v))
			return -EUCLEAN;
		if (c->network && strcmp(c->network, v.network) != 0)
			continue;
		*c->cursor = n;
		return slot_load(&s->records, (uint32_t)n, c->ret);
	}
	*c->cursor = s->records.n;
	return STORE_ABSENT;
}

int store_next(struct store *s, const char *network, uint64_t *cursor, struct store_record *ret,
	       struct err *e)
{
	struct read_call c = { .network = network, .cursor = cursor, .ret = ret };

	return store_locked(s, next_locked, &c, e);
}
