/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pool: AWS's reserved addresses, host-local's shapes, and every refusal in its own words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ipam/pool.h"

static json *must(const char *text)
{
	json *j = NULL;
	struct err e = { 0 };

	if (json_parse(text, strlen(text), "test", &j, &e))
		fail_msg("%s: %s", text, e.msg);
	return j;
}

static int read_pool(const char *text, enum pool_reserve reserve, struct pool *ret, struct err *e)
{
	cleanup_json json *j = must(text);

	return pool_read(j, NULL, reserve, ret, e);
}

/* The number of addresses and the lowest and highest one that may be given. */
static void gives(const char *range, enum pool_reserve reserve, uint64_t capacity,
		  const char *first, const char *last)
{
	char text[300], buf[IP_TEXT];
	struct err e = { 0 };
	struct pool p;
	unsigned set, index;
	struct ip a, b;

	snprintf(text, sizeof(text), "{\"ranges\":[[{%s}]]}", range);
	if (read_pool(text, reserve, &p, &e))
		fail_msg("%s: %s", text, e.msg);
	if (p.sets[0].ranges[0].capacity != capacity)
		fail_msg("%s: capacity %lu", text, (unsigned long)p.sets[0].ranges[0].capacity);
	assert_true(ip_parse(first, &a) && ip_parse(last, &b));
	assert_int_equal(pool_judge(&p, &a, &set, &index, &e), 0);
	assert_int_equal(pool_judge(&p, &b, &set, &index, &e), 0);
	b = ip_add(&b, 1);
	if (!pool_judge(&p, &b, &set, &index, &e))
		fail_msg("%s: gives %s", text, ip_text(&b, buf));
	a = ip_add(&a, ~(ip_num)0);
	if (!pool_judge(&p, &a, &set, &index, &e))
		fail_msg("%s: gives %s", text, ip_text(&a, buf));
	pool_free(&p);
}

static void reserves_as_aws(void **state)
{
	(void)state;
	gives("\"subnet\":\"10.0.1.0/28\"", RESERVE_AWS, 11, "10.0.1.4", "10.0.1.14");
	gives("\"subnet\":\"10.0.1.0/24\"", RESERVE_AWS, 251, "10.0.1.4", "10.0.1.254");
	gives("\"subnet\":\"10.0.0.0/16\"", RESERVE_AWS, 65531, "10.0.0.4", "10.0.255.254");
	gives("\"subnet\":\"10.0.1.128/25\"", RESERVE_AWS, 123, "10.0.1.132", "10.0.1.254");
	gives("\"subnet\":\"10.0.1.0/29\"", RESERVE_AWS, 3, "10.0.1.4", "10.0.1.6");
	gives("\"subnet\":\"fd00::/124\"", RESERVE_AWS, 11, "fd00::4", "fd00::e");
	gives("\"subnet\":\"fd00::/64\"", RESERVE_AWS, UINT64_MAX - 4, "fd00::4",
	      "fd00::ffff:ffff:ffff:fffe");
	gives("\"subnet\":\"fd00::/48\"", RESERVE_AWS, UINT64_MAX, "fd00::4",
	      "fd00:0:0:ffff:ffff:ffff:ffff:fffe");
}

static void reserves_minimally(void **state)
{
	(void)state;
	gives("\"subnet\":\"10.0.1.0/30\"", RESERVE_MINIMAL, 1, "10.0.1.2", "10.0.1.2");
	gives("\"subnet\":\"10.0.1.0/29\"", RESERVE_MINIMAL, 5, "10.0.1.2", "10.0.1.6");
	gives("\"subnet\":\"fd00::/126\"", RESERVE_MINIMAL, 2, "fd00::2", "fd00::3");
	gives("\"subnet\":\"10.0.1.0/29\",\"reserve\":\"minimal\"", RESERVE_AWS, 5, "10.0.1.2",
	      "10.0.1.6");
	gives("\"subnet\":\"10.0.1.0/28\",\"reserve\":\"aws\"", RESERVE_MINIMAL, 11, "10.0.1.4",
	      "10.0.1.14");
	gives("\"subnet\":\"10.0.1.0/24\",\"gateway\":\"10.0.1.254\"", RESERVE_MINIMAL, 253,
	      "10.0.1.1", "10.0.1.253");
	gives("\"subnet\":\"10.0.1.0/24\",\"gateway\":\"10.0.1.254\"", RESERVE_AWS, 250, "10.0.1.4",
	      "10.0.1.253");
	gives("\"Subnet\":\"10.0.1.0/24\",\"RangeStart\":\"10.0.1.10\",\"RangeEnd\":\"10.0.1.19\"",
	      RESERVE_MINIMAL, 10, "10.0.1.10", "10.0.1.19");
	gives("\"subnet\":\"10.0.1.0/24\",\"rangeEnd\":\"10.0.1.19\","
	      "\"exclude\":[\"10.0.1.0/29\",\"10.0.1.8\",\"10.0.1.18/31\",\"10.0.1.9\"]",
	      RESERVE_MINIMAL, 8, "10.0.1.10", "10.0.1.17");
	gives("\"subnet\":\"10.0.1.0/24\",\"exclude\":\"10.0.1.128/25\"", RESERVE_MINIMAL, 126,
	      "10.0.1.2", "10.0.1.127");
}

