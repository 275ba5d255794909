/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases over the real store: placement, static addresses, reclaiming the dead, and the words. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipam/lease.h"

struct fixture {
	char dir[32];
	struct store *store;
	struct pool pool;
	struct attachment a;
	struct lease_wish wish;
	struct err e;

	const char *dead;  /* containers whose id starts with this are dead; NULL: none */
	const char *given; /* an address that the attachment has before its lease; NULL: none */
	unsigned hosts;    /* so many addresses of a /24 may not be given; 0: all may */
	int reclaim_rc;    /* < 0: what reclaiming gives instead */
	unsigned n_reclaimed, n_asked;
	char *body;
};

static int compose(void *ctx, struct attachment *a, const struct store_grant *grant,
		   struct store_body *ret, struct err *e)
{
	struct fixture *f = ctx;

	(void)grant;
	free(f->body);
	f->body = NULL;
	ret->schema = ATTACHMENT_SCHEMA;
	if (attachment_encode(a, &f->body, &ret->len, e))
		return -EINVAL;
	ret->text = f->body;
	return 0;
}

static int reclaim(void *ctx, const struct store_holder *h, struct err *e)
{
	struct store_key key = { h->network, h->container_id, h->ifname };
	struct fixture *f = ctx;

	f->n_asked++;
	if (!f->dead || strncmp(h->container_id, f->dead, strlen(f->dead)))
		return 0;
	if (f->reclaim_rc)
		return err_set(e, ERR_KERNEL, -f->reclaim_rc, "the kernel does not let go");
	f->n_reclaimed++;
	assert_int_equal(store_release(f->store, &key, 0, NULL, NULL, e), STORE_OK);
	return 1;
}

/* The first so many addresses of 10.0.1.0/24 are the host's. */
static int judge(void *ctx, const struct ip *address, struct err *e)
{
	const struct fixture *f = ctx;

	if (address->b[3] >= f->hosts)
		return 0;
	err_set(e, ERR_ADDRESS, EADDRINUSE, "it is the host's");
	return 1;
}

/* Another pool over the same store. */
static void use_pool(struct fixture *f, const char *ipam)
{
	cleanup_json json *j = NULL;

	pool_free(&f->pool);
	if (json_parse(ipam, strlen(ipam), "test", &j, &f->e) ||
	    pool_read(j, NULL, RESERVE_MINIMAL, &f->pool, &f->e))
		fail_msg("%s: %s", ipam, f->e.msg);
}

static int take(struct fixture *f, const char *container)
{
	const struct lease_calls calls = {
		.compose = compose, .judge = f->hosts ? judge : NULL, .reclaim = reclaim, .ctx = f
	};

	memset(&f->a, 0, sizeof(f->a));
	strcpy(f->a.network, "net");
	strcpy(f->a.ifname, "eth0");
	strcpy(f->a.mode, "test");
	snprintf(f->a.container_id, sizeof(f->a.container_id), "%s", container);
	f->a.n_ports = f->wish.n_ports;
	if (f->given)
		f->a.n_addresses = cidr_parse(f->given, &f->a.addresses[0].cidr);
	return lease_take(f->store, &f->pool, &f->wish, &f->a, &calls, &f->e);
}

static void must_take(struct fixture *f, const char *container)
{
	if (take(f, container))
		fail_msg("%s: %s (%s)", container, f->e.msg, f->e.details);
}

static void drop(struct fixture *f, const char *container, uint32_t cooldown_s)
{
	struct store_key key = { "net", container, "eth0" };

	assert_int_equal(store_release(f->store, &key, cooldown_s, NULL, NULL, &f->e), STORE_OK);
}

static void want(struct fixture *f, unsigned i, const char *address)
{
	struct cidr *c = &f->wish.statics[i];

	memset(c, 0, sizeof(*c));
	if (!cidr_parse(address, c))
		assert_true(ip_parse(address, &c->ip));
	f->wish.n_statics = i + 1;
	f->wish.sources[i] = "CNI_ARGS IP";
}

static void has(const struct fixture *f, unsigned i, const char *cidr)
{
	char text[IP_TEXT];

	assert_true(i < f->a.n_addresses);
	assert_string_equal(cidr_text(&f->a.addresses[i].cidr, text), cidr);
}

