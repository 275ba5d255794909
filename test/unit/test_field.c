/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Field tables: reading, refusing in words, writing back, and the printed reference. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/ip.h"
#include "json/field.h"

struct part {
	struct cidr subnet;
	struct ip gateway;
};

struct thing {
	bool flag;
	uint32_t mtu;
	int64_t delta;
	uint64_t cookie;
	char name[8];
	uint32_t attach;
	struct ip ip;
	struct cidr cidr;
	struct mac mac;
	struct part part;
	struct part parts[2];
	unsigned n_parts;
	char words[3][6];
	unsigned n_words;
	const json *any;
};

static const char *const attach_names[] = { "veth", "macvlan", NULL };

static const struct field part_fields[] = {
	FIELD(struct part, subnet, "subnet", FIELD_NET, .flags = FIELD_REQUIRED,
	      .help = "The network."),
	FIELD(struct part, gateway, "gateway", FIELD_IP),
	{ 0 },
};

static const struct field fields[] = {
	FIELD(struct thing, flag, "flag", FIELD_BOOL, .fallback = "false", .help = "A flag."),
	FIELD(struct thing, mtu, "mtu", FIELD_U32, .min = 68, .max = 65535),
	FIELD(struct thing, delta, "delta", FIELD_I64),
	FIELD(struct thing, cookie, "cookie", FIELD_U64, .flags = FIELD_HIDDEN),
	FIELD(struct thing, name, "name", FIELD_TEXT),
	FIELD(struct thing, attach, "attach", FIELD_ENUM, .names = attach_names),
	FIELD(struct thing, ip, "ip", FIELD_IP),
	FIELD(struct thing, cidr, "cidr", FIELD_CIDR),
	FIELD(struct thing, mac, "mac", FIELD_MAC),
	FIELD(struct thing, part, "part", FIELD_OBJECT, .fields = part_fields),
	FIELD_ARRAY(struct thing, parts, n_parts, "parts", FIELD_OBJECT, .fields = part_fields),
	{ .key = "words",
	  .type = FIELD_TEXT,
	  .flags = FIELD_LIST | FIELD_ONE_OR_LIST,
	  .offset = offsetof(struct thing, words),
	  .size = 6,
	  .count_offset = offsetof(struct thing, n_words),
	  .max_count = 3 },
	FIELD(struct thing, any, "any", FIELD_ANY),
	{ 0 },
};

static json *must(const char *text)
{
	json *j = NULL;
	struct err e = { 0 };

	if (json_parse(text, strlen(text), "test", &j, &e))
		fail_msg("%s", e.msg);
	return j;
}

static int read_text(const char *text, struct thing *t, struct err *e)
{
	cleanup_json json *j = must(text);
	int rc = field_read(fields, j, "", ERR_CONFIG, t, e);

	t->any = NULL;
	return rc;
}

#define EVERYTHING                                                                                 \
	"{\"flag\":true,\"mtu\":1400,\"delta\":-3,\"cookie\":\"18446744073709551615\","            \
	"\"name\":\"seven77\",\"attach\":\"macvlan\",\"ip\":\"10.0.0.1\",\"cidr\":\"fd00::5/64\"," \
	"\"mac\":\"02:00:00:00:00:01\",\"part\":{\"subnet\":\"10.0.0.0/24\"},"                     \
	"\"parts\":[{\"subnet\":\"10.0.1.0/24\",\"gateway\":\"10.0.1.1\"},"                        \
	"{\"subnet\":\"fd00::/64\"}],\"words\":[\"a\",\"bb\"]}"

static void reads_and_writes_back(void **state)
{
	struct thing t = { 0 };
	struct err e = { 0 };
	cleanup_json json *out = json_object();
	cleanup_free char *text = NULL;

	(void)state;
	assert_int_equal(read_text(EVERYTHING, &t, &e), 0);
	assert_int_equal(t.mtu, 1400);
	assert_true(t.cookie == UINT64_MAX);
	assert_int_equal(t.n_parts, 2);
	assert_int_equal(field_write(fields, &t, out, &e), 0);
	text = json_print(out);
	assert_string_equal(text, EVERYTHING);
}

static void leaves_what_is_absent(void **state)
{
	struct thing t = { .mtu = 1500, .name = "preset" };
	struct err e = { 0 };
	cleanup_json json *out = json_object();
	cleanup_free char *text = NULL;

	(void)state;
	assert_int_equal(read_text("{\"mtu\":null,\"other\":5}", &t, &e), 0);
	assert_int_equal(t.mtu, 1500);
	assert_string_equal(t.name, "preset");
	assert_int_equal(field_read(fields, NULL, "", ERR_CONFIG, &t, &e), 0);
	t = (struct thing){ 0 };
	assert_int_equal(field_write(fields, &t, out, &e), 0);
	text = json_print(out);
	assert_string_equal(text, "{}");
}

static void one_or_list(void **state)
{
	struct thing t = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(read_text("{\"WORDS\":\"one\",\"Attach\":\"VETH\",\"cookie\":7}", &t, &e),
			 0);
	assert_int_equal(t.n_words, 1);
	assert_string_equal(t.words[0], "one");
	assert_true(t.cookie == 7);
}

