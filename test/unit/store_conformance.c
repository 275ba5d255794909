/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conformance suite of store_conformance.h: records, addresses, placement, cooling, ports and
 * tags, one behaviour a test; the last ones compare the store with a model over random operations.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "base/text.h"
#include "store_conformance.h"

/* ---- helpers ----------------------------------------------------------------------------------
 */

struct ip test_ip(const char *text)
{
	struct ip a = { 0 };

	assert_true(ip_parse(text, &a));
	return a;
}

struct store_range test_range(const char *first, const char *last)
{
	struct store_range r = { .span = { test_ip(first), test_ip(last) } };

	r.capacity = span_size(&r.span);
	return r;
}

static void punch(struct store_range *r, const struct ip_span *holes, unsigned n)
{
	r->holes = holes;
	r->n_holes = n;
	for (unsigned i = 0; i < n; i++)
		r->capacity -= span_size(&holes[i]);
}

struct store_want *test_want(const char *network, const char *id)
{
	static struct store_want w;

	memset(&w, 0, sizeof(w));
	w.key = (struct store_key){ network, id, "eth0" };
	return &w;
}

struct store_choice *test_choose(struct store_want *w, const struct store_range *ranges, unsigned n)
{
	struct store_choice *c = &w->choices[w->n_choices++];

	*c = (struct store_choice){ .ranges = ranges, .n_ranges = n };
	return c;
}

struct store_choice *test_choose_ip(struct store_want *w, const char *address)
{
	struct store_choice *c = &w->choices[w->n_choices++];

	*c = (struct store_choice){ .address = test_ip(address) };
	return c;
}

void test_port(struct store_want *w, int protocol, unsigned port, const char *host_ip)
{
	struct store_port *p = &w->ports[w->n_ports++];

	*p = (struct store_port){ .protocol = (uint8_t)protocol, .port = (uint16_t)port };
	if (host_ip)
		p->host_ip = test_ip(host_ip);
}

static int compose_id(void *ctx, const struct store_grant *grant, struct store_body *ret,
		      struct err *e)
{
	const char *id = ctx;

	(void)grant;
	(void)e;
	ret->text = id;
	ret->len = strlen(id);
	ret->schema = 7;
	return 0;
}

static void explain(int r, const struct err *e)
{
	if (r < 0)
		print_message("error %d: %s\n", r, e->msg);
}

int test_lease(struct store *s, const struct store_want *w, struct store_grant *grant,
	       struct store_holder *holder)
{
	static struct store_grant g;
	static struct store_holder h;
	struct err e = { 0 };
	char id[STORE_NAME_MAX + 1];
	int r;

	assert_true(text_copy(id, sizeof(id), w->key.container_id));
	r = store_lease(s, w, compose_id, id, grant ? grant : &g, holder ? holder : &h, &e);
	explain(r, &e);
	return r;
}

struct ip test_lease_ok(struct store *s, const char *network, const char *id,
			const struct store_range *range)
{
	struct store_want *w = test_want(network, id);
	struct store_grant g;

	test_choose(w, range, 1);
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_int_equal(g.n_addresses, 1);
	assert_true(span_contains(&range->span, &g.addresses[0]));
	return g.addresses[0];
}

int test_release(struct store *s, const char *network, const char *id, uint32_t cooldown_s)
{
	struct store_key key = { network, id, "eth0" };
	struct err e = { 0 };
	int r = store_release(s, &key, cooldown_s, NULL, NULL, &e);

	explain(r, &e);
	return r;
}

void test_verify(struct store *s)
{
	struct err e = { 0 };
	int r = store_verify(s, &e);

	explain(r, &e);
	assert_int_equal(r, 0);
}

static void assert_ip(const struct ip *a, const char *text)
{
	char buf[IP_TEXT];

	assert_string_equal(ip_text(a, buf), text);
}

static void assert_usage(struct store *s, const struct ip_span *span, unsigned used,
			 unsigned cooling)
{
	struct store_usage u;
	struct err e = { 0 };

	assert_int_equal(store_count(s, span, &u, &e), 0);
	assert_int_equal(u.used, used);
	assert_int_equal(u.cooling, cooling);
}

static uint64_t count_records(struct store *s)
{
	struct store_usage u;
	struct err e = { 0 };

	assert_int_equal(store_count(s, NULL, &u, &e), 0);
	return u.records;
}

static struct store *fresh(void **state)
{
	const struct store_backend *b = *state;
	struct store *s = b->fresh(b->ctx);

	assert_non_null(s);
	return s;
}

static void finish(struct store *s)
{
	test_verify(s);
	store_close(s);
}

/* ---- records ----------------------------------------------------------------------------------
 */

static void record_appears_and_vanishes(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.62");
	struct store_want *w = test_want("net", "alpha");
	static struct store_record rec;
	struct store_holder holder;
	struct store_grant g;
	struct err e = { 0 };

	test_choose(w, &r, 1);
	test_port(w, IPPROTO_TCP, 8080, "127.0.0.1");
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_in_range(g.boot_base, 1 << 20, (1 << 30) - (1 << 22));
	assert_int_equal(store_get(s, &w->key, &rec, &e), STORE_OK);
	assert_string_equal(rec.text, "alpha");
	assert_int_equal(rec.len, 5);
	assert_int_equal(rec.schema, 7);
	assert_int_equal(rec.id, g.id);
	assert_string_equal(rec.key.network, "net");
	assert_string_equal(rec.key.ifname, "eth0");
	assert_true(rec.key.since > 0);
	assert_int_equal(rec.n_addresses, 1);
	assert_true(ip_equal(&rec.addresses[0], &g.addresses[0]));
	assert_int_equal(rec.n_ports, 1);
	assert_int_equal(rec.ports[0].port, 8080);
	assert_ip(&rec.ports[0].host_ip, "127.0.0.1");
	assert_int_equal(store_find(s, &g.addresses[0], &rec, &e), STORE_OK);
	assert_string_equal(rec.key.container_id, "alpha");
	assert_int_equal(test_lease(s, w, &g, &holder), STORE_KEY_EXISTS);
	assert_string_equal(holder.container_id, "alpha");
	assert_usage(s, &r.span, 1, 0);
	assert_int_equal(count_records(s), 1);
	test_verify(s);

	assert_int_equal(test_release(s, "net", "alpha", 0), STORE_OK);
	assert_int_equal(test_release(s, "net", "alpha", 0), STORE_ABSENT);
	assert_int_equal(store_get(s, &w->key, &rec, &e), STORE_ABSENT);
	assert_int_equal(store_find(s, &g.addresses[0], &rec, &e), STORE_ABSENT);
	assert_usage(s, &r.span, 0, 0);
	finish(s);
}

