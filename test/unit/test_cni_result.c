/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results: the shape of each version, and the reading of those of others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "cni/result.h"

static struct err e;
static struct result r;
static struct attachment a;

static void fill(void)
{
	memset(&r, 0, sizeof(r));
	memset(&a, 0, sizeof(a));
	strcpy(a.host_ifname, "vpc0");
	strcpy(a.ifname, "eth0");
	strcpy(a.netns, "/run/netns/c1");
	mac_parse("02:00:00:00:00:01", &a.mac);
	mac_parse("06:00:00:00:00:01", &a.host_mac);
	a.mtu = 1400;
	a.n_addresses = 2;
	cidr_parse("10.0.1.4/24", &a.addresses[0].cidr);
	ip_parse("10.0.1.1", &a.addresses[0].gateway);
	cidr_parse("fd00::4/64", &a.addresses[1].cidr);
	a.n_routes = 2;
	cidr_parse("0.0.0.0/0", &a.routes[0].dst);
	ip_parse("10.0.1.1", &a.routes[0].gw);
	cidr_parse("fd01::/64", &a.routes[1].dst);
	a.routes[1].mtu = 1280;
	a.routes[1].table = 7;
	a.routes[1].has_scope = true;
}

static void written(enum spec spec, const char *expected)
{
	cleanup_free char *text = NULL;

	assert_int_equal(result_write(&r, spec, &text, &e), 0);
	assert_string_equal(text, expected);
}

static void writes_every_version(void **state)
{
	static struct pool_dns dns = { .nameservers = { "10.0.0.2" },
				       .n_nameservers = 1,
				       .domain = "x.y" };

	(void)state;
	fill();
	assert_int_equal(result_add_attachment(&r, &a, true, &e), 0);
	assert_int_equal(result_add_dns(&r, &dns, &e), 0);
	written(SPEC_0_2_0,
		"{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.1.4/24\",\"gateway\":\"10.0.1.1\","
		"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.1.1\"}]},"
		"\"ip6\":{\"ip\":\"fd00::4/64\",\"routes\":[{\"dst\":\"fd01::/64\"}]},"
		"\"dns\":{\"nameservers\":[\"10.0.0.2\"],\"domain\":\"x.y\"}}");
	written(SPEC_0_4_0,
		"{\"cniVersion\":\"0.4.0\",\"interfaces\":["
		"{\"name\":\"vpc0\",\"mac\":\"06:00:00:00:00:01\"},"
		"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/run/netns/c1\"}],"
		"\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":\"10.0.1.4/24\","
		"\"gateway\":\"10.0.1.1\"},"
		"{\"version\":\"6\",\"interface\":1,\"address\":\"fd00::4/64\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.1.1\"},{\"dst\":\"fd01::/64\"}],"
		"\"dns\":{\"nameservers\":[\"10.0.0.2\"],\"domain\":\"x.y\"}}");
	r.nameservers.n = 0;
	r.domain = NULL;
	written(SPEC_1_0_0,
		"{\"cniVersion\":\"1.0.0\",\"interfaces\":["
		"{\"name\":\"vpc0\",\"mac\":\"06:00:00:00:00:01\"},"
		"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/run/netns/c1\"}],"
		"\"ips\":[{\"interface\":1,\"address\":\"10.0.1.4/24\",\"gateway\":\"10.0.1.1\"},"
		"{\"interface\":1,\"address\":\"fd00::4/64\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.1.1\"},{\"dst\":\"fd01::/64\"}]}");
	written(SPEC_1_1_0,
		"{\"cniVersion\":\"1.1.0\",\"interfaces\":["
		"{\"name\":\"vpc0\",\"mac\":\"06:00:00:00:00:01\",\"mtu\":1400},"
		"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1400,"
		"\"sandbox\":\"/run/netns/c1\"}],"
		"\"ips\":[{\"interface\":1,\"address\":\"10.0.1.4/24\",\"gateway\":\"10.0.1.1\"},"
		"{\"interface\":1,\"address\":\"fd00::4/64\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.1.1\"},"
		"{\"dst\":\"fd01::/64\",\"mtu\":1280,\"table\":7,\"scope\":0}]}");
}