static void says(const struct fixture *f, int code, const char *words)
{
	assert_int_equal(f->e.code, code);
	if (!strstr(f->e.msg, words))
		fail_msg("\"%s\" lacks \"%s\"", f->e.msg, words);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char warn[256];

	strcpy(f->dir, "/tmp/test-lease-XXXXXX");
	*state = f;
	return mkdtemp(f->dir)
		       ? store_open(f->dir, STORE_CREATE, &f->store, warn, sizeof(warn), &f->e)
		       : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	DIR *d = opendir(f->dir);
	const struct dirent *entry;
	struct err e;
	int rc = store_verify(f->store, &e);

	store_close(f->store);
	while ((entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(f->dir);
	pool_free(&f->pool);
	free(f->body);
	free(f);
	return rc;
}

/* What is judged not to be given is passed over, and refused where it is asked for. */
static void avoids_what_is_judged(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\",\"rangeEnd\":\"10.0.1.40\"}]]}");
	f->hosts = 40;
	must_take(f, "c1");
	has(f, 0, "10.0.1.40/24");
	assert_int_equal(take(f, "c2"), -EADDRNOTAVAIL);
	says(f, ERR_EXHAUSTED, "exhausted");
	want(f, 0, "10.0.1.20");
	assert_int_equal(take(f, "c2"), -EADDRINUSE);
	says(f, ERR_ADDRESS, "CNI_ARGS IP: it is the host's");
	f->hosts = 0;
	must_take(f, "c2");
	has(f, 0, "10.0.1.20/24");
}

/* More of them than a range has room for holes: an error, and no end without one. */
static void avoids_no_more_than_it_can(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.0.0/16\",\"rangeStart\":\"10.0.0.2\"}]]}");
	f->hosts = 256;
	assert_int_equal(take(f, "c1"), -EADDRNOTAVAIL);
	says(f, ERR_EXHAUSTED, "are this host's own");
}

static void fills_the_attachment(void **state)
{
	struct fixture *f = *state;
	struct store_key key = { "net", "c1", "eth0" };
	struct store_record *r = malloc(sizeof(*r));
	struct attachment *b = malloc(sizeof(*b));
	char text[IP_TEXT];

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\",\"id\":\"a\",\"az\":\"az1\"}],"
		    "[{\"subnet\":\"fd00::/64\",\"gateway\":\"fd00::9\"}]],"
		    "\"routes\":[{\"dst\":\"10.9.0.0/16\"},{\"dst\":\"10.8.0.0/16\",\"scope\":253},"
		    "{\"dst\":\"10.7.0.0/16\",\"gw\":\"10.0.1.77\"}]}");
	must_take(f, "c1");
	has(f, 0, "10.0.1.2/24");
	assert_int_equal(f->a.n_addresses, 2);
	assert_int_equal(f->a.addresses[1].cidr.len, 64);
	assert_string_equal(f->a.addresses[0].subnet_id, "a");
	assert_string_equal(f->a.addresses[0].az, "az1");
	assert_string_equal(ip_text(&f->a.addresses[0].gateway, text), "10.0.1.1");
	/* `routes` names IPv4, so only IPv6 gets a default route. */
	assert_int_equal(f->a.n_routes, 4);
	assert_string_equal(ip_text(&f->a.routes[0].gw, text), "10.0.1.1");
	assert_false(ip_is_set(&f->a.routes[1].gw));
	assert_string_equal(ip_text(&f->a.routes[2].gw, text), "10.0.1.77");
	assert_string_equal(cidr_text(&f->a.routes[3].dst, text), "::/0");
	assert_string_equal(ip_text(&f->a.routes[3].gw, text), "fd00::9");
	assert_true(f->a.created > 1600000000);
	assert_int_equal(store_get(f->store, &key, r, &f->e), STORE_OK);
	assert_int_equal(attachment_decode(r->text, r->len, r->schema, b, &f->e), 0);
	assert_int_equal(b->n_routes, 4);
	free(r);
	free(b);
}

static void gives_default_routes(void **state)
{
	struct fixture *f = *state;
	char text[IP_TEXT];

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}]]}");
	must_take(f, "c1");
	assert_int_equal(f->a.n_routes, 1);
	assert_string_equal(cidr_text(&f->a.routes[0].dst, text), "0.0.0.0/0");
	use_pool(f, "{}");
	must_take(f, "c2");
	assert_int_equal(f->a.n_routes + f->a.n_addresses, 0);
}