static void key_is_all_three_names(void **state)
{
	struct store *s = fresh(state);
	struct store_want *w = test_want("a", "bc");

	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	w = test_want("ab", "c");
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	w->key.ifname = "eth1";
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_KEY_EXISTS);
	assert_int_equal(count_records(s), 3);
	finish(s);
}

static int compose_refuse(void *ctx, const struct store_grant *grant, struct store_body *ret,
			  struct err *e)
{
	(void)ctx;
	(void)grant;
	(void)ret;
	return err_set(e, ERR_CONFIG, ENOTUNIQ, "no");
}

static void refused_compose_leases_nothing(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.2");
	struct store_want *w = test_want("net", "x");
	struct store_holder h;
	struct store_grant g;
	struct err e = { 0 };

	test_choose(w, &r, 1);
	test_port(w, IPPROTO_TCP, 80, NULL);
	assert_int_equal(store_lease(s, w, compose_refuse, NULL, &g, &h, &e), -ENOTUNIQ);
	assert_string_equal(e.msg, "no");
	assert_usage(s, &r.span, 0, 0);
	assert_int_equal(count_records(s), 0);
	finish(s);
}

static void dry_run_changes_nothing(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.6");
	struct store_want *w = test_want("net", "x");
	struct store_grant dry, g;

	test_choose(w, &r, 1);
	test_port(w, IPPROTO_UDP, 0, NULL);
	w->dynamic_first = 40000;
	w->dynamic_last = 40010;
	w->dry_run = true;
	assert_int_equal(test_lease(s, w, &dry, NULL), STORE_OK);
	assert_int_equal(count_records(s), 0);
	assert_usage(s, &r.span, 0, 0);
	w->dry_run = false;
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_true(ip_equal(&g.addresses[0], &dry.addresses[0]));
	assert_int_equal(g.ports[0], dry.ports[0]);
	assert_int_equal(g.id, dry.id);
	finish(s);
}

struct big_body {
	size_t len;
	unsigned n_tags;
	char *text;
};

static int compose_big(void *ctx, const struct store_grant *grant, struct store_body *ret,
		       struct err *e)
{
	const struct big_body *b = ctx;

	(void)grant;
	(void)e;
	ret->text = b->text;
	ret->len = b->len;
	ret->n_tags = b->n_tags;
	for (unsigned i = 0; i < b->n_tags && i < STORE_TAGS; i++)
		ret->tags[i] = 1000 + i;
	return 0;
}

static struct store_want *largest_want(char *name)
{
	struct store_want *w;

	memset(name, 'n', STORE_NAME_MAX);
	w = test_want(name, name);
	w->key.ifname = "eth0eth0eth0eth";
	for (unsigned i = 0; i < STORE_ADDRESSES; i++) {
		char text[IP_TEXT];

		snprintf(text, sizeof(text), "fd00::%u", i + 1);
		test_choose_ip(w, text);
	}
	for (unsigned i = 0; i < STORE_PORTS; i++)
		test_port(w, IPPROTO_SCTP, 1000 + i, "fd00:1::1");
	return w;
}

static void largest_record_comes_back_whole(void **state)
{
	static const size_t sizes[] = { 0, 1, 500, 1015, 1016, 1017, 5000, STORE_BODY_MAX };
	static char text[STORE_BODY_MAX + 2], name[STORE_NAME_MAX + 1];
	static struct store_record rec;
	struct store *s = fresh(state);
	struct store_want *w = largest_want(name);
	struct big_body body = { .text = text, .n_tags = STORE_TAGS };
	struct store_holder h;
	struct store_grant g;
	struct err e = { 0 };

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i % 26);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		body.len = sizes[i];
		assert_int_equal(store_lease(s, w, compose_big, &body, &g, &h, &e), STORE_OK);
		assert_int_equal(store_get(s, &w->key, &rec, &e), STORE_OK);
		assert_int_equal(rec.len, sizes[i]);
		assert_memory_equal(rec.text, text, sizes[i]);
		assert_string_equal(rec.key.network, name);
		assert_int_equal(rec.n_ports, STORE_PORTS);
		assert_int_equal(rec.ports[STORE_PORTS - 1].port, 1000 + STORE_PORTS - 1);
		assert_ip(&rec.addresses[7], "fd00::8");
		test_verify(s);
		assert_int_equal(store_release(s, &w->key, 0, NULL, NULL, &e), STORE_OK);
		test_verify(s);
	}
	body.len = STORE_BODY_MAX + 1;
	assert_true(store_lease(s, w, compose_big, &body, &g, &h, &e) < 0);
	body.len = 1;
	body.n_tags = STORE_TAGS + 1;
	assert_true(store_lease(s, w, compose_big, &body, &g, &h, &e) < 0);
	assert_int_equal(count_records(s), 0);
	finish(s);
}

static void walk_sees_each_record_once(void **state)
{
	struct store *s = fresh(state);
	static struct store_record rec;
	struct err e = { 0 };
	uint64_t cursor = 0;
	unsigned seen[40] = { 0 }, n = 0;
	char id[16];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "%u", i);
		assert_int_equal(test_lease(s, test_want(i % 2 ? "odd" : "even", id), NULL, NULL),
				 STORE_OK);
	}
	while (store_next(s, NULL, &cursor, &rec, &e) == STORE_OK) {
		unsigned i = (unsigned)strtoul(rec.text, NULL, 10);

		if (!strcmp(rec.key.network, "other"))
			continue;
		assert_in_range(i, 0, 39);
		seen[i]++;
		/* what goes and comes meanwhile must not disturb the others */
		if (n++ % 4 == 0)
			assert_int_equal(test_release(s, i % 2 ? "odd" : "even", rec.text, 0),
					 STORE_OK);
		snprintf(id, sizeof(id), "new%u", n);
		assert_int_equal(test_lease(s, test_want("other", id), NULL, NULL), STORE_OK);
	}
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(seen[i], 1);
	cursor = 0;
	n = 0;
	while (store_next(s, "odd", &cursor, &rec, &e) == STORE_OK) {
		assert_string_equal(rec.key.network, "odd");
		n++;
	}
	assert_in_range(n, 1, 20);
	assert_int_equal(store_next(s, "odd", &cursor, &rec, &e), STORE_ABSENT);
	finish(s);
}

