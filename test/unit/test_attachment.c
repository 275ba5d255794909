/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record: whatever is encoded decodes to the same, and foreign records are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "task/attachment.h"

enum {
	ROUNDS = 400
};

/* A generator of our own: the same records in each run. */
static uint32_t below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % n;
}

static void random_text(uint64_t *seed, char *buf, size_t size)
{
	static const char chars[] = "abcXYZ019-_.\"\\/ ";
	size_t n = below(seed, size > 40 ? 40 : (uint32_t)size);

	for (size_t i = 0; i < n; i++)
		buf[i] = chars[below(seed, sizeof(chars) - 1)];
	buf[n] = '\0';
}

static struct ip random_ip(uint64_t *seed)
{
	struct ip ip = { 0 };
	unsigned kind = below(seed, 3);

	if (kind == 0)
		return ip;
	ip.family = kind == 1 ? AF_INET : AF_INET6;
	for (unsigned i = 0; i < (kind == 1 ? 4 : 16); i++)
		ip.b[i] = (uint8_t)below(seed, 256);
	return ip;
}

static struct cidr random_cidr(uint64_t *seed)
{
	struct cidr c = { 0 };

	while (!ip_is_set(&c.ip))
		c.ip = random_ip(seed);
	c.len = (uint8_t)below(seed, ip_bits(&c.ip) + 1);
	return c;
}

static struct mac random_mac(uint64_t *seed)
{
	struct mac m = { { 2, 0, 0, 0, 0, (uint8_t)below(seed, 256) } };

	return m;
}

static void random_lists(uint64_t *seed, struct attachment *a)
{
	a->n_addresses = below(seed, STORE_ADDRESSES + 1);
	a->new_addresses = below(seed, 2);
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct address *d = &a->addresses[i];

		d->cidr = random_cidr(seed);
		d->gateway = random_ip(seed);
		random_text(seed, d->subnet_id, sizeof(d->subnet_id));
		random_text(seed, d->az, sizeof(d->az));
	}
	a->n_routes = below(seed, 20);
	for (unsigned i = 0; i < a->n_routes; i++) {
		struct route *r = &a->routes[i];

		r->dst = random_cidr(seed);
		r->gw = random_ip(seed);
		r->mtu = below(seed, 2) * 1400;
		r->table = below(seed, UINT32_MAX);
		r->has_scope = below(seed, 2);
		r->scope = r->has_scope ? 253 : 0;
	}
	a->n_ports = below(seed, STORE_PORTS + 1);
	for (unsigned i = 0; i < a->n_ports; i++) {
		struct port *p = &a->ports[i];

		p->host_port = below(seed, 65536);
		p->container_port = below(seed, 65536);
		p->protocol = below(seed, 2) ? 6 : 17;
		p->host_ip = random_ip(seed);
	}
}

static void random_attachment(uint64_t *seed, struct attachment *a)
{
	memset(a, 0, sizeof(*a));
	random_text(seed, a->network, sizeof(a->network));
	random_text(seed, a->container_id, sizeof(a->container_id));
	random_text(seed, a->ifname, sizeof(a->ifname));
	random_text(seed, a->netns, sizeof(a->netns));
	random_text(seed, a->host_ifname, sizeof(a->host_ifname));
	random_text(seed, a->master, sizeof(a->master));
	random_text(seed, a->owner.pod_namespace, sizeof(a->owner.pod_namespace));
	random_text(seed, a->owner.pod_name, sizeof(a->owner.pod_name));
	random_text(seed, a->owner.hostname, sizeof(a->owner.hostname));
	memcpy(a->mode, "m", 2);
	/* Keys of a record are never empty. */
	a->network[0] = a->container_id[0] = a->ifname[0] = 'k';
	a->created = (int64_t)below(seed, UINT32_MAX);
	a->netns_cookie = *seed;
	a->netns_created = below(seed, 2);
	a->mac = random_mac(seed);
	a->mtu = below(seed, 65536);
	a->macvlan_mode = below(seed, 4);
	a->host_access = below(seed, 2);
	a->host_ips[0] = random_ip(seed);
	a->host_ips[1] = random_ip(seed);
	a->n_vpc = below(seed, ATTACHMENT_CIDRS + 1);
	for (unsigned i = 0; i < a->n_vpc; i++) {
		a->vpc[i] = random_cidr(seed);
		a->vpc[i].ip = cidr_first(&a->vpc[i]);
	}
	random_lists(seed, a);
}

static void decodes_what_it_encodes(void **state)
{
	struct attachment *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));
	uint64_t seed = 42;
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		cleanup_free char *one = NULL, *two = NULL;
		size_t len, len_two;

		random_attachment(&seed, a);
		if (attachment_encode(a, &one, &len, &e))
			fail_msg("round %d: %s", i, e.msg);
		if (attachment_decode(one, len, ATTACHMENT_SCHEMA, b, &e))
			fail_msg("round %d: %s\n%s", i, e.msg, one);
		assert_int_equal(attachment_encode(b, &two, &len_two, &e), 0);
		assert_string_equal(one, two);
		assert_true(a->netns_cookie == b->netns_cookie);
		assert_int_equal(a->n_ports, b->n_ports);
		assert_memory_equal(a->ports, b->ports, sizeof(a->ports));
		assert_memory_equal(a->routes, b->routes, sizeof(a->routes));
		assert_memory_equal(a->addresses, b->addresses, sizeof(a->addresses));
	}
	free(a);
	free(b);
}

