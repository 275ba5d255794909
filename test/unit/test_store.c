/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file store: the conformance suite, and what only files can suffer: foreign hands in the
 * directory, garbage, a full disk, a reboot, a kill, other processes. The full disk needs root (a
 * small tmpfs in a mount namespace of its own) and is skipped without.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "store/file.h"
#include "store_conformance.h"

#ifndef FLIP_ROUNDS
#define FLIP_ROUNDS 300
#endif

static char dir[128]; /* of the store under test */
static char warning[300];

/* ---- helpers ----------------------------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_dir(void)
{
	if (*dir)
		nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	*dir = '\0';
}

static void new_dir(void)
{
	remove_dir();
	strcpy(dir, "/tmp/taskvpc-store-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct store *open_dir(void)
{
	struct store *s = NULL;
	struct err e = { 0 };

	if (store_open(dir, STORE_CREATE, &s, warning, sizeof(warning), &e))
		print_message("open: %s\n", e.msg);
	return s;
}

static struct store *fresh_dir(void)
{
	struct store *s;

	new_dir();
	s = open_dir();
	assert_non_null(s);
	assert_string_equal(warning, "");
	return s;
}

static struct store *backend_fresh(void *ctx)
{
	(void)ctx;
	return fresh_dir();
}

static struct store *backend_again(void *ctx)
{
	(void)ctx;
	return open_dir();
}

static void assert_refused(const char *what)
{
	struct store *s = NULL;
	struct err e = { 0 };

	assert_true(store_open(dir, STORE_CREATE, &s, warning, sizeof(warning), &e) < 0);
	assert_null(s);
	assert_int_equal(e.code, ERR_STORE);
	if (!strstr(e.msg, what))
		print_message("message: %s\n", e.msg);
	assert_non_null(strstr(e.msg, what));
}

static unsigned count_records(struct store *s)
{
	struct store_usage u;
	struct err e = { 0 };

	assert_int_equal(store_count(s, NULL, &u, &e), 0);
	return (unsigned)u.records;
}

/* A closed store of @n records in a fresh directory. */
static void make_store(unsigned n)
{
	struct store *s = fresh_dir();
	struct store_range r = test_range("10.0.0.1", "10.0.3.254");
	char id[16];

	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%u", i);
		test_lease_ok(s, "net", id, &r);
	}
	store_close(s);
}