static void handles_see_each_other(void **state)
{
	const struct store_backend *b = *state;
	struct store *s = fresh(state), *t = b->again(b->ctx);
	struct store_range r = test_range("10.0.0.1", "10.0.0.30");
	char id[16];

	assert_non_null(t);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "%u", i);
		test_lease_ok(i % 2 ? s : t, "net", id, &r);
	}
	assert_usage(s, &r.span, 30, 0);
	assert_usage(t, &r.span, 30, 0);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "%u", i);
		assert_int_equal(test_release(i % 2 ? t : s, "net", id, 0), STORE_OK);
	}
	assert_int_equal(count_records(t), 0);
	store_close(t);
	finish(s);
}

static void bad_wants_are_errors(void **state)
{
	struct store *s = fresh(state);
	char name[STORE_NAME_MAX + 2] = { 0 };
	struct store_want *w = test_want("net", "x");

	memset(name, 'x', STORE_NAME_MAX + 1);
	w->key.container_id = "x";
	w->key.network = name;
	assert_true(test_lease(s, w, NULL, NULL) < 0);
	w = test_want("net", "x");
	w->key.ifname = "a-name-of-16-byt";
	assert_true(test_lease(s, w, NULL, NULL) < 0);
	w = test_want("net", "x");
	test_port(w, 99, 80, NULL);
	assert_true(test_lease(s, w, NULL, NULL) < 0);
	assert_int_equal(count_records(s), 0);
	finish(s);
}

/* ---- addresses --------------------------------------------------------------------------------
 */

static void static_address_has_one_holder(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.3");
	struct store_want *w = test_want("net", "a");
	struct store_holder h;
	struct store_grant g;

	test_choose_ip(w, "10.0.0.2");
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_ip(&g.addresses[0], "10.0.0.2");
	w = test_want("other", "b");
	test_choose_ip(w, "10.0.0.9");
	test_choose_ip(w, "10.0.0.2");
	assert_int_equal(test_lease(s, w, &g, &h), STORE_ADDRESS_HELD);
	assert_int_equal(h.choice, 1);
	assert_string_equal(h.container_id, "a");
	/* a range goes round it, and round the static one of the same want */
	w = test_want("net", "c");
	test_choose(w, &r, 1);
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_false(ip_equal(&g.addresses[0], &g.addresses[1]));
	assert_int_equal(test_release(s, "net", "c", 0), STORE_OK);
	w = test_want("net", "d");
	test_choose(w, &r, 1);
	test_choose_ip(w, "10.0.0.1");
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_ip(&g.addresses[0], "10.0.0.3");
	w = test_want("net", "e");
	test_choose_ip(w, "10.9.0.1");
	test_choose_ip(w, "10.9.0.1");
	assert_int_equal(test_lease(s, w, &g, &h), STORE_ADDRESS_HELD);
	assert_string_equal(h.container_id, "e");
	finish(s);
}

static void holes_are_never_given(void **state)
{
	struct store *s = fresh(state);
	struct ip_span holes[] = { { test_ip("10.0.0.0"), test_ip("10.0.0.3") },
				   { test_ip("10.0.0.8"), test_ip("10.0.0.8") },
				   { test_ip("10.0.0.10"), test_ip("10.0.0.13") },
				   { test_ip("10.0.0.15"), test_ip("10.0.0.15") } };
	struct store_range r = test_range("10.0.0.0", "10.0.0.15");
	struct store_want *w;
	struct store_holder h;
	char id[8];

	punch(&r, holes, ARRAY_SIZE(holes));
	for (unsigned i = 0; i < 6; i++) {
		struct ip a;

		snprintf(id, sizeof(id), "%u", i);
		a = test_lease_ok(s, "net", id, &r);
		for (unsigned k = 0; k < ARRAY_SIZE(holes); k++)
			assert_false(span_contains(&holes[k], &a));
	}
	w = test_want("net", "more");
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, NULL, &h), STORE_EXHAUSTED);
	assert_int_equal(h.choice, 0);
	/* but a hole can be asked for */
	w = test_want("net", "more");
	test_choose_ip(w, "10.0.0.1");
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	finish(s);
}

static void placement_ranks_alternatives(void **state)
{
	static const struct {
		enum store_placement placement;
		unsigned want[3];
	} cases[] = { { STORE_SPREAD, { 1, 1, 1 } },
		      { STORE_PACK, { 2, 2, 0 } },
		      { STORE_FIRST, { 0, 0, 0 } } };

	for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
		struct store *s = fresh(state);
		struct store_range r[3] = { test_range("10.0.0.1", "10.0.0.4"),
					    test_range("10.1.0.1", "10.1.0.9"),
					    test_range("10.2.0.1", "10.2.0.2") };
		struct store_grant g;

		for (unsigned i = 0; i < 3; i++) {
			char id[8];
			struct store_want *w;

			snprintf(id, sizeof(id), "%u", i);
			w = test_want("net", id);
			test_choose(w, r, 3);
			w->placement = cases[k].placement;
			assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
			assert_int_equal(g.range_index[0], cases[k].want[i]);
			assert_true(span_contains(&r[g.range_index[0]].span, &g.addresses[0]));
		}
		finish(s);
	}
}

static void spread_balances(void **state)
{
	struct store *s = fresh(state);
	struct store_range r[2] = { test_range("10.0.0.1", "10.0.0.8"),
				    test_range("10.1.0.1", "10.1.0.8") };
	unsigned used[2] = { 0 };

	for (unsigned i = 0; i < 16; i++) {
		char id[8];
		struct store_want *w;
		struct store_grant g;

		snprintf(id, sizeof(id), "%u", i);
		w = test_want("net", id);
		test_choose(w, r, 2);
		assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
		used[g.range_index[0]]++;
		assert_in_range(used[0] + 1, used[1], used[1] + 2);
	}
	finish(s);
}