/* Sorted, disjoint, inside the span, and their sum is what is missing from it. */
static void holes_are_exact(void **state)
{
	struct err e = { 0 };
	struct pool p;
	struct pool_range *r;
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(read_pool("{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\",\"exclude\":["
				   "\"10.0.1.200/30\",\"10.0.1.3\",\"10.0.1.201\",\"10.0.1.4/30\","
				   "\"10.0.1.64/26\"]}]]}",
				   RESERVE_AWS, &p, &e),
			 0);
	r = &p.sets[0].ranges[0];
	assert_int_equal(r->n_holes, 4);
	for (unsigned i = 0; i < r->n_holes; i++) {
		sum += span_size(&r->holes[i]);
		assert_true(span_contains(&r->usable, &r->holes[i].first));
		assert_true(span_contains(&r->usable, &r->holes[i].last));
		if (i)
			assert_true(ip_cmp(&r->holes[i - 1].last, &r->holes[i].first) < 0);
	}
	assert_int_equal(sum, 8 + 64 + 4 + 1);
	assert_int_equal(r->capacity, 256 - sum);
	pool_free(&p);
}

static void refuses(const char *ranges, const char *msg)
{
	char text[1024];
	struct err e = { 0 };
	struct pool p;

	snprintf(text, sizeof(text), *ranges == '{' ? "%s" : "{\"ranges\":%s}", ranges);
	if (!read_pool(text, RESERVE_MINIMAL, &p, &e))
		fail_msg("accepted: %s", text);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, msg);
	assert_int_equal(p.n_sets, 0);
}

static void refuses_wrong_subnets(void **state)
{
	(void)state;
	refuses("[[{\"subnet\":\"10.0.0.0/31\"}]]", "ipam.ranges[0][0].subnet: \"10.0.0.0/31\" is "
						    "too small: no address is left for a task");
	refuses("[[{\"subnet\":\"10.0.0.0/32\"}]]", "ipam.ranges[0][0].subnet: \"10.0.0.0/32\" is "
						    "too small: no address is left for a task");
	refuses("[[{\"subnet\":\"fd00::/127\"}]]", "ipam.ranges[0][0].subnet: \"fd00::/127\" is "
						   "too small: no address is left for a task");
	refuses("[[{\"subnet\":\"10.0.0.0/30\",\"reserve\":\"aws\"}]]",
		"ipam.ranges[0][0]: no usable address is left in \"10.0.0.0/30\"");
	refuses("[[{\"subnet\":\"10.0.0.0/24\"},{\"subnet\":\"10.0.0.7/24\"}]]",
		"ipam.ranges[0][1].subnet: \"10.0.0.7/24\" has host bits");
	refuses("[[{\"subnet\":\"foo\"}]]", "ipam.ranges[0][0].subnet: \"foo\" is no network");
	refuses("[[{}]]", "ipam.ranges[0][0].subnet is missing");
	refuses("[[{\"subnet\":\"224.0.0.0/24\"}]]",
		"ipam.ranges[0][0].subnet: \"224.0.0.0/24\" holds multicast addresses");
	refuses("[[{\"subnet\":\"ff02::/64\"}]]",
		"ipam.ranges[0][0].subnet: \"ff02::/64\" holds multicast addresses");
	refuses("[[{\"subnet\":\"127.0.0.0/8\"}]]",
		"ipam.ranges[0][0].subnet: \"127.0.0.0/8\" holds loopback addresses");
	refuses("[[{\"subnet\":\"0.0.0.0/0\"}]]",
		"ipam.ranges[0][0].subnet: \"0.0.0.0/0\" starts with the unspecified address");
	refuses("[[{\"subnet\":\"::/0\"}]]",
		"ipam.ranges[0][0].subnet: \"::/0\" starts with the unspecified address");
}