static void abbreviates_for_ipam(void **state)
{
	(void)state;
	fill();
	a.n_addresses = 1;
	a.n_routes = 0;
	assert_int_equal(result_add_attachment(&r, &a, false, &e), 0);
	written(SPEC_1_0_0, "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.1.4/24\","
			    "\"gateway\":\"10.0.1.1\"}]}");
}

static void old_versions_need_an_address(void **state)
{
	char *text = NULL;

	(void)state;
	fill();
	a.n_addresses = 0;
	assert_int_equal(result_add_attachment(&r, &a, true, &e), 0);
	assert_int_not_equal(result_write(&r, SPEC_0_2_0, &text, &e), 0);
	assert_null(text);
}

/* The document stays alive in *ret_root: the result borrows from it. */
static int read_text(const char *text, enum err_code code, bool abbreviated, json **ret_root)
{
	const struct result_source source = { "prevResult", code, abbreviated };

	memset(&r, 0, sizeof(r));
	memset(&e, 0, sizeof(e));
	assert_int_equal(json_parse(text, strlen(text), "test", ret_root, &e), 0);
	return result_read(*ret_root, &source, &r, &e);
}

static void appends_to_prev_result(void **state)
{
	cleanup_json json *root = NULL;

	(void)state;
	fill();
	assert_int_equal(
		read_text("{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"br0\"},"
			  "{\"name\":\"eth1\",\"sandbox\":\"/n\",\"mac\":\"02:00:00:00:00:07\","
			  "\"mtu\":9000,\"pciID\":\"p\",\"socketPath\":\"s\"}],"
			  "\"ips\":[{\"address\":\"10.9.0.2/24\",\"interface\":1}],"
			  "\"routes\":[{\"dst\":\"10.8.0.0/16\",\"priority\":5}],"
			  "\"dns\":{\"nameservers\":[\"9.9.9.9\"],\"search\":[\"s\"]}}",
			  ERR_CONFIG, false, &root),
		0);
	a.n_addresses = 1;
	a.n_routes = 1;
	assert_int_equal(result_add_attachment(&r, &a, true, &e), 0);
	assert_int_equal(r.n_interfaces, 4);
	assert_int_equal(r.ips[1].interface, 3);
	written(SPEC_1_1_0,
		"{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"br0\"},"
		"{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:07\",\"mtu\":9000,\"sandbox\":\"/n\","
		"\"socketPath\":\"s\",\"pciID\":\"p\"},"
		"{\"name\":\"vpc0\",\"mac\":\"06:00:00:00:00:01\",\"mtu\":1400},"
		"{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1400,"
		"\"sandbox\":\"/run/netns/c1\"}],"
		"\"ips\":[{\"interface\":1,\"address\":\"10.9.0.2/24\"},"
		"{\"interface\":3,\"address\":\"10.0.1.4/24\",\"gateway\":\"10.0.1.1\"}],"
		"\"routes\":[{\"dst\":\"10.8.0.0/16\",\"priority\":5},"
		"{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.1.1\"}],"
		"\"dns\":{\"nameservers\":[\"9.9.9.9\"],\"search\":[\"s\"]}}");
}

static void reads_old_shapes(void **state)
{
	cleanup_json json *root = NULL;
	struct attachment got = { 0 };

	(void)state;
	assert_int_equal(
		read_text("{\"ip4\":{\"ip\":\"10.1.0.2/16\",\"gateway\":\"10.1.0.1\","
			  "\"routes\":[{\"dst\":\"10.2.3.4/16\"}]},\"ip6\":null,\"dns\":{}}",
			  ERR_DELEGATE, true, &root),
		0);
	assert_int_equal(result_to_attachment(&r, &got, &e), 0);
	assert_int_equal(got.n_addresses, 1);
	assert_int_equal(got.addresses[0].cidr.ip.b[3], 2);
	assert_int_equal(got.routes[0].gw.b[3], 1);
	assert_int_equal(got.routes[0].dst.ip.b[2], 0);
}