static void group_binds_later_choices(void **state)
{
	struct store *s = fresh(state);
	struct store_range v4[2] = { test_range("10.0.0.1", "10.0.0.2"),
				     test_range("10.1.0.1", "10.1.0.8") };
	struct store_range v6[2] = { test_range("fd00::1", "fd00::ff"),
				     test_range("fd01::1", "fd01::2") };
	struct store_want *w;
	struct store_holder h;
	struct store_grant g;
	char id[8];

	for (unsigned i = 0; i < 2; i++)
		v4[i].group = v6[i].group = 10 + i;
	/* spread prefers range 1, whose IPv6 half is soon empty; then both come from range 0 */
	for (unsigned i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "%u", i);
		w = test_want("net", id);
		test_choose(w, v4, 2);
		test_choose(w, v6, 2);
		assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
		assert_int_equal(g.range_index[0], g.range_index[1]);
		assert_int_equal(g.range_index[0], i < 2 ? 1 : 0);
		assert_int_equal(g.addresses[1].family, AF_INET6);
	}
	w = test_want("net", "more");
	test_choose(w, v4, 2);
	test_choose(w, v6, 2);
	assert_int_equal(test_lease(s, w, &g, &h), STORE_EXHAUSTED);
	/* without groups there would be one */
	for (unsigned i = 0; i < 2; i++)
		v4[i].group = v6[i].group = 0;
	assert_int_equal(test_lease(s, w, &g, &h), STORE_OK);
	finish(s);
}

static void cooling_addresses_wait(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.4");
	struct ip first, second, a;
	struct store_want *w;

	first = test_lease_ok(s, "net", "a", &r);
	second = test_lease_ok(s, "net", "b", &r);
	assert_int_equal(test_release(s, "net", "a", 100), STORE_OK);
	assert_int_equal(test_release(s, "net", "b", 50), STORE_OK);
	assert_usage(s, &r.span, 0, 2);
	assert_int_equal(count_records(s), 0);
	for (unsigned i = 0; i < 2; i++) {
		a = test_lease_ok(s, "net", i ? "d" : "c", &r);
		assert_false(ip_equal(&a, &first) || ip_equal(&a, &second));
	}
	/* nothing else: the one released first */
	a = test_lease_ok(s, "net", "e", &r);
	assert_true(ip_equal(&a, &first));
	assert_usage(s, &r.span, 3, 1);
	a = test_lease_ok(s, "net", "f", &r);
	assert_true(ip_equal(&a, &second));
	w = test_want("net", "g");
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_EXHAUSTED);
	assert_usage(s, &r.span, 4, 0);
	finish(s);
}

static void clear(struct store *s, unsigned want)
{
	static struct store_quarantine q;
	struct err e = { 0 };

	assert_int_equal(store_quarantine(s, &q, &e), 0);
	assert_int_equal(q.n, want);
	assert_int_equal(store_unquarantine(s, &q, &e), 0);
	test_verify(s);
}

static void quarantined_addresses_are_for_nobody(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.2");
	struct ip a = test_lease_ok(s, "net", "a", &r), b;
	struct store_want *w;
	struct store_grant g;
	char text[IP_TEXT];

	/* no cooldown, and yet not free: neither by choice nor by name */
	assert_int_equal(test_release(s, "net", "a", STORE_QUARANTINE), STORE_OK);
	test_verify(s);
	assert_usage(s, &r.span, 0, 1);
	b = test_lease_ok(s, "net", "b", &r);
	assert_false(ip_equal(&a, &b));
	w = test_want("net", "c");
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_QUARANTINED);
	w->choices[0] = (struct store_choice){ .address = a };
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_QUARANTINED);
	/* what an ADD would do with it is not refused */
	w->dry_run = true;
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	w->dry_run = false;
	/* another handle, another process: it is in the records */
	clear(s, 1);
	assert_usage(s, &r.span, 1, 0);
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_string_equal(ip_text(&g.addresses[0], text), ip_text(&a, (char[IP_TEXT]){ 0 }));
	/* with none in quarantine the pool is exhausted, and says so */
	w = test_want("net", "d");
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_EXHAUSTED);
	finish(s);
}

static void quarantine_does_not_end_the_cooldown(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.8");
	struct ip a = test_lease_ok(s, "net", "a", &r), b;

	assert_int_equal(test_release(s, "net", "a", 1000 | STORE_QUARANTINE), STORE_OK);
	clear(s, 1);
	assert_usage(s, &r.span, 0, 1);
	b = test_lease_ok(s, "net", "b", &r);
	assert_false(ip_equal(&a, &b));
	/* one in quarantine keeps none behind it that has cooled */
	assert_int_equal(test_release(s, "net", "b", STORE_QUARANTINE), STORE_OK);
	test_lease_ok(s, "net", "c", &r);
	assert_int_equal(test_release(s, "net", "c", 1), STORE_OK);
	sleep(2);
	test_lease_ok(s, "net", "d", &r);
	assert_usage(s, &r.span, 1, 2);
	finish(s);
}

/* A list ends the quarantine of what is on it, not of what was released since. */
static void quarantine_ends_by_release(void **state)
{
	const struct store_backend *backend = *state;
	struct store *s = fresh(state), *t = backend->again(backend->ctx);
	struct store_range r = test_range("10.0.0.1", "10.0.0.1");
	static struct store_quarantine old;
	struct store_grant g = { 0 };
	struct store_want *w;
	struct err e = { 0 };

	assert_non_null(t);
	test_lease_ok(s, "net", "a", &r);
	assert_int_equal(test_release(s, "net", "a", STORE_QUARANTINE), STORE_OK);
	assert_int_equal(store_quarantine(t, &old, &e), 0);
	assert_int_equal(old.n, 1);
	clear(s, 1);
	/* until the record has the place of the one on the list */
	for (unsigned i = 0; i < 1000 && g.id != old.records[0].id; i++) {
		if (i)
			assert_int_equal(test_release(s, "net", "b", 0), STORE_OK);
		w = test_want("net", "b");
		test_choose(w, &r, 1);
		assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	}
	assert_int_equal(g.id, old.records[0].id);
	assert_int_equal(test_release(s, "net", "b", STORE_QUARANTINE), STORE_OK);
	assert_int_equal(store_unquarantine(t, &old, &e), 0);
	w = test_want("net", "c");
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_QUARANTINED);
	clear(t, 1);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	store_close(t);
	finish(s);
}