static void refuses_wrong_ranges(void **state)
{
	(void)state;
	refuses("[[{\"subnet\":\"10.0.0.0/"
		"24\",\"rangeStart\":\"10.0.0.9\",\"rangeEnd\":\"10.0.0.8\"}]]",
		"ipam.ranges[0][0]: rangeStart \"10.0.0.9\" comes after rangeEnd \"10.0.0.8\"");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"rangeStart\":\"10.0.1.9\"}]]",
		"ipam.ranges[0][0].rangeStart: \"10.0.1.9\" is outside the subnet");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"rangeEnd\":\"fd00::1\"}]]",
		"ipam.ranges[0][0].rangeEnd: \"fd00::1\" is outside the subnet");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.1.1\"}]]",
		"ipam.ranges[0][0].gateway: \"10.0.1.1\" is outside the subnet");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.0\"}]]",
		"ipam.ranges[0][0].gateway: \"10.0.0.0\" is the network address");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.255\"}]]",
		"ipam.ranges[0][0].gateway: \"10.0.0.255\" is the broadcast address");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"exclude\":[\"10.0.0.0/16\"]}]]",
		"ipam.ranges[0][0].exclude: \"10.0.0.0/16\" is outside the subnet");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"exclude\":[\"10.0.0.0/24\"]}]]",
		"ipam.ranges[0][0]: no usable address is left in \"10.0.0.0/24\"");
	refuses("[[{\"subnet\":\"10.0.0.0/"
		"24\",\"rangeStart\":\"10.0.0.1\",\"rangeEnd\":\"10.0.0.1\"}]]",
		"ipam.ranges[0][0]: no usable address is left in \"10.0.0.0/24\"");
	refuses("[[{\"subnet\":\"10.0.0.0/24\",\"reserve\":\"all\"}]]",
		"ipam.ranges[0][0].reserve: \"all\" is unknown");
}

static void refuses_wrong_sets(void **state)
{
	(void)state;
	refuses("[[]]", "ipam.ranges[0]: the set is empty");
	refuses("[{\"subnet\":\"10.0.0.0/24\"}]",
		"ipam.ranges[0]: {\"subnet\":\"10.0.0.0/24\"} is no list");
	refuses("{\"ranges\":{}}", "ipam.ranges: {} is no list");
	refuses("[[5]]", "ipam.ranges[0][0]: 5 is no range");
	refuses("[[{\"subnet\":\"10.0.0.0/24\"},{\"subnet\":\"fd00::/64\"}]]",
		"ipam.ranges[0][1]: IPv4 and IPv6 in one set");
	refuses("[[{\"subnet\":\"10.0.0.0/16\"},{\"subnet\":\"10.0.1.0/24\"}]]",
		"ipam.ranges: the ranges 10.0.0.0-10.0.255.255 and 10.0.1.0-10.0.1.255 overlap");
	refuses("[[{\"subnet\":\"10.0.1.0/24\"}],[{\"subnet\":\"10.0.1.0/24\"}]]",
		"ipam.ranges: the ranges 10.0.1.0-10.0.1.255 and 10.0.1.0-10.0.1.255 overlap");
	refuses("[[{\"subnet\":\"10.0.1.0/24\",\"rangeEnd\":\"10.0.1.20\"},"
		"{\"subnet\":\"10.0.1.0/24\",\"rangeStart\":\"10.0.1.20\"}]]",
		"ipam.ranges: the ranges 10.0.1.0-10.0.1.20 and 10.0.1.20-10.0.1.255 overlap");
	refuses("{\"subnet\":\"10.0.1.0/24\",\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}]]}",
		"ipam.ranges: the ranges 10.0.1.0-10.0.1.255 and 10.0.1.0-10.0.1.255 overlap");
	refuses("[[{\"subnet\":\"10.0.0.0/24\"}],[{\"subnet\":\"10.0.1.0/24\"}],"
		"[{\"subnet\":\"10.0.2.0/24\"}],[{\"subnet\":\"10.0.3.0/24\"}],"
		"[{\"subnet\":\"10.0.4.0/24\"}],[{\"subnet\":\"10.0.5.0/24\"}],"
		"[{\"subnet\":\"10.0.6.0/24\"}],[{\"subnet\":\"10.0.7.0/24\"}],"
		"[{\"subnet\":\"10.0.8.0/24\"}]]",
		"ipam.ranges[8]: one set too many, allowed: 8");
}