static void write_file(const char *name, const void *data, size_t len)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void patch(const char *name, long at, const void *data, size_t len)
{
	int fd = open(path_of(name), O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
}

static void read_at(const char *name, long at, void *data, size_t len)
{
	int fd = open(path_of(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, data, len, at), len);
	close(fd);
}

/* Whatever it went through: it opens, is right, and can be used. Return: records found in it. */
static unsigned use(void)
{
	struct store_range r = test_range("10.0.0.1", "10.0.3.254");
	struct store *s = open_dir();
	unsigned n;

	assert_non_null(s);
	n = count_records(s);
	test_verify(s);
	test_lease_ok(s, "net", "new", &r);
	assert_int_equal(test_release(s, "net", "new", 0), STORE_OK);
	test_verify(s);
	store_close(s);
	return n;
}

/* Run @body in a child process and take over its verdict. */
static void in_child(void (*body)(unsigned), unsigned arg, unsigned n)
{
	int status;

	for (unsigned i = 0; i < n; i++)
		if (!fork()) {
			body(arg + i);
			_exit(0);
		}
	while (wait(&status) > 0)
		assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* ---- foreign hands ----------------------------------------------------------------------------
 */

static void made_for_us_alone(void **state)
{
	struct stat st;
	struct store *s;

	(void)state;
	new_dir();
	strcat(dir, "/deep/er/");
	s = open_dir();
	assert_non_null(s);
	assert_int_equal(stat(path_of("."), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(path_of(".."), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(path_of("records"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store_close(s);
	dir[strlen(dir) - strlen("/deep/er/")] = '\0';
}

static void foreign_directories_are_refused(void **state)
{
	char target[128];

	(void)state;
	new_dir();
	assert_int_equal(chmod(dir, 0722), 0);
	assert_refused("written by others");
	assert_int_equal(chmod(dir, 0720), 0);
	assert_refused("written by others");
	assert_int_equal(chmod(dir, 0700), 0);
	if (!geteuid()) {
		assert_int_equal(chown(dir, 12345, 0), 0);
		assert_refused("belongs to user 12345");
		assert_int_equal(chown(dir, 0, 0), 0);
	}
	strcpy(target, dir);
	strcat(dir, "-link");
	assert_int_equal(symlink(target, dir), 0);
	assert_refused("cannot open the state directory");
	strcat(dir, "/");
	assert_refused("cannot open the state directory");
	dir[strlen(dir) - 1] = '\0';
	assert_int_equal(unlink(dir), 0);
	strcpy(dir, target);
	write_file("plain", "x", 1);
	strcat(dir, "/plain");
	assert_refused("cannot open the state directory");
	strcpy(dir, target);
}

static void foreign_files_are_refused(void **state)
{
	static const char *const names[] = { "lock", "records", "index" };
	char aside[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		make_store(1);
		snprintf(aside, sizeof(aside), "%s/aside", dir);
		assert_int_equal(rename(path_of(names[i]), aside), 0);
		assert_int_equal(symlink(aside, path_of(names[i])), 0);
		assert_refused(names[i]);
		assert_int_equal(unlink(path_of(names[i])), 0);
		assert_int_equal(link(aside, path_of(names[i])), 0);
		assert_refused("not a plain file");
		assert_int_equal(unlink(path_of(names[i])), 0);
		assert_int_equal(mkfifo(path_of(names[i]), 0600), 0);
		assert_refused(names[i]);
		assert_int_equal(unlink(path_of(names[i])), 0);
		assert_int_equal(rename(aside, path_of(names[i])), 0);
		assert_int_equal(use(), 1);
	}
}

static void reading_makes_nothing(void **state)
{
	static struct store_record rec;
	struct store_key key = { "net", "0", "eth0" };
	struct store *s = NULL;
	struct err e = { 0 };

	(void)state;
	new_dir();
	assert_int_equal(store_open(dir, STORE_READ, &s, warning, sizeof(warning), &e),
			 STORE_ABSENT);
	assert_int_equal(access(path_of("lock"), F_OK), -1);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(store_open(dir, STORE_READ, &s, warning, sizeof(warning), &e),
			 STORE_ABSENT);
	make_store(3);
	assert_int_equal(store_open(dir, STORE_READ, &s, warning, sizeof(warning), &e), 0);
	assert_int_equal(store_get(s, &key, &rec, &e), STORE_OK);
	assert_int_equal(test_lease(s, test_want("net", "x"), NULL, NULL), -EROFS);
	assert_int_equal(test_release(s, "net", "0", 0), -EROFS);
	test_verify(s);
	store_close(s);
}

static int find_nothing(void *ctx, const uint64_t *tags, unsigned n, struct err *e)
{
	(void)ctx;
	(void)tags;
	(void)n;
	return err_set(e, ERR_KERNEL, ENOENT, "no such thing");
}

static void changing_makes_nothing(void **state)
{
	struct store_key key = { "net", "1", "eth0" };
	struct store *s = NULL;
	struct err e = { 0 };

	(void)state;
	new_dir();
	assert_int_equal(store_open(dir, STORE_CHANGE, &s, warning, sizeof(warning), &e),
			 STORE_ABSENT);
	assert_int_equal(access(path_of("lock"), F_OK), -1);
	make_store(3);
	assert_int_equal(store_open(dir, STORE_CHANGE, &s, warning, sizeof(warning), &e), 0);
	assert_int_equal(test_release(s, "net", "0", 0), 0);
	assert_int_equal(count_records(s), 2);
	/* what a caller does not find is no missing record */
	assert_int_equal(store_release(s, &key, 0, find_nothing, NULL, &e), -ENOENT);
	assert_int_equal(count_records(s), 2);
	assert_int_equal(unlink(path_of("records")), 0);
	assert_int_equal(test_release(s, "net", "1", 0), STORE_ABSENT);
	assert_int_equal(access(path_of("records"), F_OK), -1);
	store_close(s);
}

/* ---- damage -----------------------------------------------------------------------------------
 */

static void state_of_an_earlier_boot_is_dropped(void **state)
{
	struct records_header h;

	(void)state;
	make_store(10);
	read_at("records", 0, &h, sizeof(h));
	h.boot_id[0] = h.boot_id[0] == 'a' ? 'b' : 'a';
	h.sum = records_header_sum(&h);
	patch("records", 0, &h, sizeof(h));
	assert_int_equal(use(), 0);
	assert_string_equal(warning, "");
}

static bool was_moved_aside(void)
{
	const char *name = strstr(warning, "records.broken-");
	char copy[64];

	if (!name)
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(name, ","), name);
	return !access(path_of(copy), F_OK);
}

static void broken_records_are_moved_aside(void **state)
{
	static char garbage[200000];
	static const long cuts[] = { 0, 1, 500, 1024, 2047, 4096, 65535 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cuts); i++) {
		make_store(10);
		assert_int_equal(truncate(path_of("records"), cuts[i]), 0);
		assert_int_equal(use(), 0);
		make_store(10);
		assert_int_equal(truncate(path_of("records"), cuts[i]), 0);
		store_close(open_dir());
		assert_true(was_moved_aside());
	}
	for (unsigned i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(i * 2654435761u >> 13);
	write_file("records", garbage, sizeof(garbage));
	store_close(open_dir());
	assert_true(was_moved_aside());
	assert_int_equal(use(), 0);
}

/* Tasks live by it: whatever it is opened for, it stays, until its boot has ended. */
static void another_version_is_refused(void **state)
{
	static const uint32_t versions[] = { RECORDS_VERSION + 1, 99, 0 };
	uint32_t version = RECORDS_VERSION;
	struct records_header h;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(versions); i++) {
		make_store(10);
		patch("records", offsetof(struct records_header, version), &versions[i],
		      sizeof(versions[i]));
		for (int access = STORE_READ; access <= STORE_CREATE; access++) {
			struct store *s = NULL;
			struct err e = { 0 };

			assert_int_equal(store_open(dir, access, &s, warning, sizeof(warning), &e),
					 -EPROTO);
			assert_int_equal(e.code, ERR_STORE);
			assert_non_null(strstr(e.msg, "this program reads version 1"));
			assert_non_null(strstr(e.details, "records"));
			assert_string_equal(warning, "");
		}
		patch("records", offsetof(struct records_header, version), &version,
		      sizeof(version));
		assert_int_equal(use(), 10);
	}
	/* Nothing else of its header need be as this version has it. */
	make_store(10);
	memset(&h, 0xff, sizeof(h));
	read_at("records", 0, &h, offsetof(struct records_header, file_id));
	h.version = 99;
	h.boot_id[0] = h.boot_id[0] == 'a' ? 'b' : 'a';
	patch("records", 0, &h, sizeof(h));
	assert_int_equal(use(), 0);
	assert_string_equal(warning, "");
}

static long slot_offset(unsigned n)
{
	return (long)n * SLOT_SIZE;
}

static bool next_is_new(void)
{
	struct store_want *w = test_want("net", "one more");
	struct store_range r = test_range("10.9.0.1", "10.9.0.254");
	struct store *s = open_dir();
	struct store_grant g;

	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	store_close(s);
	return g.never_held;
}

/* Of a file of before there was such a note, of one that took the place of a broken one: nobody
 * knows. A boot is a beginning. */
static void what_was_held_is_known_or_nothing_is_new(void **state)
{
	struct records_header h;
	uint32_t none = 0, many = SEEN_SPANS + 1;

	(void)state;
	make_store(10);
	assert_true(next_is_new());
	make_store(10);
	patch("records", offsetof(struct records_header, seen.complete), &none, sizeof(none));
	assert_false(next_is_new());
	make_store(10);
	patch("records", offsetof(struct records_header, seen.n), &many, sizeof(many));
	assert_false(next_is_new());
	make_store(10);
	assert_int_equal(truncate(path_of("records"), 500), 0);
	assert_false(next_is_new());
	make_store(10);
	read_at("records", 0, &h, sizeof(h));
	h.boot_id[0] = h.boot_id[0] == 'a' ? 'b' : 'a';
	h.seen.complete = 0;
	h.sum = records_header_sum(&h);
	patch("records", 0, &h, sizeof(h));
	assert_true(next_is_new());
}

/* Killed between the note of an address and its record: it is noted. The other way round is found.
 */
static void what_is_held_is_noted(void **state)
{
	struct store *s = fresh_dir();
	struct store_range r = test_range("10.9.0.1", "10.9.0.254");
	struct err e = { 0 };

	(void)state;
	test_lease_ok(s, "net", "killed", &r);
	patch("records", slot_offset(1), "\0\0\0", 4); /* as if it had not been committed */
	store_close(s);
	assert_int_equal(unlink(path_of("index")), 0);
	assert_false(next_is_new());
	s = open_dir();
	test_verify(s);
	patch("records", offsetof(struct records_header, seen.n), "\0\0\0", 4);
	assert_int_equal(store_verify(s, &e), -EUCLEAN);
	assert_non_null(strstr(e.msg, "10.9.0.1"));
	store_close(s);
	assert_int_equal(unlink(path_of("index")), 0); /* who makes it anew looks at the records */
	s = open_dir();
	test_verify(s);
	store_close(s);
}

static int tell_one_tag(void *ctx, const struct store_grant *grant, struct store_body *ret,
			struct err *e)
{
	(void)ctx;
	(void)grant;
	(void)e;
	ret->tags[0] = 7;
	ret->n_tags = 1;
	return 0;
}

static int count_last(void *ctx, const uint64_t *tags, unsigned n, struct err *e)
{
	(void)tags;
	(void)e;
	*(unsigned *)ctx = n;
	return 0;
}

/* Is the one that bears a tag told that it is the last? */
static bool last_is_told(struct store *s)
{
	struct store_key key = { "net", "t", "eth0" };
	struct store_holder h;
	struct store_grant g;
	unsigned last = ~0U;
	struct err e;

	assert_int_equal(store_lease(s, test_want("net", "t"), tell_one_tag, NULL, &g, &h, &e), 0);
	assert_int_equal(store_release(s, &key, 0, count_last, &last, &e), 0);
	return last == 1;
}

/* Attachments that no record tells of any more may live by what is shared. */
static void where_records_were_lost_nobody_is_last(void **state)
{
	struct store *s;

	(void)state;
	make_store(2);
	s = open_dir();
	assert_true(last_is_told(s));
	store_close(s);
	assert_int_equal(truncate(path_of("records"), 100), 0);
	s = open_dir();
	assert_false(last_is_told(s));
	store_close(s);
	s = open_dir();
	assert_false(last_is_told(s));
	store_close(s);
	make_store(2);
	patch("records", slot_offset(1), "????", 4);
	assert_int_equal(unlink(path_of("index")), 0);
	s = open_dir();
	assert_false(last_is_told(s));
	store_close(s);
}

/* By a kill while broken ones were moved aside, or by hand: the index tells that there were some.
 */
static void missing_records_were_lost(void **state)
{
	struct store *s;

	(void)state;
	make_store(2);
	assert_int_equal(unlink(path_of("records")), 0);
	s = open_dir();
	assert_non_null(strstr(warning, "records: the store begins empty"));
	assert_int_equal(count_records(s), 0);
	assert_false(last_is_told(s));
	test_verify(s);
	store_close(s);
	assert_false(next_is_new());
	s = open_dir();
	assert_false(last_is_told(s));
	store_close(s);
}

/* A store that is made, or made empty by a new boot, has lost nothing, whenever that is killed. */
static void a_store_half_made_has_lost_nothing(void **state)
{
	struct records_header h;
	struct store *s;

	(void)state;
	make_store(0);
	assert_int_equal(unlink(path_of("index")), 0);
	s = open_dir();
	assert_string_equal(warning, "");
	assert_true(last_is_told(s));
	store_close(s);
	make_store(2);
	read_at("records", 0, &h, sizeof(h));
	h.boot_id[0] = h.boot_id[0] == 'a' ? 'b' : 'a';
	h.sum = records_header_sum(&h);
	patch("records", 0, &h, sizeof(h));
	s = open_dir();
	assert_true(last_is_told(s));
	store_close(s);
}

/* DEL would be told that there is nothing to remove. */
static void a_lost_lock_is_no_lost_store(void **state)
{
	struct store *s;
	struct err e;

	(void)state;
	make_store(2);
	assert_int_equal(unlink(path_of("lock")), 0);
	assert_int_equal(store_open(dir, STORE_READ, &s, warning, sizeof(warning), &e), 0);
	assert_int_equal(count_records(s), 2);
	store_close(s);
}

static void a_lost_index_is_made_anew(void **state)
{
	static const long cuts[] = { 0, 1, 100, 4096, 50000 };
	struct index_header h;

	(void)state;
	make_store(500);
	assert_int_equal(unlink(path_of("index")), 0);
	assert_int_equal(use(), 500);
	for (unsigned i = 0; i < ARRAY_SIZE(cuts); i++) {
		assert_int_equal(truncate(path_of("index"), cuts[i]), 0);
		assert_int_equal(use(), 500);
	}
	read_at("index", 0, &h, sizeof(h));
	memset(&h.shape, 0xff, sizeof(h.shape));
	patch("index", 0, &h, sizeof(h));
	assert_int_equal(use(), 500);
	h.shape = (struct shape){ 0 };
	patch("index", 0, &h, sizeof(h));
	assert_int_equal(use(), 500);
	assert_string_equal(warning, "");
}

static void a_dirty_index_is_made_anew(void **state)
{
	static char zeros[40000];
	struct store *s;
	uint32_t one = 1;

	(void)state;
	make_store(100);
	/* in a new process, and in one that has it open */
	s = open_dir();
	for (unsigned i = 0; i < 2; i++) {
		patch("index", sizeof(struct index_header), zeros, sizeof(zeros));
		patch("index", offsetof(struct index_header, dirty), &one, sizeof(one));
		if (i)
			assert_int_equal(use(), 100);
		else
			test_verify(s);
		assert_int_equal(count_records(s), 100);
	}
	test_verify(s);
	store_close(s);
}

static void a_garbled_record_is_dropped(void **state)
{
	static struct store_record rec;
	struct store_key key = { "net", "5", "eth0" };
	struct store *s;
	struct err e = { 0 };

	(void)state;
	make_store(10);
	s = open_dir();
	assert_int_equal(store_get(s, &key, &rec, &e), STORE_OK);
	/* somewhere in the head, behind the words that no sum covers */
	patch("records", slot_offset(rec.id) + 8 + (long)offsetof(struct head, created), "?", 1);
	assert_true(store_verify(s, &e) == -EUCLEAN);
	assert_int_equal(store_get(s, &key, &rec, &e), STORE_ABSENT);
	assert_int_equal(count_records(s), 9);
	test_verify(s);
	key.container_id = "6";
	assert_int_equal(store_get(s, &key, &rec, &e), STORE_OK);
	store_close(s);
	patch("records", slot_offset(rec.id), "????", 4);
	assert_int_equal(unlink(path_of("index")), 0);
	store_close(open_dir());
	assert_non_null(strstr(warning, "1 garbled records"));
	assert_int_equal(use(), 8);
}

/* Also if the process is killed before the index is made. */
static void a_dropped_record_is_remembered_at_once(void **state)
{
	struct census census;
	struct store *s;
	struct err e = { 0 };

	(void)state;
	make_store(3);
	s = open_dir();
	assert_false(records_header(&s->records)->bereaved);
	patch("records", slot_offset(1), "????", 4);
	assert_int_equal(census_take(&s->records, true, &census, &e), 0);
	assert_int_equal(census.dropped, 1);
	assert_true(records_header(&s->records)->bereaved);
	store_close(s);
	assert_int_equal(unlink(path_of("index")), 0);
	assert_int_equal(use(), 2);
}

/* The end of a cooling head and the store of its taker's commit are two stores: a kill between. */
static void taken_while_cooling_has_one_owner(void **state)
{
	struct store_range r = test_range("10.0.0.1", "10.0.0.1");
	struct store *s = fresh_dir();
	struct store_usage u;
	struct err e = { 0 };
	struct head h;

	(void)state;
	test_lease_ok(s, "net", "a", &r);
	assert_int_equal(test_release(s, "net", "a", 100), STORE_OK);
	read_at("records", slot_offset(1) + 8, &h, sizeof(h));
	test_lease_ok(s, "net", "b", &r);
	store_close(s);
	h.cooling = 1;
	patch("records", slot_offset(1) + 8, &h, sizeof(h));
	patch("records", slot_offset(1), "COOL", 4);
	assert_int_equal(unlink(path_of("index")), 0);
	s = open_dir();
	assert_string_equal(warning, "");
	assert_int_equal(store_count(s, &r.span, &u, &e), 0);
	assert_int_equal(u.used, 1);
	assert_int_equal(u.cooling, 0);
	test_verify(s);
	store_close(s);
}

static unsigned draw(uint64_t *seed, unsigned n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(*seed >> 33) % n;
}

/* Any use of the store, answers being of no interest: it must not crash, hang or say "internal". */
static void abuse(struct store *s, uint64_t *seed)
{
	static struct store_record rec;
	struct store_range r = test_range("10.0.0.1", "10.0.3.254");
	struct store_usage u;
	struct err e = { 0 };
	uint64_t cursor = 0;
	char id[16];

	assert_non_null(s);
	for (unsigned i = 0; i < 40; i++) {
		struct store_want *w;

		snprintf(id, sizeof(id), "%u", draw(seed, 60));
		if (draw(seed, 2)) {
			test_release(s, "net", id, draw(seed, 2));
			continue;
		}
		w = test_want("net", id);
		test_choose(w, &r, 1);
		test_port(w, IPPROTO_TCP, 0, NULL);
		w->dynamic_first = 1000;
		w->dynamic_last = 1100;
		test_lease(s, w, NULL, NULL);
	}
	while (store_next(s, NULL, &cursor, &rec, &e) == STORE_OK)
		;
	store_count(s, &r.span, &u, &e);
	store_verify(s, &e);
	store_close(s);
	assert_int_equal(unlink(path_of("index")), 0);
	use();
}

static void flipped_bytes_do_no_harm(void **state)
{
	uint64_t seed = FLIP_ROUNDS;

	(void)state;
	for (unsigned round = 0; round < FLIP_ROUNDS; round++) {
		const char *name = round % 2 ? "records" : "index";
		struct store *s = NULL;
		struct stat st;

		if (round % 10 == 0)
			make_store(50);
		/* between two openings, or under the hands of one who has it open */
		if (draw(&seed, 2))
			s = open_dir();
		assert_int_equal(stat(path_of(name), &st), 0);
		for (unsigned i = 0; i < 1 + draw(&seed, 50); i++) {
			/* half of them where it hurts: the header and the first slots */
			unsigned end = (unsigned)st.st_size, at;
			uint8_t byte = (uint8_t)draw(&seed, 256);

			at = draw(&seed, 2) ? draw(&seed, end) : draw(&seed, 8192);
			if (!strcmp(name, "records") && at < SLOT_SIZE && draw(&seed, 8))
				at += SLOT_SIZE;
			patch(name, at, &byte, 1);
		}
		abuse(s ? s : open_dir(), &seed);
	}
}

static uint32_t lease_id(struct store *s, unsigned n)
{
	struct store_range r = test_range("10.0.0.1", "10.0.255.254");
	struct store_grant g = { 0 };
	struct store_want *w;
	char id[16];

	snprintf(id, sizeof(id), "%u", n);
	w = test_want("net", id);
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	return g.id;
}

/* The number of a record is an interface index: who still knows the last holder by it must not meet
 * another, however many of the first slots are in use. */
static void id_rests(unsigned live)
{
	struct store *s = fresh_dir();
	uint32_t id;
	char name[16];

	for (unsigned n = 0; n < live; n++)
		lease_id(s, n);
	id = 1;
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(test_release(s, "net", "0", 0), STORE_OK);
		for (unsigned n = 100; n < 116; n++)
			assert_int_not_equal(lease_id(s, n), id);
		for (unsigned n = 100; n < 116; n++) {
			snprintf(name, sizeof(name), "%u", n);
			assert_int_equal(test_release(s, "net", name, 0), STORE_OK);
		}
		id = lease_id(s, 0);
	}
	store_close(s);
}

static void an_id_rests_before_it_returns(void **state)
{
	(void)state;
	id_rests(1);
	id_rests(SLOTS_FIRST - 33); /* with the next but one, the store grows */
	id_rests(SLOTS_FIRST - 1);
}

/* Nobody else gives an index from 2^30 on, nor does the kernel; and no two stores the same. */
static void bases_leave_room(void **state)
{
	uint32_t bases[8];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		struct records_header h;

		make_store(0);
		read_at("records", 0, &h, sizeof(h));
		assert_in_range(h.boot_base, 1 << 20, (1U << 30) - SLOTS_MAX);
		bases[i] = h.boot_base & ((1 << 20) - 1);
	}
	for (unsigned i = 1; i < ARRAY_SIZE(bases); i++)
		if (bases[i] != bases[0])
			return;
	fail_msg("the low bits of bases are all %u", bases[0]);
}

static void full_disk_child(unsigned unused)
{
	struct store_range r = test_range("10.0.0.1", "10.0.255.254");
	struct store *s;
	unsigned n = 0;
	int out = 0;
	char id[16];

	(void)unused;
	if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
	    mount("small", dir, "tmpfs", 0, "size=512k,mode=0700"))
		_exit(77);
	s = open_dir();
	if (!s)
		_exit(1);
	while (!out && n < 5000) {
		struct store_want *w;

		snprintf(id, sizeof(id), "%u", n++);
		w = test_want("net", id);
		test_choose(w, &r, 1);
		out = test_lease(s, w, NULL, NULL);
	}
	if (out != -ENOSPC || n < 100 || count_records(s) != n - 1)
		_exit(2);
	test_verify(s);
	/* releasing needs no space, and makes some */
	if (test_release(s, "net", "0", 0) || test_release(s, "net", "1", 30))
		_exit(3);
	if (test_lease(s, test_want("net", "again"), NULL, NULL))
		_exit(4);
	test_verify(s);
	store_close(s);
	/* nor does the repair after a kill */
	patch("index", offsetof(struct index_header, dirty), "\1", 1);
	s = open_dir();
	if (!s || count_records(s) != n - 2)
		_exit(5);
	test_verify(s);
	store_close(s);
}

static void full_disk_is_an_error(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	new_dir();
	pid = fork();
	if (!pid) {
		full_disk_child(0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- other processes --------------------------------------------------------------------------
 */

static void lease_two(unsigned n)
{
	struct store_range r = test_range("10.0.0.1", "10.0.0.62");
	struct store *s = open_dir();
	char id[16];

	for (unsigned i = 0; s && i < 2; i++) {
		struct store_want *w;
		int out;

		snprintf(id, sizeof(id), "%u-%u", n, i);
		w = test_want("net", id);
		test_choose(w, &r, 1);
		out = test_lease(s, w, NULL, NULL);
		if (out && out != STORE_EXHAUSTED)
			_exit(1);
	}
	if (!s)
		_exit(1);
	store_close(s);
}

static void fifty_processes_share_a_subnet(void **state)
{
	struct store_range r = test_range("10.0.0.1", "10.0.0.62");
	static struct store_record rec;
	uint8_t seen[64] = { 0 };
	uint64_t cursor = 0;
	struct err e = { 0 };
	struct store *s;

	(void)state;
	new_dir();
	in_child(lease_two, 0, 50);
	s = open_dir();
	assert_int_equal(count_records(s), 62);
	while (store_next(s, "net", &cursor, &rec, &e) == STORE_OK) {
		assert_true(span_contains(&r.span, &rec.addresses[0]));
		assert_int_equal(seen[rec.addresses[0].b[3]]++, 0);
	}
	test_verify(s);
	store_close(s);
}

static void lease_many(unsigned n)
{
	struct store_range r = test_range("10.8.0.1", "10.8.255.254");
	struct store *s = open_dir();
	char id[16];

	for (unsigned i = 0; s && i < 3000; i++) {
		struct store_want *w;

		snprintf(id, sizeof(id), "%u-%u", n, i);
		w = test_want("net", id);
		test_choose(w, &r, 1);
		if (test_lease(s, w, NULL, NULL))
			_exit(1);
	}
	store_close(s);
}

static void others_grow_what_we_have_open(void **state)
{
	struct store_range r = test_range("10.8.0.1", "10.8.255.254");
	struct store *s = fresh_dir(), *t = open_dir();
	char id[16];

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "s%u", i);
		test_lease_ok(s, "net", id, &r);
	}
	in_child(lease_many, 0, 2);
	assert_int_equal(count_records(s), 6030);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "t%u", i);
		test_lease_ok(t, "net", id, &r);
		assert_int_equal(test_release(s, "net", id, 0), STORE_OK);
	}
	test_verify(s);
	test_verify(t);
	store_close(s);
	store_close(t);
}

static void replaced_under_our_hands(void **state)
{
	struct store *s = fresh_dir();

	(void)state;
	assert_int_equal(test_lease(s, test_want("net", "a"), NULL, NULL), STORE_OK);
	assert_int_equal(unlink(path_of("records")), 0);
	assert_int_equal(count_records(s), 0);
	assert_int_equal(test_lease(s, test_want("net", "a"), NULL, NULL), STORE_OK);
	assert_int_equal(truncate(path_of("records"), 100), 0);
	assert_int_equal(test_lease(s, test_want("net", "a"), NULL, NULL), STORE_OK);
	assert_int_equal(truncate(path_of("index"), 100), 0);
	assert_int_equal(count_records(s), 1);
	test_verify(s);
	store_close(s);
}

static void more_ranges_than_windows(void **state)
{
	struct store *s = fresh_dir();
	char first[32], last[32], id[32];

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < WINDOWS + 20; i++) {
			struct store_range r;

			snprintf(first, sizeof(first), "10.%u.%u.0", i / 100, i % 100);
			snprintf(last, sizeof(last), "10.%u.%u.255", i / 100,
				 i % 100 + (i % 7 == 0));
			r = test_range(first, last);
			snprintf(id, sizeof(id), "%u-%u", round, i);
			test_lease_ok(s, "net", id, &r);
		}
	test_verify(s);
	store_close(s);
}

