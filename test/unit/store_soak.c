/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kill -9 against the file store: `store_soak [kills]`. Workers lease and release without pause, a
 * killer ends one at a random instant and starts it anew. Each worker keeps a journal in shared
 * memory: what it is about to do before it asks, what it was given when the store has answered. Who
 * takes over a dead worker's journal finds its last operation done whole or not at all; every few
 * hundred kills all journals are compared with the store, and a new store begins, so that making
 * and growing it are killed too.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "store/store.h"

#define WORKERS  4
#define KEYS     64  /* of one worker */
#define ROUND    500 /* kills of one store */
#define BODY_MAX 3000
#define KILL_US  1200 /* a worker lives for up to so many times the number of workers */

enum phase {
	NONE,
	LEASING,
	HELD,
	RELEASING
};

struct key {
	volatile enum phase phase;
	unsigned serial; /* of its lease: what the body is made of */
	struct ip v4, v6;
	uint16_t ports[2];
};

struct journal {
	struct key keys[KEYS];
	unsigned serial;
	uint64_t operations, whole, nothing; /* the latter two: of those that a kill cut */
};

struct shared {
	struct journal journals[WORKERS];
	volatile int failed;
	char message[400];
	char dir[64];
};

struct worker {
	struct shared *sh;
	struct journal *j;
	struct store *s;
	struct store_record *rec;
	unsigned number;
	uint64_t seed;
};

static unsigned draw(uint64_t *seed, unsigned n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(*seed >> 33) % n;
}