static void refuses_a_held_key(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}]]}");
	must_take(f, "c1");
	assert_int_equal(take(f, "c1"), -EEXIST);
	says(f, ERR_EXISTS, "container c1 has interface eth0 of network net since 20");
}

static void gives_static_addresses(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}],[{\"subnet\":\"fd00::/64\"}]]}");
	want(f, 0, "10.0.1.77");
	must_take(f, "c1");
	has(f, 0, "10.0.1.77/24");
	assert_int_equal(f->a.n_addresses, 2);
	want(f, 0, "fd00::77/64");
	want(f, 1, "10.0.1.78/24");
	must_take(f, "c2");
	has(f, 0, "10.0.1.78/24");
	has(f, 1, "fd00::77/64");
}

static void refuses_static_addresses_in_words(void **state)
{
	static const struct {
		const char *address;
		int code;
		const char *words;
	} rows[] = {
		{ "10.9.0.1", ERR_ADDRESS, "CNI_ARGS IP: 10.9.0.1 is outside every subnet" },
		{ "10.0.1.1", ERR_ADDRESS,
		  "CNI_ARGS IP: 10.0.1.1 is reserved in subnet 10.0.1.0/24: the gateway" },
		{ "10.0.1.0", ERR_ADDRESS, "the network address" },
		{ "10.0.1.255", ERR_ADDRESS, "the broadcast address" },
		{ "10.0.1.129", ERR_ADDRESS, "is excluded by \"10.0.1.128/25\"" },
		{ "10.0.1.5/16", ERR_CONFIG,
		  "10.0.1.5/16 has the prefix length 16, its subnet 10.0.1.0/24 has 24" },
		{ "10.0.1.9", ERR_ADDRESS,
		  "CNI_ARGS IP: 10.0.1.9 is held by container holder (network net, interface eth0, "
		  "since 20" },
	};
	struct fixture *f = *state;

	use_pool(f,
		 "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\",\"exclude\":[\"10.0.1.128/25\"]}]]}");
	want(f, 0, "10.0.1.9");
	must_take(f, "holder");
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		want(f, 0, rows[i].address);
		assert_true(take(f, "c1") < 0);
		says(f, rows[i].code, rows[i].words);
	}
	want(f, 0, "10.0.1.20");
	want(f, 1, "10.0.1.21");
	assert_int_equal(take(f, "c1"), -EINVAL);
	says(f, ERR_ADDRESS, "10.0.1.20 and 10.0.1.21 are both of set 0");
	f->wish.n_statics = 0;
	must_take(f, "c1");
	has(f, 0, "10.0.1.2/24");
}

static void keeps_one_subnet_id(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"placement\":\"first\",\"ranges\":["
		    "[{\"subnet\":\"10.0.1.0/24\",\"id\":\"a\"},{\"subnet\":\"10.0.2.0/"
		    "24\",\"id\":\"b\"}],"
		    "[{\"subnet\":\"fd00:a::/64\",\"id\":\"a\"},{\"subnet\":\"fd00:b::/"
		    "64\",\"id\":\"b\"}]]}");
	must_take(f, "c0");
	assert_string_equal(f->a.addresses[0].subnet_id, "a");
	assert_string_equal(f->a.addresses[1].subnet_id, "a");
	want(f, 0, "10.0.2.9");
	must_take(f, "c1");
	assert_string_equal(f->a.addresses[1].subnet_id, "b");
	want(f, 0, "fd00:b::77");
	must_take(f, "c2");
	assert_string_equal(f->a.addresses[0].subnet_id, "b");
	has(f, 1, "fd00:b::77/64");
	want(f, 0, "10.0.1.50");
	want(f, 1, "fd00:b::50");
	assert_int_equal(take(f, "c3"), -EINVAL);
	says(f, ERR_ADDRESS, "different subnets");
}

static void places(void **state)
{
	struct fixture *f = *state;
	const char *two =
		"\"ranges\":[[{\"subnet\":\"10.0.1.0/29\"},{\"subnet\":\"10.0.2.0/28\"}]]";
	char ipam[200];

	snprintf(ipam, sizeof(ipam), "{\"placement\":\"spread\",%s}", two);
	use_pool(f, ipam);
	must_take(f, "c1");
	has(f, 0, "10.0.2.2/28");
	snprintf(ipam, sizeof(ipam), "{\"placement\":\"pack\",%s}", two);
	use_pool(f, ipam);
	must_take(f, "c2");
	has(f, 0, "10.0.1.2/29");
}