#define TEST(f)                                                                                    \
	{                                                                                          \
#f, f, NULL, NULL, NULL                                                            \
	}

int main(void)
{
	const struct store_backend file = { "file", backend_fresh, backend_again, NULL };
	const struct CMUnitTest tests[] = {
		TEST(made_for_us_alone),
		TEST(foreign_directories_are_refused),
		TEST(foreign_files_are_refused),
		TEST(reading_makes_nothing),
		TEST(changing_makes_nothing),
		TEST(state_of_an_earlier_boot_is_dropped),
		TEST(broken_records_are_moved_aside),
		TEST(another_version_is_refused),
		TEST(what_was_held_is_known_or_nothing_is_new),
		TEST(what_is_held_is_noted),
		TEST(where_records_were_lost_nobody_is_last),
		TEST(missing_records_were_lost),
		TEST(a_store_half_made_has_lost_nothing),
		TEST(an_id_rests_before_it_returns),
		TEST(bases_leave_room),
		TEST(a_lost_lock_is_no_lost_store),
		TEST(a_lost_index_is_made_anew),
		TEST(a_dirty_index_is_made_anew),
		TEST(a_garbled_record_is_dropped),
		TEST(a_dropped_record_is_remembered_at_once),
		TEST(taken_while_cooling_has_one_owner),
		TEST(flipped_bytes_do_no_harm),
		TEST(full_disk_is_an_error),
		TEST(fifty_processes_share_a_subnet),
		TEST(others_grow_what_we_have_open),
		TEST(replaced_under_our_hands),
		TEST(more_ranges_than_windows),
	};
	int failed =
		store_conformance(&file) + cmocka_run_group_tests_name("files", tests, NULL, NULL);

	remove_dir();
	return failed;
}