__attribute__((format(printf, 2, 3))) static void fail(struct shared *sh, const char *fmt, ...)
{
	va_list ap;

	if (sh->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(sh->message, sizeof(sh->message), fmt, ap);
	va_end(ap);
	sh->failed = 1;
}

static void name_key(const struct worker *w, unsigned k, char id[static 32])
{
	snprintf(id, 32, "worker%u-key%u", w->number, k);
}

/* The body tells its own length and content, so a mixture of two is seen. */
static size_t make_body(const struct worker *w, unsigned k, unsigned serial, char *ret)
{
	uint64_t seed = serial * 1000ULL + w->number * 100 + k;
	size_t len = (size_t)snprintf(ret, 64, "%u/%u/%u ", w->number, k, serial);
	size_t end = len + draw(&seed, BODY_MAX);

	while (len < end)
		ret[len++] = (char)('a' + draw(&seed, 26));
	ret[len] = '\0';
	return len;
}

struct compose_args {
	const struct worker *w;
	unsigned k;
	char text[BODY_MAX + 100];
};

static int compose(void *ctx, const struct store_grant *grant, struct store_body *ret,
		   struct err *e)
{
	struct compose_args *a = ctx;

	(void)grant;
	(void)e;
	ret->text = a->text;
	ret->len = make_body(a->w, a->k, a->w->j->keys[a->k].serial, a->text);
	ret->n_tags = 2;
	ret->tags[0] = 1 + a->w->number;
	ret->tags[1] = 100 + a->k % 7;
	return 0;
}

static struct ip number_ip(uint8_t family, uint64_t high, uint64_t low)
{
	return ip_from_num(family, (ip_num)high << 64 | low);
}

static void make_want(struct worker *w, unsigned k, const char *id, struct store_want *want,
		      struct store_range ranges[2])
{
	uint64_t seed = w->seed;

	memset(want, 0, sizeof(*want));
	ranges[0] = (struct store_range){ .span = { number_ip(AF_INET, 0, 0x0a000001),
						    number_ip(AF_INET, 0, 0x0a0000c8) },
					  .capacity = 200 };
	ranges[1] = (struct store_range){ .span = { number_ip(AF_INET6, 0xfdULL << 56, 0),
						    number_ip(AF_INET6, 0xfdULL << 56, ~0ULL) },
					  .capacity = ~0ULL };
	want->key = (struct store_key){ k % 2 ? "odd" : "even", id, "eth0" };
	want->n_choices = 2;
	want->choices[0] = (struct store_choice){ .ranges = &ranges[0], .n_ranges = 1 };
	want->choices[1] = (struct store_choice){ .ranges = &ranges[1], .n_ranges = 1 };
	if (!draw(&seed, 4))
		want->choices[0].address = number_ip(AF_INET, 0, 0x0a000001 + draw(&seed, 250));
	want->n_ports = 2;
	want->ports[0] = (struct store_port){ .protocol = IPPROTO_TCP };
	want->ports[1] = (struct store_port){ .protocol = IPPROTO_UDP };
	if (!draw(&seed, 4))
		want->ports[1].port = (uint16_t)(1 + draw(&seed, 300));
	want->dynamic_first = 1000;
	want->dynamic_last = 1400;
}

static void clear(struct worker *w)
{
	struct store_quarantine *q = malloc(sizeof(*q));
	struct err e = { 0 };

	if (!q || store_quarantine(w->s, q, &e) || store_unquarantine(w->s, q, &e))
		fail(w->sh, "quarantine: %s", e.msg);
	free(q);
}

static void lease(struct worker *w, unsigned k)
{
	struct key *key = &w->j->keys[k];
	struct compose_args args = { .w = w, .k = k };
	struct store_range ranges[2];
	struct store_holder holder;
	struct store_grant grant;
	struct store_want want;
	struct err e = { 0 };
	char id[32];
	int r;

	name_key(w, k, id);
	make_want(w, k, id, &want, ranges);
	key->serial = ++w->j->serial;
	key->phase = LEASING;
	r = store_lease(w->s, &want, compose, &args, &grant, &holder, &e);
	if (r == STORE_OK) {
		key->v4 = grant.addresses[0];
		key->v6 = grant.addresses[1];
		key->ports[0] = grant.ports[0];
		key->ports[1] = grant.ports[1];
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		key->phase = HELD;
		return;
	}
	if (r < 0 || r == STORE_KEY_EXISTS)
		fail(w->sh, "lease of %s: %d %s", id, r, e.msg);
	key->phase = NONE;
	if (r == STORE_QUARANTINED)
		clear(w);
}

static void release(struct worker *w, unsigned k)
{
	static const uint32_t cooldowns[] = { 0, 1, 100, STORE_QUARANTINE, 1 | STORE_QUARANTINE };
	struct key *key = &w->j->keys[k];
	struct store_key name = { k % 2 ? "odd" : "even", NULL, "eth0" };
	struct err e = { 0 };
	char id[32];
	int r;

	name_key(w, k, id);
	name.container_id = id;
	key->phase = RELEASING;
	r = store_release(w->s, &name, cooldowns[draw(&w->seed, 5)], NULL, NULL, &e);
	if (r != STORE_OK)
		fail(w->sh, "release of %s: %d %s", id, r, e.msg);
	key->phase = NONE;
}

/* Is the record of @k there? If so, it must be the one of its last lease, and whole. */
static bool look(struct worker *w, unsigned k)
{
	struct key *key = &w->j->keys[k];
	struct store_key name = { k % 2 ? "odd" : "even", NULL, "eth0" };
	char id[32], body[BODY_MAX + 100];
	struct err e = { 0 };
	size_t len;
	int r;

	name_key(w, k, id);
	name.container_id = id;
	r = store_get(w->s, &name, w->rec, &e);
	if (r < 0)
		fail(w->sh, "get of %s: %d %s", id, r, e.msg);
	if (r)
		return false;
	len = make_body(w, k, key->serial, body);
	if (w->rec->len != len || memcmp(w->rec->text, body, len) != 0)
		fail(w->sh, "%s has a foreign body", id);
	if (w->rec->n_addresses != 2 || w->rec->n_ports != 2)
		fail(w->sh, "%s is not whole", id);
	return true;
}

static bool is_same(const struct key *key, const struct store_record *rec)
{
	return ip_equal(&key->v4, &rec->addresses[0]) && ip_equal(&key->v6, &rec->addresses[1]) &&
	       key->ports[0] == rec->ports[0].port && key->ports[1] == rec->ports[1].port;
}

/* What the kill left of the operation under way. */
static void settle(struct worker *w, unsigned k)
{
	struct key *key = &w->j->keys[k];
	bool there = look(w, k);

	if (there) {
		key->v4 = w->rec->addresses[0];
		key->v6 = w->rec->addresses[1];
		key->ports[0] = w->rec->ports[0].port;
		key->ports[1] = w->rec->ports[1].port;
	}
	w->j->whole += there == (key->phase == LEASING);
	w->j->nothing += there == (key->phase == RELEASING);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	key->phase = there ? HELD : NONE;
}

static void check(struct worker *w, unsigned k)
{
	const struct key *key = &w->j->keys[k];
	bool there = look(w, k);

	if (there != (key->phase == HELD))
		fail(w->sh, "worker %u key %u: %s", w->number, k,
		     there ? "a released record is back" : "an acknowledged record is lost");
	else if (there && !is_same(key, w->rec))
		fail(w->sh, "worker %u key %u: addresses or ports changed", w->number, k);
}

static bool open_store(struct worker *w)
{
	struct err e = { 0 };
	char warn[300];
	int r = store_open(w->sh->dir, STORE_CREATE, &w->s, warn, sizeof(warn), &e);

	if (r)
		fail(w->sh, "open: %d %s", r, e.msg);
	else if (*warn)
		fail(w->sh, "open: %s", warn);
	return !r;
}

static void work(struct worker *w)
{
	if (!open_store(w))
		return;
	for (unsigned k = 0; k < KEYS; k++)
		if (w->j->keys[k].phase == LEASING || w->j->keys[k].phase == RELEASING)
			settle(w, k);
	while (!w->sh->failed) {
		unsigned k = draw(&w->seed, KEYS);

		if (w->j->keys[k].phase == NONE)
			lease(w, k);
		else if (draw(&w->seed, 4))
			release(w, k);
		else if (!draw(&w->seed, 8))
			clear(w);
		else
			check(w, k);
		w->j->operations++;
	}
}

static pid_t start(struct shared *sh, unsigned number, uint64_t seed)
{
	struct worker w = { .sh = sh, .j = &sh->journals[number], .number = number, .seed = seed };
	pid_t pid = fork();

	if (pid)
		return pid;
	w.rec = malloc(sizeof(*w.rec));
	if (w.rec)
		work(&w);
	_exit(0);
}

static void check_duplicates(struct shared *sh)
{
	const struct key *keys[WORKERS * KEYS];
	unsigned n = 0;

	for (unsigned i = 0; i < WORKERS * KEYS; i++) {
		keys[n] = &sh->journals[i / KEYS].keys[i % KEYS];
		n += keys[n]->phase == HELD;
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < i; j++)
			if (ip_equal(&keys[i]->v4, &keys[j]->v4) ||
			    ip_equal(&keys[i]->v6, &keys[j]->v6) ||
			    keys[i]->ports[0] == keys[j]->ports[0] ||
			    keys[i]->ports[1] == keys[j]->ports[1])
				fail(sh, "an address or a port has two holders");
}

/* All workers are dead: the store must say what the journals say, and itself agree. */
static void end_round(struct shared *sh, struct store_record *rec)
{
	struct worker w = { .sh = sh, .rec = rec };
	struct store_usage usage;
	struct err e = { 0 };
	uint64_t held = 0;

	if (!open_store(&w))
		return;
	if (store_verify(w.s, &e))
		fail(sh, "verify: %s", e.msg);
	for (w.number = 0; w.number < WORKERS; w.number++) {
		w.j = &sh->journals[w.number];
		for (unsigned k = 0; k < KEYS; k++) {
			if (w.j->keys[k].phase == LEASING || w.j->keys[k].phase == RELEASING)
				settle(&w, k);
			check(&w, k);
			held += w.j->keys[k].phase == HELD;
		}
	}
	check_duplicates(sh);
	if (store_count(w.s, NULL, &usage, &e) || usage.records != held)
		fail(sh, "%llu records in the store, %llu in the journals",
		     (unsigned long long)usage.records, (unsigned long long)held);
	store_close(w.s);
}

static void remove_store(const char *dir)
{
	static const char *const names[] = { "lock", "records", "index", "records.new",
					     "index.new" };
	char path[128];

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void begin_round(struct shared *sh)
{
	strcpy(sh->dir, access("/dev/shm", W_OK) ? "/tmp/taskvpc-soak-XXXXXX"
						 : "/dev/shm/taskvpc-soak-XXXXXX");
	if (!mkdtemp(sh->dir))
		fail(sh, "mkdtemp: %s", strerror(errno));
	for (unsigned i = 0; i < WORKERS; i++)
		memset(sh->journals[i].keys, 0, sizeof(sh->journals[i].keys));
}

static void end_worker(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static unsigned run_round(struct shared *sh, unsigned kills, uint64_t *seed)
{
	pid_t pids[WORKERS];
	unsigned n = 0;

	begin_round(sh);
	for (unsigned i = 0; i < WORKERS; i++)
		pids[i] = start(sh, i, *seed + i);
	while (n < kills && !sh->failed) {
		unsigned i = draw(seed, WORKERS);

		usleep(draw(seed, KILL_US));
		end_worker(pids[i]);
		n++;
		pids[i] = start(sh, i, *seed);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		end_worker(pids[i]);
	return n;
}

static void report(const struct shared *sh, unsigned kills, int64_t ms)
{
	unsigned long long operations = 0, whole = 0, nothing = 0;

	for (unsigned i = 0; i < WORKERS; i++) {
		operations += sh->journals[i].operations;
		whole += sh->journals[i].whole;
		nothing += sh->journals[i].nothing;
	}
	printf("%u kills in %lld ms, %llu operations; of those cut by a kill %llu were done, %llu "
	       "were not\n",
	       kills, (long long)ms, operations, whole, nothing);
	if (sh->failed)
		printf("after %u kills: %s (store: %s)\n", kills, sh->message, sh->dir);
	printf("%d passed, %d failed\n", !sh->failed, sh->failed);
}

int main(int argc, char **argv)
{
	unsigned wanted = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000, kills = 0;
	struct shared *sh =
		mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct store_record *rec = malloc(sizeof(*rec));
	int64_t began = io_clock_ms();
	uint64_t seed = (uint64_t)began;

	if (sh == MAP_FAILED || !rec)
		return 1;
	while (kills < wanted && !sh->failed) {
		unsigned n = wanted - kills < ROUND ? wanted - kills : ROUND;

		kills += run_round(sh, n, &seed);
		if (!sh->failed)
			end_round(sh, rec);
		if (!sh->failed)
			remove_store(sh->dir);
	}
	report(sh, kills, io_clock_ms() - began);
	free(rec);
	return sh->failed;
}
