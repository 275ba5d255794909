/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stdin: in which order it is judged, with which codes, and in which version errors answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cni/call.h"

static const struct verb add = { .name = "ADD", .since = SPEC_0_1_0 };
static const struct verb check = { .name = "CHECK", .since = SPEC_0_4_0 };
static const struct verb gc = { .name = "GC", .since = SPEC_1_1_0 };

static struct err e;

static void give_stdin(const char *text)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	fwrite(text, 1, strlen(text), f);
	fflush(f);
	rewind(f);
	dup2(fileno(f), STDIN_FILENO);
	fclose(f);
}

static int read_config(const struct verb *verb, const char *text, struct call *c)
{
	static const struct plugin plugin = { .name = "awsvpc" };

	memset(&e, 0, sizeof(e));
	json_free(c->root);
	free(c->config);
	*c = (struct call){ .plugin = &plugin,
			    .verb = verb,
			    .spec = SPEC_NEWEST,
			    .host = NETNS_NONE,
			    .nl = NETLINK_CLOSED,
			    .turn = -1 };
	give_stdin(text);
	return config_read(c, &e);
}

static void tells_codes_apart(void **state)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{ "", ERR_DECODE },
		{ "{\"name\":", ERR_DECODE },
		{ "[]", ERR_DECODE },
		{ "\"x\"", ERR_DECODE },
		{ "3", ERR_DECODE },
		{ "{\"name\":\"n\"} xx", ERR_DECODE },
		{ "null", ERR_CONFIG },
		{ "{}", ERR_CONFIG },
		{ "{\"name\":null}", ERR_CONFIG },
		{ "{\"name\":5}", ERR_DECODE },
		{ "{\"name\":\"../x\"}", ERR_CONFIG },
		{ "{\"name\":\"\"}", ERR_CONFIG },
		{ "{\"name\":\"\",\"cniVersion\":\"9\"}", ERR_CONFIG },
		{ "{\"name\":\"n\",\"cniVersion\":1}", ERR_DECODE },
		{ "{\"name\":\"n\",\"cniVersion\":\"2.0.0\"}", ERR_VERSION },
		{ "{\"name\":\"n\",\"cniVersion\":\"1.0\"}", ERR_VERSION },
	};
	struct call c = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_not_equal(read_config(&add, rows[i].text, &c), 0);
		assert_int_equal(e.code, rows[i].code);
	}
	call_end(&c);
}

static void reads_versions(void **state)
{
	struct call c = { 0 };

	(void)state;
	assert_int_equal(read_config(&add, "{\"name\":\"n\"}", &c), 0);
	assert_int_equal(c.spec, SPEC_0_1_0);
	assert_int_equal(read_config(&add, "{\"name\":\"n\",\"cniVersion\":\"\"}", &c), 0);
	assert_int_equal(c.spec, SPEC_0_1_0);
	assert_int_equal(read_config(&add, "{\"NAME\":\"n\",\"CNIVersion\":\"1.0.0\"}", &c), 0);
	assert_int_equal(c.spec, SPEC_1_0_0);
	assert_string_equal(c.network, "n");
	assert_int_not_equal(read_config(&add, "{\"name\":\"n\",\"cniVersion\":\"2.0.0\"}", &c), 0);
	assert_int_equal(c.spec, SPEC_NEWEST);
	assert_non_null(strstr(e.details, "2.0.0"));
	assert_non_null(strstr(e.details, "0.3.1"));
	call_end(&c);
}

static void knows_when_verbs_came(void **state)
{
	struct call c = { 0 };

	(void)state;
	assert_int_not_equal(read_config(&check, "{\"name\":\"n\",\"cniVersion\":\"0.3.1\"}", &c),
			     0);
	assert_int_equal(e.code, ERR_VERSION);
	assert_int_equal(c.spec, SPEC_0_3_1);
	assert_int_equal(read_config(&check, "{\"name\":\"n\",\"cniVersion\":\"0.4.0\"}", &c), 0);
	assert_int_not_equal(read_config(&gc, "{\"name\":\"n\",\"cniVersion\":\"1.0.0\"}", &c), 0);
	assert_int_equal(read_config(&gc, "{\"name\":\"n\",\"cniVersion\":\"1.1.0\"}", &c), 0);
	call_end(&c);
}

static void leaves_foreign_ipam_alone(void **state)
{
	struct call c = { 0 };

	(void)state;
	assert_int_equal(read_config(&add,
				     "{\"name\":\"n\",\"ipam\":{\"type\":\"host-local\","
				     "\"dataDir\":\"/x\"}}",
				     &c),
			 0);
	assert_string_equal(c.foreign, "host-local");
	assert_string_equal(c.data_dir, POOL_DATA_DIR);
	assert_int_equal(
		read_config(&add, "{\"name\":\"n\",\"ipam\":{\"dataDir\":\"/run/x\"}}", &c), 0);
	assert_null(c.foreign);
	assert_string_equal(c.data_dir, "/run/x");
	assert_int_equal(read_config(&add, "{\"name\":\"n\",\"ipam\":5}", &c), 0);
	assert_null(c.ipam);
	assert_string_equal(c.data_dir, POOL_DATA_DIR);
	call_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_codes_apart),
		cmocka_unit_test(reads_versions),
		cmocka_unit_test(knows_when_verbs_came),
		cmocka_unit_test(leaves_foreign_ipam_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