static void exhausts_in_words(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/30\",\"id\":\"subnet-a\"},"
		    "{\"subnet\":\"10.0.2.0/30\"}]]}");
	assert_int_equal(lease_status(NULL, &f->pool, &f->e), 0);
	assert_int_equal(lease_status(f->store, &f->pool, &f->e), 0);
	must_take(f, "c1");
	must_take(f, "c2");
	assert_int_equal(take(f, "c3"), -EADDRNOTAVAIL);
	says(f, ERR_EXHAUSTED, "the pool of network net is exhausted");
	assert_string_equal(f->e.details,
			    "subnet-a 10.0.1.0/30: 1 addresses, 1 used, 3 reserved, "
			    "0 cooling\n"
			    "10.0.2.0/30: 1 addresses, 1 used, 3 reserved, 0 cooling");
	assert_int_equal(lease_status(f->store, &f->pool, &f->e), 1);
	says(f, ERR_UNAVAILABLE, "the pool is exhausted");
	assert_non_null(strstr(f->e.details, "subnet-a 10.0.1.0/30"));
	/* Cooling does not starve a pool that has nothing else. */
	drop(f, "c1", 3600);
	assert_int_equal(lease_status(f->store, &f->pool, &f->e), 0);
	must_take(f, "c3");
	has(f, 0, "10.0.1.2/30");
}

/* What was given before it was excluded takes no room from the rest. */
static void counts_no_held_hole(void **state)
{
	struct fixture *f = *state;
	struct store_usage usage;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/29\"}]]}"); /* .2 to .6 */
	for (const char *const *c = (const char *const[]){ "c1", "c2", "c3", "c4", NULL }; *c; c++)
		must_take(f, *c);
	drop(f, "c4", 3600);
	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/29\",\"exclude\":[\"10.0.1.2\"]}]]}");
	assert_int_equal(lease_count(f->store, &f->pool.sets[0].ranges[0], &usage, &f->e), 0);
	assert_int_equal(usage.used, 2);
	assert_int_equal(usage.cooling, 1);
	must_take(f, "c5");
	assert_int_equal(lease_status(f->store, &f->pool, &f->e), 0);
	must_take(f, "c6");
	assert_int_equal(lease_status(f->store, &f->pool, &f->e), 1);
}

static void reclaims_a_dead_holder(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}]]}");
	want(f, 0, "10.0.1.9");
	must_take(f, "dead-1");
	f->wish.dry_run = true;
	f->dead = "dead";
	assert_int_equal(take(f, "c1"), -EADDRINUSE);
	assert_int_equal(f->n_asked, 0);
	f->wish.dry_run = false;
	must_take(f, "c1");
	has(f, 0, "10.0.1.9/24");
	assert_int_equal(f->n_reclaimed, 1);
	/* One that lives is asked for once. */
	assert_int_equal(take(f, "c2"), -EADDRINUSE);
	assert_int_equal(f->n_asked, 2);
}

static void sweeps_an_exhausted_pool(void **state)
{
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.2.0/30\"}]]}");
	must_take(f, "dead-elsewhere");
	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/29\"}]]}");
	must_take(f, "live-1");
	must_take(f, "dead-1");
	must_take(f, "live-2");
	must_take(f, "dead-2");
	must_take(f, "dead-3");
	f->dead = "dead";
	f->reclaim_rc = -EBUSY;
	assert_int_equal(take(f, "c1"), -EBUSY);
	says(f, ERR_KERNEL, "does not let go");
	f->reclaim_rc = 0;
	f->n_asked = 0;
	must_take(f, "c1");
	assert_int_equal(f->n_asked, 5);
	assert_int_equal(f->n_reclaimed, 3);
	must_take(f, "c2");
	must_take(f, "c3");
	f->n_asked = 0;
	assert_int_equal(take(f, "c4"), -EADDRNOTAVAIL);
	assert_int_equal(f->n_asked, 5);
}