static void is_compact(void **state)
{
	struct attachment *a = calloc(1, sizeof(*a));
	cleanup_free char *text = NULL;
	struct err e = { 0 };
	size_t len;

	(void)state;
	strcpy(a->network, "net");
	strcpy(a->container_id, "c1");
	strcpy(a->ifname, "eth0");
	strcpy(a->mode, "routed");
	a->netns_cookie = UINT64_MAX;
	a->n_addresses = 1;
	cidr_parse("10.0.1.5/24", &a->addresses[0].cidr);
	assert_int_equal(attachment_encode(a, &text, &len, &e), 0);
	assert_string_equal(text, "{\"network\":\"net\",\"containerId\":\"c1\",\"ifname\":\"eth0\","
				  "\"mode\":\"routed\",\"netnsCookie\":\"18446744073709551615\","
				  "\"addresses\":[{\"address\":\"10.0.1.5/24\"}]}");
	assert_int_equal(len, strlen(text));
	assert_true(attachment_has_family(a, AF_INET));
	assert_false(attachment_has_family(a, AF_INET6));
	assert_ptr_equal(attachment_address(a, AF_INET), &a->addresses[0]);
	assert_string_equal(attachment_key(a).container_id, "c1");
	free(a);
}

/* Whatever decodes encodes again, an empty key too. */
static void encodes_what_it_decodes(void **state)
{
	static const char odd[] =
		"{\"network\":\"\",\"containerId\":\"\",\"ifname\":\"\",\"mode\":\"\"}";
	struct attachment *a = calloc(1, sizeof(*a));
	cleanup_free char *text = NULL;
	struct err e = { 0 };
	size_t len;

	(void)state;
	for (uint32_t schema = 1; schema <= ATTACHMENT_SCHEMA; schema++)
		assert_int_equal(attachment_decode(odd, strlen(odd), schema, a, &e), 0);
	assert_int_equal(attachment_encode(a, &text, &len, &e), 0);
	assert_string_equal(text, odd);
	free(a);
}

static void refuses_foreign_records(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"network\":1}",
		"{\"network\":\"n\",\"containerId\":\"c\",\"ifname\":\"e\"}"
	};
	struct attachment *a = calloc(1, sizeof(*a));
	struct err e = { 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(attachment_decode(bad[i], strlen(bad[i]), 1, a, &e) < 0);
		assert_int_equal(e.code, ERR_STORE);
	}
	assert_int_equal(attachment_decode("{}", 2, 0, a, &e), -EPROTO);
	assert_int_equal(attachment_decode("{}", 2, ATTACHMENT_SCHEMA + 1, a, &e), -EPROTO);
	assert_int_equal(e.code, ERR_STORE);
	assert_string_equal(e.msg, "the record has schema 3, this program reads 1 to 2");
	free(a);
}

static void largest_fits_into_the_store(void **state)
{
	struct attachment *a = calloc(1, sizeof(*a));
	char *text = NULL;
	struct err e = { 0 };
	size_t len;

	(void)state;
	a->n_routes = ATTACHMENT_ROUTES;
	for (unsigned i = 0; i < ATTACHMENT_ROUTES; i++) {
		cidr_parse("fd00:1111:2222:3333:4444:5555:6666:7777/128", &a->routes[i].dst);
		a->routes[i].gw = a->routes[i].dst.ip;
		a->routes[i].table = a->routes[i].priority = UINT32_MAX;
		a->routes[i].mtu = a->routes[i].advmss = UINT32_MAX;
	}
	memset(a->netns, '\\', sizeof(a->netns) - 1);
	a->n_ports = STORE_PORTS;
	for (unsigned i = 0; i < STORE_PORTS; i++)
		a->ports[i] = (struct port){ 65535, 65535, 132, a->routes[0].gw, true };
	assert_int_equal(attachment_encode(a, &text, &len, &e), 0);
	assert_in_range(len, 32768, STORE_BODY_MAX);
	free(text);
	free(a);
}

static void gives_gateways(void **state)
{
	static const struct {
		const char *address, *other, *had, *gateway;
	} rows[] = {
		{ "10.0.7.7/24", "10.0.8.1/24", NULL, "10.0.7.1" },
		{ "10.0.7.7/16", "10.0.8.1/24", NULL, "10.0.0.1" },
		{ "10.0.7.7/24", "10.0.8.1/24", "10.0.7.254", "10.0.7.254" },
		/* the first is the task's own */
		{ "10.0.7.1/24", "10.0.8.1/24", NULL, "169.254.1.1" },
		{ "10.0.7.7/24", "10.0.7.1/24", NULL, "169.254.1.1" },
		{ "fd00::1/64", "10.0.8.1/24", NULL, "fe80::1" },
		/* there is none */
		{ "10.0.7.7/32", "10.0.8.1/24", NULL, "169.254.1.1" },
		{ "fd00::7/128", "10.0.8.1/24", NULL, "fe80::1" },
		{ "10.0.7.6/31", "10.0.8.1/24", NULL, "10.0.7.7" },
		{ "fd00::7/64", "10.0.8.1/24", NULL, "fd00::1" },
	};
	struct attachment *a = calloc(1, sizeof(*a));
	char text[IP_TEXT];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(a, 0, sizeof(*a));
		a->n_addresses = 2;
		assert_true(cidr_parse(rows[i].address, &a->addresses[0].cidr));
		assert_true(cidr_parse(rows[i].other, &a->addresses[1].cidr));
		if (rows[i].had)
			assert_true(ip_parse(rows[i].had, &a->addresses[0].gateway));
		attachment_give_gateways(a);
		assert_string_equal(ip_text(&a->addresses[0].gateway, text), rows[i].gateway);
	}
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_it_encodes),
		cmocka_unit_test(is_compact),
		cmocka_unit_test(encodes_what_it_decodes),
		cmocka_unit_test(refuses_foreign_records),
		cmocka_unit_test(largest_fits_into_the_store),
		cmocka_unit_test(gives_gateways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