/* More than one list holds: the oldest come first, and all of them come. */
static void quarantines_come_in_lists(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.7.255");
	static struct store_quarantine q;
	unsigned lists = 0, seen = 0;
	struct err e = { 0 };
	char id[16];

	for (unsigned i = 0; i < STORE_QUARANTINES + 100; i++) {
		snprintf(id, sizeof(id), "%u", i);
		test_lease_ok(s, "net", id, &r);
		assert_int_equal(test_release(s, "net", id, 100 | STORE_QUARANTINE), STORE_OK);
	}
	do {
		assert_int_equal(store_quarantine(s, &q, &e), 0);
		assert_int_equal(store_unquarantine(s, &q, &e), 0);
		seen += q.n;
		lists += q.n > 0;
	} while (q.n);
	assert_int_equal(seen, STORE_QUARANTINES + 100);
	assert_int_equal(lists, 2);
	finish(s);
}

static void cooling_ends(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.4");
	const struct timespec wait = { 1, 50000000 };

	test_lease_ok(s, "net", "a", &r);
	test_lease_ok(s, "net", "b", &r);
	assert_int_equal(test_release(s, "net", "a", 100), STORE_OK);
	assert_int_equal(test_release(s, "net", "b", 1), STORE_OK);
	assert_usage(s, &r.span, 0, 2);
	nanosleep(&wait, NULL);
	assert_usage(s, &r.span, 0, 1);
	finish(s);
}

static void static_address_may_cool(void **state)
{
	struct store *s = fresh(state);
	struct store_range r = test_range("10.0.0.1", "10.0.0.1");
	struct ip_span v6 = { test_ip("fd00::1"), test_ip("fd00::1") };
	struct store_want *w = test_want("net", "a");

	test_choose_ip(w, "10.0.0.1");
	test_choose_ip(w, "fd00::1");
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	assert_int_equal(test_release(s, "net", "a", 100), STORE_OK);
	w = test_want("net", "b");
	test_choose_ip(w, "10.0.0.1");
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	assert_usage(s, &r.span, 1, 0);
	assert_usage(s, &v6, 0, 1);
	assert_int_equal(test_release(s, "net", "b", 0), STORE_OK);
	assert_usage(s, &r.span, 0, 0);
	test_lease_ok(s, "net", "c", &r);
	finish(s);
}

static void large_subnet_fills_up(void **state)
{
	struct store *s = fresh(state);
	struct ip_span holes[] = { { test_ip("10.7.0.0"), test_ip("10.7.0.3") },
				   { test_ip("10.7.255.255"), test_ip("10.7.255.255") } };
	struct store_range r = test_range("10.7.0.0", "10.7.255.255");
	static uint8_t seen[65536];
	struct store_want *w;
	char id[16];

	punch(&r, holes, 2);
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 65536 - 5; i++) {
		struct ip a;

		snprintf(id, sizeof(id), "%u", i);
		a = test_lease_ok(s, "net", id, &r);
		assert_int_equal(seen[a.b[2] << 8 | a.b[3]]++, 0);
	}
	w = test_want("net", "more");
	test_choose(w, &r, 1);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_EXHAUSTED);
	assert_usage(s, &r.span, 65536 - 5, 0);
	assert_int_equal(count_records(s), 65536 - 5);
	assert_int_equal(test_release(s, "net", "4711", 0), STORE_OK);
	test_lease_ok(s, "net", "more", &r);
	finish(s);
}

static void ipv6_subnet(void **state)
{
	struct store *s = fresh(state);
	struct ip_span hole = { test_ip("fd00::"), test_ip("fd00::3") };
	struct store_range r = test_range("fd00::", "fd00::ffff:ffff:ffff:ffff");
	struct store_want *w;
	struct ip last = { 0 };
	char id[16];

	r.holes = &hole;
	r.n_holes = 1;
	r.capacity = UINT64_MAX - 4;
	w = test_want("net", "static");
	test_choose_ip(w, "fd00::ffff:0:0:1");
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	for (unsigned i = 0; i < 100; i++) {
		struct ip a;

		snprintf(id, sizeof(id), "%u", i);
		a = test_lease_ok(s, "net", id, &r);
		assert_false(span_contains(&hole, &a) || ip_equal(&a, &last));
		last = a;
	}
	assert_usage(s, &r.span, 101, 0);
	finish(s);
}

/* ---- ports ------------------------------------------------------------------------------------
 */

static void port_conflicts(void **state)
{
	static const char *const hosts[] = { NULL,       "0.0.0.0", "::",     "10.0.0.1",
					     "10.0.0.2", "fd00::1", "fd00::2" };
	static const char *const conflict[] = { "1111111", "1101100", "1010011", "1101000",
						"1100100", "1010010", "1010001" };
	struct store *s = fresh(state);

	for (unsigned i = 0; i < 7; i++) {
		struct store_want *w = test_want("net", "first");

		test_port(w, IPPROTO_TCP, 80, hosts[i]);
		assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
		for (unsigned j = 0; j < 7; j++) {
			struct store_holder h;
			int r;

			w = test_want("net", "second");
			test_port(w, IPPROTO_UDP, 80, NULL);
			test_port(w, IPPROTO_TCP, 80, hosts[j]);
			r = test_lease(s, w, NULL, &h);
			if (conflict[i][j] == '0') {
				assert_int_equal(r, STORE_OK);
				assert_int_equal(test_release(s, "net", "second", 0), STORE_OK);
				continue;
			}
			assert_int_equal(r, STORE_PORT_HELD);
			assert_int_equal(h.choice, 1);
			assert_string_equal(h.container_id, "first");
		}
		test_verify(s);
		assert_int_equal(test_release(s, "net", "first", 100), STORE_OK);
	}
	finish(s);
}

static void join_port(struct store *s, const char *network, int expected)
{
	static const bool joins[] = { true };
	struct store_want *w = test_want(network, "me");

	test_port(w, IPPROTO_TCP, 80, NULL);
	w->joins = joins;
	assert_int_equal(test_lease(s, w, NULL, NULL), expected);
	test_verify(s);
}

