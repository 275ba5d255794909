/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked for one container: CNI_ARGS, args.cni, runtimeConfig, and which of them wins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "cni/prepare.h"

static struct netconf conf;
static struct asked asked;
static struct err e;

static int args(const char *text)
{
	memset(&asked, 0, sizeof(asked));
	memset(&e, 0, sizeof(e));
	return args_read(text, &asked, &e);
}

/* @asked is kept: call args() before. */
static int runtime(const char *document)
{
	static json *root;
	struct call c = { 0 };

	json_free(root);
	root = NULL;
	memset(&conf, 0, sizeof(conf));
	assert_int_equal(json_parse(document, strlen(document), "test", &root, &e), 0);
	c.root = root;
	return runtime_read(&c, &conf, &asked, &e);
}

static const char *first_ip(void)
{
	static char text[IP_TEXT];

	assert_true(asked.n_ips > 0);
	return asked.ips[0].len ? cidr_text(&asked.ips[0], text) : ip_text(&asked.ips[0].ip, text);
}

static void passes_over_what_is_not_ours(void **state)
{
	static const char *const odd[] = {
		"",
		";;",
		"FOO=bar",
		"A=b=c",
		"IgnoreUnknown=1;",
		"IP",
		"IP=",
		"K=10.0.0.1=2",
		"ip=nonsense",
		"=",
		"K8S_POD_NAME=x;NERDCTL_CNI_DHCP_HOSTNAME=h",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		assert_int_equal(args(odd[i]), 0);
		assert_int_equal(asked.n_ips, 0);
	}
	assert_int_equal(args(NULL), 0);
	assert_int_equal(args("IgnoreUnknown=1;K8S_POD_NAME=x;IP=10.78.0.4;x=y"), 0);
	assert_string_equal(first_ip(), "10.78.0.4");
}

static void reads_lists_and_prefixes(void **state)
{
	(void)state;
	assert_int_equal(args("MAC=02:00:00:00:00:09;IP=10.0.0.4/24,fd00::4;GATEWAY=10.0.0.9"), 0);
	assert_int_equal(asked.n_ips, 2);
	assert_string_equal(first_ip(), "10.0.0.4/24");
	assert_int_equal(asked.ips[1].len, 0);
	assert_int_equal(asked.mac.b[5], 9);
	assert_int_equal(asked.gateway.b[3], 9);
}

static void refuses_wrong_values_by_name(void **state)
{
	static const char *const bad[][2] = {
		{ "IP=foo", "IP=foo" },
		{ "IP=10.0.0.1,x", "IP=x" },
		{ "IP=10.0.0.1/33", "IP=" },
		{ "IP=10.0.0.1=2", "IP=10.0.0.1=2" },
		{ "MAC=02:00:00:00:00:01=", "MAC=02:00:00:00:00:01=" },
		{ "MAC=zz", "MAC=zz" },
		{ "MAC=01:00:5e:00:00:01", "MAC=01:" },
		{ "MAC=00:00:00:00:00:00", "MAC=00:" },
		{ "GATEWAY=x", "GATEWAY=x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_not_equal(args(bad[i][0]), 0);
		assert_int_equal(e.code, ERR_ENVIRONMENT);
		assert_non_null(strstr(e.msg, "CNI_ARGS"));
		assert_non_null(strstr(e.msg, bad[i][1]));
	}
}

static void merges_what_all_ask_for(void **state)
{
	(void)state;
	assert_int_equal(args("IP=10.0.0.1;MAC=02:00:00:00:00:01"), 0);
	assert_int_equal(
		runtime("{\"args\":{\"cni\":{\"ips\":[\"fd00::2\"],\"labels\":1},\"x\":2},"
			"\"runtimeConfig\":{\"ips\":[\"10.0.0.1/24\",\"10.1.0.3\"],"
			"\"mac\":\"02:00:00:00:00:01\",\"aliases\":[\"a\"]}}"),
		0);
	assert_int_equal(asked.n_ips, 3);
	assert_string_equal(first_ip(), "10.0.0.1/24"); /* the prefix of the one that has it */
	assert_string_equal(asked.ip_sources[0], "CNI_ARGS IP");
	assert_string_equal(asked.ip_sources[1], "args.cni.ips");
	assert_string_equal(asked.ip_sources[2], "runtimeConfig.ips");
	assert_int_equal(conf.mac.b[5], 1);

	assert_int_equal(args("IP=10.0.0.1"), 0);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"ips\":[],\"mac\":null},\"args\":null}"), 0);
	assert_int_equal(asked.n_ips, 1);
	assert_string_equal(first_ip(), "10.0.0.1");

	/* One source may not ask twice, nor all together for more than a record holds. */
	assert_int_equal(args("IP=10.0.0.1,10.0.0.1"), 0);
	assert_int_equal(asked.n_ips, 2);
	assert_int_equal(args("IP=10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5"), 0);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"ips\":[\"10.0.0.6\",\"10.0.0.7\","
				 "\"10.0.0.8\",\"10.0.0.9\"]}}"),
			 -EINVAL);
	assert_non_null(strstr(e.msg, "runtimeConfig.ips: \"10.0.0.9\""));
}

