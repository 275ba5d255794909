/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file "records" as a whole: made, recognised, emptied after a reboot, refused when another
 * version wrote it, moved aside when it is not what it should be. It is never repaired by guessing:
 * either its header is right, and then each record answers for itself, or it is kept for a person
 * to look at.
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

static const struct records_header *mapped_header(const struct map *m)
{
	return (const struct records_header *)(const void *)m->p;
}

/* Why the mapped file is no store of any version. Return: NULL if it is one. */
static const char *find_fault(const struct map *m)
{
	const struct records_header *h = mapped_header(m);

	if (m->len < (size_t)2 * SLOT_SIZE)
		return "is too short";
	return h->magic == RECORDS_MAGIC ? NULL : "is no state file";
}

/* The same of a file of this version. */
static const char *find_garbled(const struct map *m)
{
	const struct records_header *h = mapped_header(m);

	if (h->slot_size != SLOT_SIZE || h->sum != records_header_sum(h) ||
	    h->boot_id[BOOT_ID_SIZE - 1])
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

/*
 * Tasks of this boot live by records that this program cannot read. Moved aside, their addresses
 * would be given again and nothing would end their attachments.
 */
static int refuse_version(const struct store *s, uint32_t version, struct err *e)
{
	err_set(e, ERR_STORE, EPROTO,
		"the store in %s has version %u, this program reads version %u", s->dir, version,
		RECORDS_VERSION);
	err_hint(e,
		 "end its tasks with the version of taskvpc that wrote it, then rm %s/" NAME
		 "; a reboot does both",
		 s->dir);
	return -EPROTO;
}

/*
 * Judge what is mapped. Return: 0 it is to be used; 1 it is replaced by an empty one, because of
 * *@fault or, if that is NULL, of a reboot; or a negative errno.
 */
static int judge_mapped(const struct store *s, const char **fault, struct err *e)
{
	const struct records_header *h = mapped_header(&s->records_map);
	char boot_id[BOOT_ID_SIZE];
	int err;

	*fault = find_fault(&s->records_map);
	if (!*fault && h->version == RECORDS_VERSION)
		*fault = find_garbled(&s->records_map);
	if (*fault)
		return 1;
	err = read_boot_id(boot_id, e);
	if (err)
		return err;
	if (memcmp(boot_id, h->boot_id, sizeof(boot_id)) != 0)
		return 1;
	return h->version == RECORDS_VERSION ? 0 : refuse_version(s, h->version, e);
}

static int reopen(struct store *s, struct err *e)
{
	const char *fault;
	int r;

	map_close(&s->records_map);
	r = map_open(s, NAME, &s->records_map, e);
	if (r == -ENOENT && s->access == STORE_CREATE)
		return create(s, were_lost(s), e);
	if (r < 0)
		return r;
	r = judge_mapped(s, &fault, e);
	if (r == 0)
		return 0;
	if (r > 0 && s->access == STORE_VISIT)
		r = err_set(e, ERR_STORE, ESTALE, "%s/" NAME " is to be repaired", s->dir);
	if (r > 0)
		r = fault ? move_aside(s, fault, e) : 0;
	map_close(&s->records_map);
	return r < 0 ? r : create(s, fault, e);
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