static void refuses(const char *text, const char *msg, const char *details)
{
	struct thing t = { 0 };
	struct err e = { 0 };

	assert_int_equal(read_text(text, &t, &e), -EINVAL);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, msg);
	assert_string_equal(e.details, details);
}

static void refuses_in_words(void **state)
{
	(void)state;
	refuses("{\"mtu\":\"1400\"}", "mtu: \"1400\" is a string",
		"allowed: a whole number from 68 to 65535");
	refuses("{\"mtu\":1.5}", "mtu: 1.5 is no whole number",
		"allowed: a whole number from 68 to 65535");
	refuses("{\"mtu\":-1}", "mtu: -1 is out of range",
		"allowed: a whole number from 68 to 65535");
	refuses("{\"mtu\":1e9}", "mtu: 1000000000 is out of range",
		"allowed: a whole number from 68 to 65535");
	refuses("{\"flag\":1}", "flag: 1 is a number", "allowed: true or false");
	refuses("{\"name\":\"12345678\"}", "name: \"12345678\" is too long",
		"allowed: a string of at most 7 bytes");
	refuses("{\"attach\":\"bond\"}", "attach: \"bond\" is unknown", "allowed: veth, macvlan");
	refuses("{\"cidr\":\"10.0.0.1\"}", "cidr: \"10.0.0.1\" lacks its prefix length",
		"allowed: an address with its prefix length such as \"10.0.1.5/24\"");
	refuses("{\"mac\":\"01:00:00:00:00:01\"}",
		"mac: \"01:00:00:00:00:01\" is no unicast MAC address",
		"allowed: a unicast MAC address such as \"02:00:0a:00:01:05\"");
	refuses("{\"part\":{}}", "part.subnet is missing",
		"allowed: a network such as \"10.0.1.0/24\" or \"fd00:0:0:1::/64\"");
	refuses("{\"parts\":[{\"subnet\":\"10.0.0.0/24\"},{\"subnet\":\"10.0.0.7/24\"}]}",
		"parts[1].subnet: \"10.0.0.7/24\" has host bits",
		"write the network: \"10.0.0.0/24\"");
	refuses("{\"parts\":{}}", "parts: {} is an object",
		"allowed: a list, each entry an object");
	refuses("{\"parts\":[{},{},{}]}", "parts: 3 entries are too many", "allowed: at most 2");
	refuses("{\"words\":[null]}", "words[0]: null is null",
		"allowed: a string of at most 5 bytes");
	refuses("{\"cookie\":\"-1\"}", "cookie: \"-1\" is no whole number",
		"allowed: a whole number as a string");
	refuses("{\"mtu\":70,\"MTU\":80}", "mtu: \"mtu\" and \"MTU\" are the same key",
		"keys are found whatever their case: keep one of the two");
	refuses("{\"mtu\":70,\"mtu\":80}", "mtu: the key stands twice",
		"keys are found whatever their case: keep one of the two");
	refuses("[]", "the document: [] is a list", "allowed: an object");
}

static void cuts_long_values(void **state)
{
	struct thing t = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_not_equal(read_text("{\"ip\":"
				       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				       "aaa\xc3\xa9\xc3\xa9\xc3\xa9\"}",
				       &t, &e),
			     0);
	assert_true(text_is_utf8(e.msg, strlen(e.msg)));
	assert_non_null(strstr(e.msg, "... is no IP address"));
	assert_true(strlen(e.msg) < 100);
}

static void note(void *ctx, const char *path, const char *meant)
{
	struct text *t = ctx;

	text_add(t, "%s%s%s ", path, meant ? "=" : "", meant ? meant : "");
}

static void lists_unknown_keys(void **state)
{
	cleanup_json json *j = must("{\"Flag\":1,\"foo\":2,\"falg\":3,\"part\":{\"x\":1},"
				    "\"parts\":[{},{\"subnet\":1,\"y\":1}],\"any\":{\"z\":1}}");
	char buf[100];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	field_unknown(fields, j, "", note, &t);
	assert_string_equal(buf, "foo falg=flag part.x parts[1].y ");
}

static void describes(void **state)
{
	char buf[4096];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	field_describe(fields, "ipam", &t);
	assert_false(t.overflow);
	assert_non_null(strstr(buf, "| `ipam.flag` | boolean | false | A flag. |\n"));
	assert_non_null(strstr(buf, "| `ipam.mtu` | number 68..65535 |  |  |\n"));
	assert_non_null(strstr(buf, "| `ipam.attach` | one of veth, macvlan |"));
	assert_non_null(strstr(buf, "| `ipam.parts[]` | list: object |"));
	assert_non_null(
		strstr(buf, "| `ipam.parts[].subnet` | network, required |  | The network. |\n"));
	assert_non_null(strstr(buf, "| `ipam.words[]` | one or a list: string |"));
	assert_null(strstr(buf, "cookie"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_back),
		cmocka_unit_test(leaves_what_is_absent),
		cmocka_unit_test(one_or_list),
		cmocka_unit_test(refuses_in_words),
		cmocka_unit_test(cuts_long_values),
		cmocka_unit_test(lists_unknown_keys),
		cmocka_unit_test(describes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