static void refuses_two_macs(void **state)
{
	(void)state;
	assert_int_equal(args("MAC=02:00:00:00:00:01"), 0);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"mac\":\"02:00:00:00:00:03\"}}"), -EINVAL);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.msg, "runtimeConfig.mac"));
	assert_non_null(strstr(e.msg, "CNI_ARGS MAC: 02:00:00:00:00:01"));
}

static int mapping(const char *object)
{
	char document[256];

	args(NULL);
	snprintf(document, sizeof(document), "{\"runtimeConfig\":{\"portMappings\":[%s]}}", object);
	return runtime(document);
}

static void reads_both_spellings_of_ports(void **state)
{
	(void)state;
	assert_int_equal(mapping("{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"UDP\","
				 "\"HostIP\":\"127.0.0.1\"}"),
			 0);
	assert_int_equal(conf.n_ports, 1);
	assert_int_equal(conf.ports[0].host_port, 8080);
	assert_int_equal(conf.ports[0].container_port, 80);
	assert_int_equal(conf.ports[0].protocol, IPPROTO_UDP);
	assert_true(ip_is_loopback(&conf.ports[0].host_ip));
	assert_int_equal(mapping("{\"containerPort\":80,\"hostIP\":\"\",\"protocol\":\"\"}"), 0);
	assert_int_equal(conf.ports[0].host_port, 0);
	assert_int_equal(conf.ports[0].protocol, IPPROTO_TCP);
	assert_int_equal(conf.ports[0].host_ip.family, 0);
	assert_int_equal(mapping("{\"containerPort\":80,\"protocol\":\"sctp\"}"), 0);
	assert_int_equal(conf.ports[0].protocol, IPPROTO_SCTP);
}

static void refuses_wrong_ports(void **state)
{
	static const char *const bad[] = {
		"{\"hostPort\":-1,\"containerPort\":80}",
		"{\"hostPort\":65536,\"containerPort\":80}",
		"{\"hostPort\":\"80\",\"containerPort\":80}",
		"{\"hostPort\":80.5,\"containerPort\":80}",
		"{\"hostPort\":80,\"containerPort\":0}",
		"{\"hostPort\":80}",
		"{\"containerPort\":80,\"protocol\":\"icmp\"}",
		"{\"containerPort\":80,\"hostIP\":\"nope\"}",
		"5",
		"null",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_not_equal(mapping(bad[i]), 0);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_non_null(strstr(e.msg, "portMappings[0]"));
	}
}

static void reads_bandwidth(void **state)
{
	(void)state;
	args(NULL);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"bandwidth\":{\"IngressRate\":1000000,"
				 "\"IngressBurst\":4294967295,\"EgressRate\":9007199254740992,"
				 "\"EgressBurst\":8}}}"),
			 0);
	assert_int_equal(conf.bandwidth.ingress_rate, 1000000);
	assert_int_equal(conf.bandwidth.ingress_burst, 4294967295);
	assert_int_equal(conf.bandwidth.egress_rate, 1LL << 53);
	assert_int_equal(conf.bandwidth.egress_burst, 8);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"bandwidth\":{\"ingressRate\":1}}}"), 0);
	assert_int_equal(conf.bandwidth.ingress_rate, 1);
	assert_int_equal(conf.bandwidth.egress_rate, 0);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"bandwidth\":null}}"), 0);
	assert_int_equal(conf.bandwidth.ingress_rate, 0);
}