static void refuses_wrong_keys(void **state)
{
	(void)state;
	refuses("{\"dataDir\":\"state\"}", "ipam.dataDir: \"state\" is no absolute path");
	refuses("{\"placement\":\"random\"}", "ipam.placement: \"random\" is unknown");
	refuses("{\"cooldown\":86401}", "ipam.cooldown: 86401 is out of range");
	refuses("{\"routes\":[{\"gw\":\"10.0.0.1\"}]}", "ipam.routes[0].dst is missing");
	refuses("{\"routes\":[{\"dst\":\"10.0.0.0/8\"},{\"dst\":\"::/0\",\"gw\":\"10.0.0.1\"}]}",
		"ipam.routes[1]: dst and gw are of different families");
	refuses("{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"scope\":7}]}",
		"ipam.routes[0].scope: 7 is unknown");
	refuses("{\"dns\":{\"nameservers\":[\"ns1\"]}}",
		"ipam.dns.nameservers[0]: \"ns1\" is no IP address");
	refuses("{\"resolvConf\":\"/nonexistent/resolv.conf\"}",
		"ipam.resolvConf: \"/nonexistent/resolv.conf\" cannot be read: "
		"No such file or directory");
}

static void reads_routes(void **state)
{
	struct err e = { 0 };
	struct pool p;

	(void)state;
	assert_int_equal(
		read_pool("{\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.1.2.3/8\",\"gw\":"
			  "\"10.0.0.9\",\"mtu\":1400,\"advmss\":1360,\"priority\":5,\"table\":100,"
			  "\"scope\":0},{\"dst\":\"fd00::1\",\"scope\":253}]}",
			  RESERVE_AWS, &p, &e),
		0);
	assert_int_equal(p.n_routes, 3);
	assert_false(p.routes[0].has_scope);
	assert_int_equal(p.routes[0].scope, 0);
	assert_int_equal(p.routes[1].dst.ip.b[1], 0);
	assert_true(p.routes[1].has_scope);
	assert_int_equal(p.routes[1].table, 100);
	assert_int_equal(p.routes[2].scope, 253);
	assert_int_equal(p.routes[2].dst.len, 128);
	assert_int_equal(p.cooldown_s, 30);
	assert_string_equal(p.data_dir, POOL_DATA_DIR);
	pool_free(&p);
}

static void reads_host_local_shapes(void **state)
{
	cleanup_json json *ipam =
		must("{\"type\":\"task-ipam\",\"subnet\":\"10.1.0.0/24\",\"rangeStart\":"
		     "\"10.1.0.10\",\"gateway\":\"10.1.0.254\",\"ranges\":"
		     "[[{\"subnet\":\"fd00::/64\",\"id\":\"a\",\"az\":\"az1\"}]]}");
	cleanup_json json *flat = must("[{\"Subnet\":\"10.3.0.0/24\"},{\"Subnet\":\"10.4.0.0/24\","
				       "\"RangeStart\":\"10.4.0.9\",\"RangeEnd\":\"10.4.0.10\"}]");
	cleanup_json json *nested =
		must("[[{\"subnet\":\"10.3.0.0/24\"},{\"subnet\":\"10.4.0.0/24\"}]]");
	struct err e = { 0 };
	struct pool p;
	char text[IP_TEXT];

	(void)state;
	assert_int_equal(pool_read(ipam, flat, RESERVE_MINIMAL, &p, &e), 0);
	assert_int_equal(p.n_sets, 4);
	assert_int_equal(p.sets[1].ranges[0].capacity, 2);
	assert_string_equal(ip_text(&p.sets[0].ranges[0].gateway, text), "10.3.0.1");
	assert_string_equal(ip_text(&p.sets[2].ranges[0].gateway, text), "10.1.0.254");
	assert_string_equal(p.sets[3].ranges[0].az, "az1");
	assert_null(p.ranges);
	pool_free(&p);
	assert_int_equal(pool_read(ipam, nested, RESERVE_MINIMAL, &p, &e), 0);
	assert_int_equal(p.n_sets, 3);
	assert_int_equal(p.sets[0].n_ranges, 2);
	pool_free(&p);
	assert_int_equal(pool_read(NULL, NULL, RESERVE_AWS, &p, &e), 0);
	assert_int_equal(p.n_sets, 0);
	pool_free(&p);
}