/* Records of one container share a port where they ask for it; another container gets it from the
 * last of them. */
static void ports_joined_by_one_container(void **state)
{
	const struct store_key key = { "front", "me", "eth0" };
	struct store *s = fresh(state);
	struct store_want *w = test_want("front", "me");
	struct store_record rec;
	uint64_t cursor = 0;
	struct err e;

	test_port(w, IPPROTO_TCP, 80, NULL);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	assert_int_equal(store_next_joint(s, &key, &cursor, &rec, &e), STORE_ABSENT);
	w = test_want("back", "me");
	test_port(w, IPPROTO_TCP, 80, NULL);
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_PORT_HELD);
	join_port(s, "back", STORE_OK);
	join_port(s, "third", STORE_OK);
	cursor = 0;
	assert_int_equal(store_next_joint(s, &key, &cursor, &rec, &e), STORE_OK);
	assert_string_equal(rec.key.network, "back");
	assert_int_equal(store_next_joint(s, &key, &cursor, &rec, &e), STORE_OK);
	assert_string_equal(rec.key.network, "third");
	assert_int_equal(store_next_joint(s, &key, &cursor, &rec, &e), STORE_ABSENT);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "front", "third", "back" };
		struct store_holder h;

		w = test_want("other", "you");
		test_port(w, IPPROTO_TCP, 80, "10.0.0.1");
		assert_int_equal(test_lease(s, w, NULL, &h), STORE_PORT_HELD);
		assert_string_equal(h.container_id, "me");
		assert_int_equal(test_release(s, names[i], "me", 0), STORE_OK);
		test_verify(s);
	}
	w = test_want("other", "you");
	test_port(w, IPPROTO_TCP, 80, "10.0.0.1");
	assert_int_equal(test_lease(s, w, NULL, NULL), STORE_OK);
	finish(s);
}

static void port_conflicts_within_one_want(void **state)
{
	struct store *s = fresh(state);
	struct store_want *w = test_want("net", "me");
	struct store_holder h;

	test_port(w, IPPROTO_TCP, 80, "10.0.0.1");
	test_port(w, IPPROTO_TCP, 80, "10.0.0.2");
	test_port(w, IPPROTO_TCP, 80, "0.0.0.0");
	assert_int_equal(test_lease(s, w, NULL, &h), STORE_PORT_HELD);
	assert_int_equal(h.choice, 2);
	assert_string_equal(h.container_id, "me");
	w->n_ports = 2;
	assert_int_equal(test_lease(s, w, NULL, &h), STORE_OK);
	finish(s);
}

static void dynamic_ports(void **state)
{
	struct store *s = fresh(state);
	struct store_want *w = test_want("net", "a");
	struct store_holder h;
	struct store_grant g;

	test_port(w, IPPROTO_TCP, 0, NULL);
	assert_int_equal(test_lease(s, w, NULL, &h), STORE_PORTS_EXHAUSTED);
	w->dynamic_first = 100;
	w->dynamic_last = 103;
	test_port(w, IPPROTO_TCP, 101, NULL);
	test_port(w, IPPROTO_TCP, 0, "10.0.0.1");
	test_port(w, IPPROTO_UDP, 0, NULL);
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_int_equal(g.n_ports, 4);
	assert_int_equal(g.ports[1], 101);
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(g.ports[i], 100, 103);
	assert_true(g.ports[0] != 101 && g.ports[2] != 101 && g.ports[0] != g.ports[2]);
	w = test_want("net", "b");
	w->dynamic_first = 100;
	w->dynamic_last = 103;
	test_port(w, IPPROTO_TCP, 0, NULL);
	test_port(w, IPPROTO_TCP, 0, NULL);
	assert_int_equal(test_lease(s, w, &g, &h), STORE_PORTS_EXHAUSTED);
	assert_int_equal(h.choice, 1);
	/* the one held on 10.0.0.1 only is free elsewhere */
	w->ports[0].host_ip = test_ip("10.0.0.2");
	w->ports[1].host_ip = test_ip("10.0.0.2");
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	assert_int_equal(test_release(s, "net", "b", 0), STORE_OK);
	assert_int_equal(test_release(s, "net", "a", 0), STORE_OK);
	w->n_ports = 1;
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	finish(s);
}

static void freed_dynamic_port_rests(void **state)
{
	struct store *s = fresh(state);
	uint16_t last = 0;

	for (unsigned i = 0; i < 20; i++) {
		struct store_want *w = test_want("net", "a");
		struct store_grant g;

		w->dynamic_first = 100;
		w->dynamic_last = 109;
		test_port(w, IPPROTO_UDP, 0, NULL);
		assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
		assert_int_not_equal(g.ports[0], last);
		last = g.ports[0];
		assert_int_equal(test_release(s, "net", "a", 0), STORE_OK);
	}
	finish(s);
}

/* ---- tags -------------------------------------------------------------------------------------
 */

static int compose_tags(void *ctx, const struct store_grant *grant, struct store_body *ret,
			struct err *e)
{
	const uint64_t *tags = ctx;

	(void)grant;
	(void)e;
	while (tags[ret->n_tags])
		ret->n_tags++;
	memcpy(ret->tags, tags, ret->n_tags * sizeof(*tags));
	return 0;
}

static void lease_tags(struct store *s, const char *id, uint64_t *tags)
{
	struct store_holder h;
	struct store_grant g;
	struct err e = { 0 };

	assert_int_equal(store_lease(s, test_want("net", id), compose_tags, tags, &g, &h, &e), 0);
}

struct told {
	uint64_t tags[STORE_TAGS];
	unsigned n;
};

static int remember_last(void *ctx, const uint64_t *tags, unsigned n, struct err *e)
{
	struct told *told = ctx;

	(void)e;
	memcpy(told->tags, tags, n * sizeof(*tags));
	told->n = n;
	return 0;
}

static int refuse_last(void *ctx, const uint64_t *tags, unsigned n, struct err *e)
{
	(void)tags;
	(void)n;
	++*(unsigned *)ctx;
	return err_set(e, ERR_KERNEL, EBUSY, "busy");
}