static void refuses_wrong_bandwidth(void **state)
{
	static const char *const values[] = { "-1", "1.5", "\"1M\"", "9007199254740994", "true" };
	static const char *const keys[] = { "ingressRate", "ingressBurst", "egressRate",
					    "EgressBurst" };
	char document[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(keys); i++) {
		const char *key = keys[i / ARRAY_SIZE(values)];

		args(NULL);
		snprintf(document, sizeof(document),
			 "{\"runtimeConfig\":{\"bandwidth\":{\"%s\":%s}}}", key,
			 values[i % ARRAY_SIZE(values)]);
		assert_int_not_equal(runtime(document), 0);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_non_null(strstr(e.msg, "runtimeConfig.bandwidth"));
		assert_non_null(strcasestr(e.msg, key));
	}
}

static struct port port_of(uint32_t number, uint32_t protocol, const char *host_ip)
{
	struct port p = { .host_port = number, .container_port = 80, .protocol = protocol };

	if (*host_ip)
		assert_true(ip_parse(host_ip, &p.host_ip));
	return p;
}

static void judges_ports_that_collide(void **state)
{
	static struct attachment a;

	(void)state;
	a.n_ports = 4;
	a.ports[0] = port_of(8080, IPPROTO_TCP, "10.0.0.1");
	a.ports[1] = port_of(8080, IPPROTO_UDP, "");
	a.ports[2] = port_of(0, IPPROTO_TCP, "");
	a.ports[3] = port_of(0, IPPROTO_TCP, "");
	assert_int_equal(ports_judge(&a, &e), 0);
	a.ports[3] = port_of(8080, IPPROTO_TCP, "10.0.0.2");
	assert_int_equal(ports_judge(&a, &e), 0);
	a.ports[3] = port_of(8080, IPPROTO_TCP, "0.0.0.0");
	a.ports[3].container_port = 81;
	assert_int_equal(ports_judge(&a, &e), -EINVAL);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.msg, "portMappings[0] and [3]: 10.0.0.1:8080/tcp leads to "
				      "container port 80, 0.0.0.0:8080/tcp to 81"));
	a.ports[3] = port_of(8080, IPPROTO_UDP, "::1");
	a.ports[3].container_port = 81;
	assert_int_equal(ports_judge(&a, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "portMappings[1] and [3]: 8080/udp leads to container port "
				      "80, [::1]:8080/udp to 81"));
	assert_int_equal(a.n_ports, 4);
}

/* Of two mappings to one container port the wider one stays, in the place that it had. */
static void leaves_out_redundant_ports(void **state)
{
	static const struct {
		const char *one, *other, *stays; /* NULL: both */
	} rows[] = {
		{ "", "", "" },
		{ "", "::", "" },
		{ "0.0.0.0", "", "" },
		{ "0.0.0.0", "127.0.0.1", "0.0.0.0" },
		{ "::1", "::", "::" },
		{ "10.0.0.1", "10.0.0.1", "10.0.0.1" },
		{ "10.0.0.1", "10.0.0.2", NULL },
		{ "0.0.0.0", "::", NULL },
		{ "0.0.0.0", "::1", NULL },
	};
	static struct attachment a;
	char text[IP_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		a.n_ports = 3;
		a.ports[0] = port_of(8080, IPPROTO_TCP, rows[i].one);
		a.ports[1] = port_of(8080, IPPROTO_UDP, "");
		a.ports[2] = port_of(8080, IPPROTO_TCP, rows[i].other);
		assert_int_equal(ports_judge(&a, &e), 0);
		assert_int_equal(a.n_ports, rows[i].stays ? 2 : 3);
		if (!rows[i].stays)
			continue;
		for (unsigned k = 0; k < 2; k++)
			if (a.ports[k].protocol == IPPROTO_TCP)
				assert_string_equal(ip_is_set(&a.ports[k].host_ip)
							    ? ip_text(&a.ports[k].host_ip, text)
							    : "",
						    rows[i].stays);
	}
	for (unsigned i = 0; i < STORE_PORTS; i++)
		a.ports[i] = port_of(20000 + i / 2, IPPROTO_TCP, i % 2 ? "" : "127.0.0.1");
	a.n_ports = STORE_PORTS;
	assert_int_equal(ports_judge(&a, &e), 0);
	assert_int_equal(a.n_ports, STORE_PORTS / 2);
	assert_int_equal(a.ports[STORE_PORTS / 2 - 1].host_port, 20000 + STORE_PORTS / 2 - 1);
}

