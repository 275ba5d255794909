/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file "records" as a whole: made, recognised, emptied after a reboot, moved aside when it is
 * not what it should be. It is never repaired by guessing: either its header is right, and then
 * each record answers for itself, or it is kept for a person to look at.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/io.h"

#define NAME         "records"
#define NEW_NAME     "records.new"
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

static int read_boot_id(char ret[static BOOT_ID_SIZE], struct err *e)
{
	int err;

	memset(ret, 0, BOOT_ID_SIZE);
	err = io_read_text(BOOT_ID_PATH, ret, BOOT_ID_SIZE);
	if (!err)
		return 0;
	err_sys(e, ERR_STORE, -err, "cannot read %s", BOOT_ID_PATH);
	if (err != -ENOENT)
		return err;
	err_hint(e, "/proc must be mounted where the runtime runs");
	return -EIO; /* -ENOENT would say that there is no store */
}

/* Why the mapped file is no store of ours. Return: NULL if it is one. */
static const char *find_fault(const struct map *m)
{
	const struct records_header *h = (const struct records_header *)(const void *)m->p;

	if (m->len < (size_t)2 * SLOT_SIZE)
		return "is too short";
	if (h->magic != RECORDS_MAGIC)
		return "is no state file";
	if (h->version != RECORDS_VERSION || h->slot_size != SLOT_SIZE)
		return "is of another version";
	if (h->sum != records_header_sum(h) || h->boot_id[BOOT_ID_SIZE - 1])
		return "has a garbled header";
	if (h->n_slots < 2 || h->n_slots > SLOTS_MAX)
		return "has an impossible number of slots";
	if (h->n_slots > m->len / SLOT_SIZE)
		return "is shorter than it says";
	return NULL;
}

/* Wherever the base lies: all of SLOTS_MAX indexes are below 2^30. Two stores of one host are not
 * likely to have an index in common, so no number of bits is left out. */
#define BASE_FIRST (1U << 20)
#define BASES      ((1U << 30) - SLOTS_MAX - BASE_FIRST)

static int fill_header(struct records_header *h, struct err *e)
{
	struct {
		uint64_t file_id;
		uint32_t base;
	} rnd;

	if (getrandom(&rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd))
		return err_sys(e, ERR_STORE, errno, "cannot get random bytes");
	*h = (struct records_header){ .magic = RECORDS_MAGIC,
				      .version = RECORDS_VERSION,
				      .slot_size = SLOT_SIZE,
				      .file_id = rnd.file_id,
				      .boot_base = BASE_FIRST + rnd.base % BASES,
				      .n_slots = SLOTS_FIRST };
	return read_boot_id(h->boot_id, e);
}

/* An empty store, whole from the moment that it has its name. */
static int create(struct store *s, bool bereaved, struct err *e)
{
	struct map m = { .fd = -1 };
	int err = map_create(s, NEW_NAME, (size_t)SLOTS_FIRST * SLOT_SIZE, &m, e);

	if (err)
		return err;
	err = fill_header((struct records_header *)(void *)m.p, e);
	if (!err) {
		struct records_header *h = (struct records_header *)(void *)m.p;

		h->bereaved = bereaved;
		h->seen.complete = !bereaved;
		h->sum = records_header_sum(h);
		if (renameat(s->dirfd, NEW_NAME, s->dirfd, NAME))
			err = err_sys(e, ERR_STORE, errno, "cannot name %s/%s", s->dir, NAME);
	}
	if (err) {
		map_close(&m);
		return err;
	}
	s->records_map = m;
	return 0;
}

static int move_aside(struct store *s, const char *fault, struct err *e)
{
	char name[64];

	snprintf(name, sizeof(name), NAME ".broken-%lld", (long long)io_epoch_s());
	if (renameat(s->dirfd, NAME, s->dirfd, name))
		return err_sys(e, ERR_STORE, errno, "cannot move the broken %s/%s aside", s->dir,
			       NAME);
	if (s->warn)
		snprintf(s->warn, s->warn_size,
			 "%s/%s %s: moved aside as %s, the store begins empty", s->dir, NAME, fault,
			 name);
	return 0;
}

/*
 * There is an index, but no records: they were lost. Somebody took them away, or a kill came
 * between moving broken ones aside and making new ones. A fresh store has its records before its
 * index.
 */
static bool were_lost(struct store *s)
{
	if (!cache_exists(s))
		return false;
	if (s->warn)
		snprintf(s->warn, s->warn_size,
			 "%s has an index, but no " NAME ": the store begins empty", s->dir);
	return true;
}

bool truth_exists(const struct store *s)
{
	return faccessat(s->dirfd, NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int reopen(struct store *s, struct err *e)
{
	char boot_id[BOOT_ID_SIZE];
	const char *fault;
	int err;

	map_close(&s->records_map);
	err = map_open(s, NAME, &s->records_map, e);
	if (err == -ENOENT && s->access == STORE_CREATE)
		return create(s, were_lost(s), e);
	if (err)
		return err;
	fault = find_fault(&s->records_map);
	if (fault) {
		err = move_aside(s, fault, e);
	} else {
		struct records_header *h = (struct records_header *)(void *)s->records_map.p;

		err = read_boot_id(boot_id, e);
		if (!err && !strcmp(boot_id, h->boot_id))
			return 0;
	}
	map_close(&s->records_map);
	return err ? err : create(s, fault, e);
}

/* Another process may have grown the file since: the number is read anew at each call. */
static bool bind_mapped(struct store *s)
{
	s->records.base = s->records_map.p;
	s->records.n = records_header(&s->records)->n_slots;
	return s->records.n >= 2 && s->records.n <= s->records_map.len / SLOT_SIZE;
}

int truth_attach(struct store *s, struct err *e)
{
	int err;

	if (map_is_current(s, NAME, &s->records_map) && bind_mapped(s))
		return 0;
	err = reopen(s, e);
	if (!err && !bind_mapped(s))
		err = err_set(e, ERR_STORE, EUCLEAN, "%s/%s changes while it is read", s->dir,
			      NAME);
	return err;
}