static void judges_routes_by_family(void **state)
{
	static const struct {
		const char *ipam, *words;
	} rows[] = {
		{ "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}],[{\"subnet\":\"fd00::/64\"}]],"
		  "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}]}",
		  NULL },
		{ "{\"subnet\":\"fd00::/64\",\"routes\":[{\"dst\":\"::/0\"}]}", NULL },
		{ "{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\"}]],\"routes\":[{\"dst\":\"::/0\"}]}",
		  "ipam.routes: ::/0 needs an address of its family" },
		{ "{\"ranges\":[[{\"subnet\":\"fd00::/64\"}]],\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}",
		  "ipam.routes: 0.0.0.0/0 needs an address of its family" },
		{ "{\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}",
		  "ipam.routes: 0.0.0.0/0 needs an address of its family" },
	};
	struct err e = { 0 };
	struct pool p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_pool(rows[i].ipam, RESERVE_MINIMAL, &p, &e), 0);
		assert_int_equal(pool_judge_routes(&p, &e), rows[i].words ? -EINVAL : 0);
		if (rows[i].words) {
			assert_int_equal(e.code, ERR_CONFIG);
			assert_string_equal(e.msg, rows[i].words);
		}
		pool_free(&p);
	}
}

static void splits_a_subnet(void **state)
{
	struct err e = { 0 };
	struct pool p;
	struct ip a;
	unsigned set, range;

	(void)state;
	assert_int_equal(read_pool("{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\",\"rangeEnd\":"
				   "\"10.0.1.20\"},{\"subnet\":\"10.0.1.0/24\",\"rangeStart\":"
				   "\"10.0.1.30\"}]]}",
				   RESERVE_MINIMAL, &p, &e),
			 0);
	assert_true(ip_parse("10.0.1.40", &a));
	assert_int_equal(pool_judge(&p, &a, &set, &range, &e), 0);
	assert_int_equal(range, 1);
	assert_true(ip_parse("10.0.1.25", &a));
	assert_int_equal(pool_judge(&p, &a, &set, &range, &e), -EINVAL);
	pool_free(&p);
}

static void judges_in_words(void **state)
{
	static const struct {
		const char *address, *msg;
	} rows[] = {
		{ "10.9.0.1", "10.9.0.1 is outside every subnet of the network" },
		{ "fd00::5", "fd00::5 is outside every subnet of the network" },
		{ "10.0.1.1", "10.0.1.1 is reserved in subnet 10.0.1.0/24: the gateway" },
		{ "10.0.1.0", "10.0.1.0 is reserved in subnet 10.0.1.0/24: the network address" },
		{ "10.0.1.2",
		  "10.0.1.2 is reserved in subnet 10.0.1.0/24: the DNS server (base + 2)" },
		{ "10.0.1.255",
		  "10.0.1.255 is reserved in subnet 10.0.1.0/24: the last (broadcast) address" },
		{ "10.0.1.70", "10.0.1.70 is excluded by \"10.0.1.64/26\" in subnet 10.0.1.0/24" },
		{ "10.0.1.201",
		  "10.0.1.201 is outside of 10.0.1.0-10.0.1.200, the range of subnet 10.0.1.0/24" },
	};
	struct err e = { 0 };
	struct pool p;
	struct ip a;
	unsigned set, range;

	(void)state;
	assert_int_equal(
		read_pool("{\"ranges\":[[{\"subnet\":\"10.0.1.0/24\",\"rangeEnd\":\"10.0.1.200\","
			  "\"exclude\":[\"10.0.1.64/26\"]},{\"subnet\":\"10.0.2.0/24\"}]]}",
			  RESERVE_AWS, &p, &e),
		0);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(ip_parse(rows[i].address, &a));
		assert_int_equal(pool_judge(&p, &a, &set, &range, &e), -EINVAL);
		assert_int_equal(e.code, ERR_ADDRESS);
		assert_string_equal(e.msg, rows[i].msg);
	}
	assert_true(ip_parse("10.0.2.9", &a));
	assert_int_equal(pool_judge(&p, &a, &set, &range, &e), 0);
	assert_int_equal(range, 1);
	pool_free(&p);
}