static void reads_ranges_of_ports(void **state)
{
	(void)state;
	args(NULL);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8000,"
				 "\"containerPort\":80,\"range\":3,\"hostIP\":\"::1\"},"
				 "{\"containerPort\":90,\"range\":2}]}}"),
			 0);
	assert_int_equal(conf.n_ports, 5);
	assert_int_equal(conf.ports[2].host_port, 8002);
	assert_int_equal(conf.ports[2].container_port, 82);
	assert_int_equal(conf.ports[2].host_ip.family, AF_INET6);
	assert_int_equal(conf.ports[4].host_port, 0);
	assert_int_equal(conf.ports[4].container_port, 91);
	assert_int_not_equal(runtime("{\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":65535,"
				     "\"containerPort\":80,\"range\":2}]}}"),
			     0);
	assert_non_null(strstr(e.msg, "portMappings[0].range: 2 ports go beyond port 65535"));
	assert_int_not_equal(runtime("{\"runtimeConfig\":{\"portMappings\":[{\"containerPort\":80},"
				     "{\"containerPort\":100,\"range\":1024}]}}"),
			     0);
	assert_non_null(strstr(e.msg, "portMappings: 1025 ports, at most 1024 are possible"));
}

static void refuses_wrong_shapes(void **state)
{
	static const char *const bad[] = {
		"{\"runtimeConfig\":5}",
		"{\"runtimeConfig\":{\"ips\":\"10.0.0.1\"}}",
		"{\"runtimeConfig\":{\"ips\":[5]}}",
		"{\"runtimeConfig\":{\"ips\":[\"x\"]}}",
		"{\"runtimeConfig\":{\"mac\":\"zz\"}}",
		"{\"runtimeConfig\":{\"mac\":\"01:00:5e:00:00:01\"}}",
		"{\"runtimeConfig\":{\"mac\":\"00:00:00:00:00:00\"}}",
		"{\"runtimeConfig\":{\"portMappings\":{}}}",
		"{\"args\":{\"cni\":[]}}",
		"{\"args\":{\"cni\":{\"mac\":5}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		args(NULL);
		assert_int_not_equal(runtime(bad[i]), 0);
		assert_int_equal(e.code, ERR_CONFIG);
	}
}

static void takes_dns_that_says_something(void **state)
{
	(void)state;
	args(NULL);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"dns\":{\"Servers\":[],\"Searches\":null,"
				 "\"Options\":[]}}}"),
			 0);
	assert_int_equal(conf.dns.n_nameservers, 0);
	assert_int_equal(runtime("{\"runtimeConfig\":{\"dns\":{\"Servers\":[\"1.1.1.1\"],"
				 "\"Searches\":[\"a.b\"]}}}"),
			 0);
	assert_string_equal(conf.dns.nameservers[0], "1.1.1.1");
	assert_string_equal(conf.dns.search[0], "a.b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_over_what_is_not_ours),
		cmocka_unit_test(reads_lists_and_prefixes),
		cmocka_unit_test(refuses_wrong_values_by_name),
		cmocka_unit_test(merges_what_all_ask_for),
		cmocka_unit_test(refuses_two_macs),
		cmocka_unit_test(reads_both_spellings_of_ports),
		cmocka_unit_test(refuses_wrong_ports),
		cmocka_unit_test(reads_bandwidth),
		cmocka_unit_test(refuses_wrong_bandwidth),
		cmocka_unit_test(judges_ports_that_collide),
		cmocka_unit_test(leaves_out_redundant_ports),
		cmocka_unit_test(reads_ranges_of_ports),
		cmocka_unit_test(refuses_wrong_shapes),
		cmocka_unit_test(takes_dns_that_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
