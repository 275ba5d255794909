/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store as it lies on this host: a directory with three files. "lock" is what the calls flock,
 * "records" is the truth, "index" can be lost. Another process may replace or grow either of the
 * two at any time that we do not hold the lock, so each call begins with a look at both names.
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <sys/types.h>

#include "index.h"

struct map {
	uint8_t *p; /* NULL: not mapped */
	size_t len;
	int fd;
	dev_t dev;
	ino_t ino;
};

struct store {
	char *dir;
	int dirfd, lockfd;
	enum store_access access;
	struct map records_map, index_map;
	struct records records;
	struct index index;
	char *warn; /* where the opener wants to be warned, NULL later */
	size_t warn_size;
};

/* dir.c */
/* dir_open: the checked directory. Return: a descriptor, STORE_ABSENT as -ENOENT, or -errno. */
int dir_open(const char *path, bool make, struct err *e);
/* dir_file: open @name in it; refused if it is not a plain file of ours. @flags: as for openat. */
int dir_file(const struct store *s, const char *name, int flags, struct err *e);

/* map.c */
int map_open(const struct store *s, const char *name, struct map *ret, struct err *e);
/* map_create: a new file @name of @size bytes of zeros, all of them allocated. */
int map_create(const struct store *s, const char *name, size_t size, struct map *ret,
	       struct err *e);
int map_grow(const struct store *s, struct map *m, size_t size, struct err *e);
void map_close(struct map *m);
/* map_is_current: the name still stands for what is mapped, at the same length. */
bool map_is_current(const struct store *s, const char *name, const struct map *m);

/* truth.c */
/* truth_exists: there is something of the name of the records. */
bool truth_exists(const struct store *s);
/* truth_attach: map the records as they are now, a fresh file where there is no good one. */
int truth_attach(struct store *s, struct err *e);

/* cache.c */
/* cache_exists: there is something of the name of the index. */
bool cache_exists(const struct store *s);
/* cache_attach: map the index and make it anew where it is dirty or does not fit. */
int cache_attach(struct store *s, struct err *e);
/* cache_grow: room for @need beyond what is there, and @slots free slots. */
int cache_grow(struct store *s, const struct census *need, uint32_t slots, struct err *e);
/* cache_window: the window of @span, known from now on. */
int cache_window(struct store *s, const struct ip_span *span, struct window **ret, struct err *e);

/* store.c */
typedef int locked_fn(struct store *s, void *args, struct err *e);
/*
 * store_locked: run @fn under the lock, over files that are right. When it finds a contradiction
 * (-EUCLEAN) the index is made anew and it runs once more.
 */
int store_locked(struct store *s, locked_fn *fn, void *args, struct err *e);

/* choose.c, choose_ports.c: Return: enum store_outcome, -EUCLEAN or another negative errno. */
int choose_addresses(struct store *s, const struct store_want *want, struct store_grant *grant,
		     struct store_holder *holder, struct err *e);
int choose_ports(struct store *s, const struct store_want *want, struct store_grant *grant,
		 struct store_holder *holder);

#endif