static void reads_resolv_conf(void **state)
{
	char path[] = "/tmp/test-resolv-XXXXXX", text[200];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	struct err e = { 0 };
	struct pool p;

	(void)state;
	fputs("# comment\n; another\n\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\n"
	      "nameserver fd00::53 # here\ndomain ec2.internal\nsearch old\nsearch a.b\tc.d\r\n"
	      "options ndots:2 edns0\nunknown x\nnameserver\nnameserver 10.0.0.3",
	      f);
	fclose(f);
	snprintf(text, sizeof(text), "{\"resolvConf\":\"%s\"}", path);
	assert_int_equal(read_pool(text, RESERVE_AWS, &p, &e), 0);
	assert_int_equal(p.dns.n_nameservers, 3);
	assert_string_equal(p.dns.nameservers[1], "fd00::53");
	assert_string_equal(p.dns.domain, "ec2.internal");
	assert_int_equal(p.dns.n_search, 2);
	assert_string_equal(p.dns.search[1], "c.d");
	assert_int_equal(p.dns.n_options, 2);
	pool_free(&p);
	snprintf(text, sizeof(text), "{\"resolvConf\":\"%s\",\"dns\":{\"domain\":\"own\"}}", path);
	assert_int_equal(read_pool(text, RESERVE_AWS, &p, &e), 0);
	assert_int_equal(p.dns.n_nameservers, 0);
	assert_string_equal(p.dns.domain, "own");
	pool_free(&p);
	unlink(path);
}

static void tolerant_readers(void **state)
{
	static const char *const wrong[] = { "{}", "{\"dataDir\":5,\"cooldown\":\"x\"}", "[]", "3",
					     "{\"dataDir\":\"rel\",\"cooldown\":-1}" };
	cleanup_json json *good = must("{\"DataDir\":\"/x\",\"cooldown\":5,\"ranges\":7}");
	char dir[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		cleanup_json json *j = must(wrong[i]);

		pool_read_data_dir(j, dir, sizeof(dir));
		assert_string_equal(dir, POOL_DATA_DIR);
		assert_int_equal(pool_read_cooldown(j), 30);
	}
	pool_read_data_dir(good, dir, sizeof(dir));
	assert_string_equal(dir, "/x");
	assert_int_equal(pool_read_cooldown(good), 5);
	pool_read_data_dir(NULL, dir, sizeof(dir));
	assert_string_equal(dir, POOL_DATA_DIR);
}

static void tells_foreign_types(void **state)
{
	cleanup_json json *j =
		must("[{\"type\":\"host-local\"},{\"type\":\"task-ipam\"},{},{\"type\":5}]");
	const json *i = json_first(j);
	const char *type;

	(void)state;
	assert_true(pool_is_foreign(i, &type));
	assert_string_equal(type, "host-local");
	for (i = json_next(i); i; i = json_next(i))
		assert_false(pool_is_foreign(i, &type));
	assert_false(pool_is_foreign(NULL, &type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserves_as_aws),         cmocka_unit_test(reserves_minimally),
		cmocka_unit_test(holes_are_exact),         cmocka_unit_test(refuses_wrong_subnets),
		cmocka_unit_test(refuses_wrong_ranges),    cmocka_unit_test(refuses_wrong_sets),
		cmocka_unit_test(refuses_wrong_keys),      cmocka_unit_test(reads_routes),
		cmocka_unit_test(reads_host_local_shapes), cmocka_unit_test(splits_a_subnet),
		cmocka_unit_test(judges_in_words),         cmocka_unit_test(reads_resolv_conf),
		cmocka_unit_test(judges_routes_by_family), cmocka_unit_test(tolerant_readers),
		cmocka_unit_test(tells_foreign_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