/* Release it, and of @want (0 at the end) it must be told, in this order. */
static void release_last(struct store *s, const char *id, uint32_t cooldown_s, const uint64_t *want)
{
	struct store_key key = { "net", id, "eth0" };
	struct told told = { .n = UINT32_MAX };
	struct err e = { 0 };
	unsigned i;

	assert_int_equal(store_release(s, &key, cooldown_s, remember_last, &told, &e), STORE_OK);
	for (i = 0; want[i]; i++)
		assert_true(i < told.n && told.tags[i] == want[i]);
	assert_int_equal(told.n, i);
}

static void assert_tag(struct store *s, uint64_t tag, unsigned count)
{
	struct err e = { 0 };
	uint64_t n;

	assert_int_equal(store_tag_count(s, tag, &n, &e), 0);
	assert_int_equal(n, count);
}

static void last_bearer_of_a_tag_is_told(void **state)
{
	struct store *s = fresh(state);
	uint64_t a[] = { 1, 2, 0x8000000000000003ULL, 0 }, b[] = { 2, 4, 2, 0 }, c[] = { 4, 0 };

	lease_tags(s, "a", a);
	lease_tags(s, "b", b);
	lease_tags(s, "c", c);
	assert_tag(s, 1, 1);
	assert_tag(s, 2, 2);
	assert_tag(s, 4, 2);
	assert_tag(s, 5, 0);
	test_verify(s);
	release_last(s, "a", 10, (uint64_t[]){ 1, 0x8000000000000003ULL, 0 });
	assert_tag(s, 2, 1);
	release_last(s, "b", 0, (uint64_t[]){ 2, 2, 0 }); /* a tag twice counts once */
	release_last(s, "c", 0, (uint64_t[]){ 4, 0 });
	assert_tag(s, 4, 0);
	finish(s);
}

/* What cannot be undone keeps its record, so that a later release comes back to it. */
static void what_last_cannot_undo_keeps_its_record(void **state)
{
	struct store *s = fresh(state);
	const struct store_key key = { "net", "a", "eth0" };
	struct store_record *record = calloc(1, sizeof(*record));
	uint64_t tags[] = { 1, 0 };
	unsigned calls = 0;
	struct err e;

	lease_tags(s, "a", tags);
	assert_int_equal(store_release(s, &key, 0, refuse_last, &calls, &e), -EBUSY);
	assert_int_equal(calls, 1);
	assert_string_equal(e.msg, "busy");
	assert_int_equal(store_get(s, &key, record, &e), STORE_OK);
	assert_int_equal(store_release(s, &key, 0, NULL, NULL, &e), STORE_OK);
	assert_int_equal(store_get(s, &key, record, &e), STORE_ABSENT);
	free(record);
	finish(s);
}

/* ---- against a model --------------------------------------------------------------------------
 */

#define MODEL_KEYS   300
#define MODEL_ROUNDS 6000

struct model {
	bool live[MODEL_KEYS];
	struct ip address[MODEL_KEYS][2];
	uint16_t port[MODEL_KEYS];
	uint64_t seed;
	unsigned n_live;
};

static unsigned draw(struct model *m, unsigned n)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(m->seed >> 33) % n;
}

static void model_lease(struct store *s, struct model *m, unsigned k, const struct store_range *r)
{
	char id[300];
	struct store_want *w;
	struct store_grant g;
	int out;

	snprintf(id, sizeof(id), "%u-%0*u", k, (int)(k % 200), 0);
	w = test_want("net", id);
	test_choose(w, &r[0], 1);
	test_choose(w, &r[1], 1);
	w->dynamic_first = 1000;
	w->dynamic_last = 1200;
	test_port(w, IPPROTO_TCP, 0, NULL);
	out = test_lease(s, w, &g, NULL);
	if (m->live[k]) {
		assert_int_equal(out, STORE_KEY_EXISTS);
		return;
	}
	if (out != STORE_OK) {
		assert_true(m->n_live >= 200);
		assert_int_equal(out, m->n_live >= 250 ? STORE_EXHAUSTED : STORE_PORTS_EXHAUSTED);
		return;
	}
	for (unsigned i = 0; i < MODEL_KEYS; i++) {
		if (!m->live[i])
			continue;
		assert_false(ip_equal(&m->address[i][0], &g.addresses[0]));
		assert_false(ip_equal(&m->address[i][1], &g.addresses[1]));
		assert_int_not_equal(m->port[i], g.ports[0]);
	}
	m->live[k] = true;
	m->n_live++;
	memcpy(m->address[k], g.addresses, sizeof(m->address[k]));
	m->port[k] = g.ports[0];
}

static void model_release(struct store *s, struct model *m, unsigned k)
{
	char id[300];

	snprintf(id, sizeof(id), "%u-%0*u", k, (int)(k % 200), 0);
	assert_int_equal(test_release(s, "net", id, draw(m, 2) * 100),
			 m->live[k] ? STORE_OK : STORE_ABSENT);
	m->n_live -= m->live[k];
	m->live[k] = false;
}

static void random_operations_follow_the_model(void **state)
{
	struct store *s = fresh(state);
	struct store_range r[2] = { test_range("10.0.0.1", "10.0.0.250"),
				    test_range("fd00::1", "fd00::1000") };
	static struct model m;
	static struct store_record rec;
	struct err e = { 0 };

	memset(&m, 0, sizeof(m));
	m.seed = 42;
	for (unsigned round = 0; round < MODEL_ROUNDS; round++) {
		unsigned k = draw(&m, MODEL_KEYS);

		/* waves: now filling, now emptying */
		if (draw(&m, 10) < (round / 1000 % 2 ? 3u : 7u))
			model_lease(s, &m, k, r);
		else
			model_release(s, &m, k);
		if (round % 200 == 0)
			test_verify(s);
	}
	assert_int_equal(count_records(s), m.n_live);
	for (unsigned k = 0; k < MODEL_KEYS; k++)
		if (m.live[k]) {
			assert_int_equal(store_find(s, &m.address[k][1], &rec, &e), STORE_OK);
			assert_int_equal(rec.ports[0].port, m.port[k]);
		}
	finish(s);
}

/* ---- addresses that nobody had -----------------------------------------------------------------
 */