static void an_ipam_result_has_no_interfaces(void **state)
{
	cleanup_json json *root = NULL;

	(void)state;
	assert_int_equal(read_text("{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\","
				   "\"address\":\"10.1.0.2/16\",\"interface\":0}]}",
				   ERR_DELEGATE, true, &root),
			 0);
	assert_int_equal(r.ips[0].interface, -1);
}

static void refuses_garbage(void **state)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{ "5", ERR_DECODE },
		{ "[]", ERR_DECODE },
		{ "{\"cniVersion\":\"9\"}", ERR_CONFIG },
		{ "{\"ips\":5}", ERR_CONFIG },
		{ "{\"ips\":[5]}", ERR_CONFIG },
		{ "{\"ips\":[{}]}", ERR_CONFIG },
		{ "{\"ips\":[{\"address\":\"10.0.0.1\"}]}", ERR_CONFIG },
		{ "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":0}]}", ERR_CONFIG },
		{ "{\"interfaces\":[{\"name\":\"a\"}],\"ips\":[{\"address\":\"10.0.0.1/8\","
		  "\"interface\":1}]}",
		  ERR_CONFIG },
		{ "{\"interfaces\":[{}]}", ERR_CONFIG },
		{ "{\"routes\":[{\"gw\":\"10.0.0.1\"}]}", ERR_CONFIG },
		{ "{\"dns\":5}", ERR_CONFIG },
		{ "{\"ip4\":{\"ip\":5}}", ERR_CONFIG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_json json *root = NULL;

		assert_int_not_equal(read_text(rows[i].text, ERR_CONFIG, false, &root), 0);
		assert_int_equal(e.code, rows[i].code);
		assert_memory_equal(e.msg, "prevResult", 10);
	}
}

static void adds_what_the_host_has(void **state)
{
	static struct mode_view v = {
		.links = { { .name = "up0", .mtu = 1400 }, { .name = "x0", .mtu = 1500 } },
		.n_links = 2,
		.ips = { { .link = 1 }, { .link = 0 } },
		.n_ips = 2,
	};

	(void)state;
	memset(&r, 0, sizeof(r));
	mac_parse("02:00:00:00:00:0a", &v.links[0].mac);
	cidr_parse("198.51.100.2/24", &v.ips[0].cidr);
	cidr_parse("198.51.100.3/24", &v.ips[1].cidr);
	r.interfaces[0].name = "x0";
	r.n_interfaces = r.n_ips = 1;
	r.ips[0].address = v.ips[0].cidr;
	assert_int_equal(result_add_view(&r, &v, NULL, &e), 0);
	assert_int_equal(r.n_interfaces, 2);
	assert_string_equal(r.interfaces[1].name, "up0");
	assert_string_equal(r.interfaces[1].mac, "02:00:00:00:00:0a");
	assert_int_equal(r.interfaces[1].mtu, 1400);
	assert_null(r.interfaces[1].sandbox);
	assert_int_equal(r.n_ips, 2);
	assert_int_equal(r.ips[1].interface, 1);
	r.n_interfaces = RESULT_INTERFACES - 1;
	assert_int_equal(result_add_view(&r, &v, NULL, &e), -EINVAL);
}

static void adds_loopback_once(void **state)
{
	static struct mode_view v = { .of_task = true,
				      .links = { { .name = "lo" } },
				      .n_links = 1 };

	(void)state;
	memset(&r, 0, sizeof(r));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(result_add_view(&r, &v, "/run/netns/a", &e), 0);
		assert_int_equal(r.n_interfaces, 1);
		assert_string_equal(r.interfaces[0].name, "lo");
		assert_string_equal(r.interfaces[0].sandbox, "/run/netns/a");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_version),
		cmocka_unit_test(abbreviates_for_ipam),
		cmocka_unit_test(old_versions_need_an_address),
		cmocka_unit_test(appends_to_prev_result),
		cmocka_unit_test(reads_old_shapes),
		cmocka_unit_test(an_ipam_result_has_no_interfaces),
		cmocka_unit_test(refuses_garbage),
		cmocka_unit_test(adds_what_the_host_has),
		cmocka_unit_test(adds_loopback_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
