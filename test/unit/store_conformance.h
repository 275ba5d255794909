/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proof of include/store/store.h: a suite that knows the contract and nothing else, to be run
 * over every backend.
 */
#ifndef TEST_STORE_CONFORMANCE_H
#define TEST_STORE_CONFORMANCE_H

#include "store/store.h"

struct store_backend {
	const char *name;
	/* A store that is empty, open for writing. NULL: the suite fails. */
	struct store *(*fresh)(void *ctx);
	/* One more handle of the store that fresh() gave last. */
	struct store *(*again)(void *ctx);
	void *ctx;
};

/* store_conformance: Return: the number of tests that failed. */
int store_conformance(const struct store_backend *backend);

/* What other tests of the store need too. All of it fails the running test when it cannot. */
struct ip test_ip(const char *text);
struct store_range test_range(const char *first, const char *last);
/* test_want: a want of key (network, id, "eth0") and no more. Static memory: one at a time. */
struct store_want *test_want(const char *network, const char *id);
struct store_choice *test_choose(struct store_want *w, const struct store_range *ranges,
				 unsigned n);
struct store_choice *test_choose_ip(struct store_want *w, const char *address);
void test_port(struct store_want *w, int protocol, unsigned port, const char *host_ip);
/* test_lease: lease with a body that is the id. Return: the outcome. */
int test_lease(struct store *s, const struct store_want *w, struct store_grant *grant,
	       struct store_holder *holder);
/* test_lease_ok: one address of @range for (network, id). Return: it. */
struct ip test_lease_ok(struct store *s, const char *network, const char *id,
			const struct store_range *range);
int test_release(struct store *s, const char *network, const char *id, uint32_t cooldown_s);
void test_verify(struct store *s);

#endif
