/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment: what is missing is told whole, what is wrong by name and value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cni/call.h"

static const struct verb add = { .name = "ADD", .env = ENV_ATTACHMENT };
static const struct verb del = { .name = "DEL", .env = ENV_CONTAINER_ID | ENV_IFNAME };
static const struct verb gc = { .name = "GC" };

static struct env good(void)
{
	return (struct env){ .container_id = "c1", .netns = "/run/netns/c1", .ifname = "eth0" };
}

static void names_all_that_is_missing(void **state)
{
	struct env env = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_not_equal(env_judge(&env, &add, &e), 0);
	assert_int_equal(e.code, ERR_ENVIRONMENT);
	assert_non_null(strstr(e.msg, "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME"));
	assert_int_not_equal(env_judge(&env, &del, &e), 0);
	assert_null(strstr(e.msg, "CNI_NETNS"));
	assert_int_equal(env_judge(&env, &gc, &e), 0);
}

static void takes_empty_as_unset(void **state)
{
	struct env env;

	(void)state;
	setenv("CNI_NETNS", "", 1);
	setenv("CNI_IFNAME", "eth0", 1);
	unsetenv("CNI_ARGS");
	env_read(&env);
	assert_null(env.netns);
	assert_null(env.args);
	assert_string_equal(env.ifname, "eth0");
}

static void judges_container_ids(void **state)
{
	static const char *const bad[] = {
		"../../etc", "-a", "a b", "a\n", "\xc3\xa9", ".", "a/b"
	};
	struct env env = good();
	struct err e = { 0 };
	char id[302];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		env.container_id = bad[i];
		assert_int_not_equal(env_judge(&env, &del, &e), 0);
		assert_int_equal(e.code, ERR_ENVIRONMENT);
		assert_non_null(strstr(e.msg, "CNI_CONTAINERID"));
		assert_null(strchr(e.msg, '\n'));
	}
	memset(id, 'a', sizeof(id));
	env.container_id = id;
	id[255] = '\0';
	assert_int_equal(env_judge(&env, &add, &e), 0);
	id[255] = 'a';
	id[256] = '\0';
	assert_int_not_equal(env_judge(&env, &add, &e), 0);
	env.container_id = "A9_x.y-z";
	assert_int_equal(env_judge(&env, &add, &e), 0);
}

static void judges_interface_names(void **state)
{
	static const char *const bad[] = {
		"abcdefghijklmnop",
		"a/b",
		"a:b",
		".",
		"..",
		"a b",
		"a\tb",
		"a\xc2\xa0"
		"b",
		"a\xe2\x80\x83"
		"b",
		"a\xc2\x85",
		"\xff",
		"\xc3\xa0",
		"eth%d",
		"all",
		"default",
	};
	static const char *const fine[] = { "abcdefghijklmno", "eth0.5", "lo", "e\xc3\xa9",
					    "all0" };
	struct env env = good();
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		env.ifname = bad[i];
		assert_int_not_equal(env_judge(&env, &del, &e), 0);
		assert_int_equal(e.code, ERR_ENVIRONMENT);
		assert_non_null(strstr(e.msg, "CNI_IFNAME"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
		env.ifname = fine[i];
		assert_int_equal(env_judge(&env, &del, &e), 0);
	}
}

static void knows_its_versions(void **state)
{
	enum spec spec = SPEC_0_1_0;

	(void)state;
	for (unsigned i = 0; i < SPEC_COUNT; i++) {
		assert_true(spec_find(spec_names[i], &spec));
		assert_int_equal(spec, i);
	}
	assert_false(spec_find("1.0", &spec));
	assert_false(spec_find("v1.0.0", &spec));
	assert_false(spec_find("", &spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_all_that_is_missing),
		cmocka_unit_test(takes_empty_as_unset),
		cmocka_unit_test(judges_container_ids),
		cmocka_unit_test(judges_interface_names),
		cmocka_unit_test(knows_its_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
