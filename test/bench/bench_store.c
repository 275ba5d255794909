/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one call of the store costs inside the process: `bench_store [leases...]` fills a store with
 * so many leases (0, 65000 and 1000000 if none are named) and prints the median and the 99th
 * percentile of each call as lines of JSON (see bench.h). It judges nothing. It needs about 1.2 kB
 * of memory a lease in /dev/shm.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#include "store/store.h"

#define SAMPLES 2000

enum call {
	OPEN,
	GET,
	LEASE,
	LEASE_DYNAMIC,
	RELEASE,
	COUNT,
	CALLS
};

struct bench {
	char dir[64];
	struct store *s;
	struct store_range range;
	struct samples us[CALLS];
	struct store_record rec;
};

static void must(int r, const struct err *e, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "%s: %d %s\n", what, r, e->msg);
	exit(1);
}

/* The size of an attachment's record. */
static int compose(void *ctx, const struct store_grant *grant, struct store_body *ret,
		   struct err *e)
{
	(void)grant;
	(void)e;
	ret->text = ctx;
	ret->len = strlen(ctx);
	ret->n_tags = 2;
	ret->tags[0] = 1;
	ret->tags[1] = 2;
	return 0;
}

static void lease(struct bench *b, const char *id, unsigned ports)
{
	static char body[701];
	static struct store_want w;
	struct store_holder holder;
	struct store_grant grant;
	struct err e = { 0 };

	if (!*body)
		memset(body, 'x', sizeof(body) - 1);
	memset(&w, 0, sizeof(w));
	w.key = (struct store_key){ "net", id, "eth0" };
	w.choices[0] = (struct store_choice){ .ranges = &b->range, .n_ranges = 1 };
	w.n_choices = 1;
	w.n_ports = ports;
	for (unsigned i = 0; i < ports; i++)
		w.ports[i].protocol = IPPROTO_TCP;
	w.dynamic_first = 10000;
	w.dynamic_last = 30000;
	must(store_lease(b->s, &w, compose, body, &grant, &holder, &e), &e, "lease");
}

static void reopen(struct bench *b)
{
	char warn[200];
	struct err e = { 0 };

	store_close(b->s);
	b->s = NULL;
	must(store_open(b->dir, STORE_CREATE, &b->s, warn, sizeof(warn), &e), &e, "open");
}

/* As a plugin does it: a fresh mapping for every call. */
static void sample(struct bench *b)
{
	struct store_key key = { "net", "sample", "eth0" };
	struct store_usage usage;
	struct err e = { 0 };
	double t[8];

	t[0] = bench_now_us();
	reopen(b);
	t[1] = bench_now_us();
	lease(b, key.container_id, 0);
	t[2] = bench_now_us();
	must(store_get(b->s, &key, &b->rec, &e), &e, "get");
	t[3] = bench_now_us();
	reopen(b);
	t[4] = bench_now_us();
	must(store_release(b->s, &key, 30, NULL, NULL, &e), &e, "release");
	t[5] = bench_now_us();
	must(store_count(b->s, &b->range.span, &usage, &e), &e, "count");
	t[6] = bench_now_us();
	lease(b, "ports", 2);
	t[7] = bench_now_us();
	key.container_id = "ports";
	must(store_release(b->s, &key, 0, NULL, NULL, &e), &e, "release");
	samples_add(&b->us[OPEN], t[1] - t[0], 0);
	samples_add(&b->us[LEASE], t[2] - t[1], 0);
	samples_add(&b->us[GET], t[3] - t[2], 0);
	samples_add(&b->us[RELEASE], t[5] - t[4], 0);
	samples_add(&b->us[COUNT], t[6] - t[5], 0);
	samples_add(&b->us[LEASE_DYNAMIC], t[7] - t[6], 0);
}

static void report(struct bench *b, unsigned leases)
{
	static const char *const names[CALLS] = {
		[OPEN] = "open",       [GET] = "get",
		[LEASE] = "lease",     [LEASE_DYNAMIC] = "lease with 2 ports",
		[RELEASE] = "release", [COUNT] = "count",
	};

	for (int k = 0; k < CALLS; k++) {
		emit("store", "store", names[k], leases, &b->us[k]);
		b->us[k] = (struct samples){ 0 };
	}
}

static void run(struct bench *b, unsigned leases)
{
	static const char *const files[] = { "lock", "records", "index" };
	char text[128];

	strcpy(b->dir, "/dev/shm/taskvpc-bench-XXXXXX");
	if (!mkdtemp(b->dir))
		exit(1);
	reopen(b);
	for (unsigned i = 0; i < leases; i++) {
		snprintf(text, sizeof(text), "%064x", i);
		lease(b, text, 0);
	}
	for (unsigned i = 0; i < SAMPLES; i++)
		sample(b);
	report(b, leases);
	store_close(b->s);
	b->s = NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(text, sizeof(text), "%s/%s", b->dir, files[i]);
		unlink(text);
	}
	rmdir(b->dir);
}

int main(int argc, char **argv)
{
	static const unsigned sizes[] = { 0, 65000, 1000000 };
	static struct bench b;

	b.range.span = (struct ip_span){ ip_from_num(AF_INET, 0x0a000000),
					 ip_from_num(AF_INET, 0x0affffff) };
	b.range.capacity = 1 << 24;
	for (int i = 1; i < argc; i++)
		run(&b, (unsigned)strtoul(argv[i], NULL, 10));
	for (unsigned i = 0; i < ARRAY_SIZE(sizes) && argc < 2; i++)
		run(&b, sizes[i]);
	return 0;
}