static void judges_status_by_id(void **state)
{
	struct fixture *f = *state;

	/* a has no IPv6 left, b no IPv4: no attachment can be served although each set has room. */
	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/30\"}]]}");
	must_take(f, "c1");
	use_pool(f, "{\"ranges\":[[{\"subnet\":\"fd00:b::/126\",\"exclude\":\"fd00:b::3\"}]]}");
	must_take(f, "c2");
	use_pool(f, "{\"ranges\":["
		    "[{\"subnet\":\"10.0.1.0/30\",\"id\":\"a\"},{\"subnet\":\"10.0.2.0/"
		    "30\",\"id\":\"b\"}],"
		    "[{\"subnet\":\"fd00:a::/64\",\"id\":\"a\"},"
		    "{\"subnet\":\"fd00:b::/126\",\"exclude\":\"fd00:b::3\",\"id\":\"b\"}]]}");
	assert_int_equal(lease_status(f->store, &f->pool, &f->e), 1);
	says(f, ERR_UNAVAILABLE, "exhausted");
	use_pool(f, "{}");
	assert_int_equal(lease_status(f->store, &f->pool, &f->e), 0);
}

static void leases_ports(void **state)
{
	struct store_port ports[] = { { 8080, 6, { 0 } }, { 0, 17, { 0 } } };
	struct fixture *f = *state;

	use_pool(f, "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}]]}");
	f->wish.ports = ports;
	f->wish.n_ports = 2;
	f->wish.dynamic_first = f->wish.dynamic_last = 61000;
	must_take(f, "dead-1");
	assert_int_equal(f->a.ports[0].host_port, 8080);
	assert_int_equal(f->a.ports[1].host_port, 61000);
	assert_int_equal(take(f, "c1"), -EADDRINUSE);
	says(f, ERR_PORT, "host port 8080/tcp is held by container dead-1 (network net");
	ports[0].port = 8081;
	assert_int_equal(take(f, "c1"), -EADDRINUSE);
	says(f, ERR_PORT, "no free udp port is left in 61000-61000");
	f->dead = "dead";
	must_take(f, "c1");
	assert_int_equal(f->n_reclaimed, 1);
}

/* A foreign pool's addresses stay; the ports beside them are ours, and so are the words. */
static void leases_ports_of_a_delegated_attachment(void **state)
{
	struct store_port ports[] = { { 8080, 6, { 0 } } };
	struct fixture *f = *state;

	f->wish.delegated = true;
	f->wish.ports = ports;
	f->wish.n_ports = 1;
	f->given = "10.9.0.4/24";
	must_take(f, "dead-1");
	assert_int_equal(f->a.n_addresses, 1);
	assert_int_equal(f->a.ports[0].host_port, 8080);
	assert_int_equal(take(f, "dead-1"), -EEXIST);
	says(f, ERR_EXISTS, "container dead-1 has interface eth0 of network net since");
	assert_int_equal(take(f, "c1"), -EADDRINUSE);
	says(f, ERR_PORT, "host port 8080/tcp is held by container dead-1 (network net");
	assert_true(ip_parse("127.0.0.1", &ports[0].host_ip));
	assert_int_equal(take(f, "c1"), -EADDRINUSE);
	says(f, ERR_PORT, "host port 127.0.0.1:8080/tcp is held by container dead-1");
	ports[0].port = 0;
	assert_int_equal(take(f, "c1"), -EADDRINUSE);
	says(f, ERR_PORT, "there is no range of dynamic host ports");
	ports[0].port = 8080;
	f->dead = "dead";
	must_take(f, "c1");
	assert_int_equal(f->n_reclaimed, 1);
}

#define lease_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		lease_test(fills_the_attachment),
		lease_test(avoids_what_is_judged),
		lease_test(avoids_no_more_than_it_can),
		lease_test(gives_default_routes),
		lease_test(refuses_a_held_key),
		lease_test(gives_static_addresses),
		lease_test(refuses_static_addresses_in_words),
		lease_test(keeps_one_subnet_id),
		lease_test(places),
		lease_test(exhausts_in_words),
		lease_test(counts_no_held_hole),
		lease_test(reclaims_a_dead_holder),
		lease_test(sweeps_an_exhausted_pool),
		lease_test(judges_status_by_id),
		lease_test(leases_ports),
		lease_test(leases_ports_of_a_delegated_attachment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