static bool is_settled(struct store *s, const char *id)
{
	const struct store_key key = { "net", id, "eth0" };
	static struct store_record rec;
	struct err e = { 0 };

	assert_int_equal(store_get(s, &key, &rec, &e), STORE_OK);
	return rec.settled;
}

static void a_record_is_settled_once_it_is_said(void **state)
{
	const struct store_key key = { "net", "a", "eth0" }, other = { "net", "b", "eth0" };
	struct store_range r = test_range("10.0.0.1", "10.0.0.9");
	struct store *s = fresh(state);
	struct err e = { 0 };

	test_lease_ok(s, "net", "a", &r);
	assert_false(is_settled(s, "a"));
	assert_int_equal(store_settle(s, &other, &e), STORE_ABSENT);
	assert_int_equal(store_settle(s, &key, &e), STORE_OK);
	assert_true(is_settled(s, "a"));
	test_verify(s);
	assert_int_equal(test_release(s, "net", "a", 100), STORE_OK);
	test_verify(s);
	assert_int_equal(store_settle(s, &key, &e), STORE_ABSENT);
	test_lease_ok(s, "net", "a", &r);
	assert_false(is_settled(s, "a"));
	finish(s);
}

static bool never_held(struct store *s, const char *id, const char *v4, const char *v6,
		       bool dry_run)
{
	struct store_want *w = test_want("net", id);
	struct store_grant g;

	if (v4)
		test_choose_ip(w, v4);
	if (v6)
		test_choose_ip(w, v6);
	w->dry_run = dry_run;
	assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
	return g.never_held;
}

static void an_address_is_new_once(void **state)
{
	struct store *s = fresh(state);

	assert_true(never_held(s, "a", "10.0.0.1", NULL, false));
	assert_int_equal(test_release(s, "net", "a", 0), STORE_OK);
	assert_false(never_held(s, "b", "10.0.0.1", NULL, false));
	assert_true(never_held(s, "c", "10.0.0.2", NULL, true));
	assert_true(never_held(s, "c", "10.0.0.2", NULL, false)); /* a dry run holds nothing */
	assert_true(never_held(s, "d", "255.255.255.255", NULL, false));
	assert_true(never_held(s, "e", "0.0.0.0", NULL, false));
	assert_int_equal(test_release(s, "net", "e", 100), STORE_OK);
	assert_false(never_held(s, "f", "0.0.0.0", NULL, false));
	finish(s);
}

static void of_ipv6_nobody_is_certain(void **state)
{
	struct store *s = fresh(state);

	assert_false(never_held(s, "a", NULL, "fd00::1", false));
	assert_false(never_held(s, "b", "10.0.0.1", "fd00::2", false));
	assert_true(never_held(s, "c", "10.0.0.9", NULL, false));
	finish(s);
}

/* Whatever is held, from one subnet or from anywhere: no address is called new a second time. */
static void no_address_is_new_twice(void **state)
{
	static uint8_t held[1 << 16];
	struct store *s = fresh(state);
	struct model m = { .seed = 7 };
	unsigned news = 0;

	memset(held, 0, sizeof(held));
	for (unsigned round = 0; round < 4000; round++) {
		unsigned n = draw(&m, 4) ? draw(&m, 600) : draw(&m, sizeof(held));
		char text[32];

		snprintf(text, sizeof(text), "10.%u.%u.%u", n % 3, n >> 8, n & 255);
		if (never_held(s, "a", text, NULL, false)) {
			assert_false(held[n]);
			news++;
		}
		held[n] = 1;
		assert_int_equal(test_release(s, "net", "a", 0), STORE_OK);
	}
	assert_true(news >= 16);
	finish(s);
}

static void a_subnet_in_order_is_new_to_the_end(void **state)
{
	struct store_range r[] = { test_range("10.1.0.1", "10.1.3.254"),
				   test_range("10.2.0.1", "10.2.3.254") };
	struct store *s = fresh(state);
	char id[16];

	for (unsigned i = 0; i < 1000; i++) {
		struct store_want *w;
		struct store_grant g;

		snprintf(id, sizeof(id), "%u", i);
		w = test_want(i % 2 ? "odd" : "even", id);
		test_choose(w, &r[i % 2], 1);
		assert_int_equal(test_lease(s, w, &g, NULL), STORE_OK);
		assert_true(g.never_held);
	}
	finish(s);
}

/* ---- the suite --------------------------------------------------------------------------------
 */

#define TEST(f)                                                                                    \
	{                                                                                          \
#f, f, NULL, NULL, NULL                                                            \
	}

int store_conformance(const struct store_backend *backend)
{
	struct CMUnitTest tests[] = {
		TEST(record_appears_and_vanishes),
		TEST(key_is_all_three_names),
		TEST(refused_compose_leases_nothing),
		TEST(dry_run_changes_nothing),
		TEST(largest_record_comes_back_whole),
		TEST(walk_sees_each_record_once),
		TEST(handles_see_each_other),
		TEST(bad_wants_are_errors),
		TEST(static_address_has_one_holder),
		TEST(holes_are_never_given),
		TEST(placement_ranks_alternatives),
		TEST(spread_balances),
		TEST(group_binds_later_choices),
		TEST(cooling_addresses_wait),
		TEST(cooling_ends),
		TEST(quarantined_addresses_are_for_nobody),
		TEST(quarantine_does_not_end_the_cooldown),
		TEST(quarantine_ends_by_release),
		TEST(quarantines_come_in_lists),
		TEST(static_address_may_cool),
		TEST(a_record_is_settled_once_it_is_said),
		TEST(an_address_is_new_once),
		TEST(of_ipv6_nobody_is_certain),
		TEST(no_address_is_new_twice),
		TEST(a_subnet_in_order_is_new_to_the_end),
		TEST(large_subnet_fills_up),
		TEST(ipv6_subnet),
		TEST(port_conflicts),
		TEST(ports_joined_by_one_container),
		TEST(port_conflicts_within_one_want),
		TEST(dynamic_ports),
		TEST(freed_dynamic_port_rests),
		TEST(last_bearer_of_a_tag_is_told),
		TEST(what_last_cannot_undo_keeps_its_record),
		TEST(random_operations_follow_the_model),
	};
	struct store_backend own = *backend;

	for (unsigned i = 0; i < ARRAY_SIZE(tests); i++)
		tests[i].initial_state = &own;
	return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
