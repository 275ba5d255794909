/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents: what is refused as Go refuses it, how keys are found, what building gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "json/json.h"

static int parse(const char *text, size_t len)
{
	cleanup_json json *j = NULL;
	struct err e = { 0 };
	int rc = json_parse(text, len, "stdin", &j, &e);

	if (rc) {
		assert_int_equal(e.code, ERR_DECODE);
		assert_null(j);
		assert_memory_equal(e.msg, "stdin ", 6);
	} else {
		assert_non_null(j);
	}
	return rc;
}

static void refuses_what_go_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{\"name\":",
		"{\"a\":1} xx",
		"{}{}",
		"\xef\xbb\xbf{}",
		"01",
		"+1",
		".5",
		"1.",
		"-",
		"1e",
		"0x1",
		"1_000",
		"NaN",
		"Infinity",
		"tru",
		"nulx",
		"\"\x01\"",
		"\"a\tb\"",
		"\"\x80\"",
		"\"\xc0\x80\"",
		"\"\xed\xa0\x80\"",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\ud800\"",
		"\"\\udc00\"",
		"\"\\ud800\\u0041\"",
		"\"a\\u0000b\"",
		"\"open",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{\"a\" 1}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"[1}",
		"{1:2}",
		"/**/{}",
		"[1]]",
		"\f{}",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!parse(bad[i], strlen(bad[i])))
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_not_equal(parse("{}\0", 3), 0);
	assert_int_not_equal(parse("{\"a\":\"\0\"}", 9), 0);
}

static void accepts_what_go_accepts(void **state)
{
	static const char *const good[] = {
		"null",
		"3",
		"\"x\"",
		"[]",
		" {} \n",
		"-0",
		"0.5",
		"1e5",
		"1E+5",
		"-1.25e-3",
		"\"\xc3\xa9\"",
		"\"\\u00e9\\ud83d\\ude00\\n\"",
		"{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
		"[true,false]",
		"1e999",
		"\"\x7f\"",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		if (parse(good[i], strlen(good[i])))
			fail_msg("refused: %s", good[i]);
	}
	/* No NUL behind the text is needed: the length counts. */
	assert_int_equal(parse("[12]]]]", 4), 0);
	assert_int_equal(parse("12345", 2), 0);
}

static void names_the_place(void **state)
{
	json *j = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_not_equal(json_parse("{\"a\":01}", 8, "result of host-local", &j, &e), 0);
	assert_string_equal(e.msg, "result of host-local is no valid JSON: "
				   "a number starts with a needless 0 at byte 6");
}

static void bounds_the_depth(void **state)
{
	enum {
		DEEP = 20000
	};
	char *text = malloc(DEEP * 2);

	(void)state;
	memset(text, '[', DEEP);
	memset(text + DEEP, ']', DEEP);
	assert_int_not_equal(parse(text, DEEP * 2), 0);
	assert_int_not_equal(parse(text, DEEP), 0);
	assert_int_equal(parse(text + DEEP - JSON_DEPTH, JSON_DEPTH * 2), 0);
	assert_int_not_equal(parse(text + DEEP - JSON_DEPTH - 1, JSON_DEPTH * 2 + 2), 0);
	for (int i = 0; i < DEEP / 5; i++)
		memcpy(text + i * 5, "{\"a\":", 5);
	assert_int_not_equal(parse(text, DEEP), 0);
	free(text);
}

static void takes_five_megabytes(void **state)
{
	enum {
		BIG = 5 << 20
	};
	char *text = malloc(BIG);

	(void)state;
	memset(text, ' ', BIG);
	text[0] = '{';
	text[BIG - 1] = '}';
	assert_int_equal(parse(text, BIG), 0);
	memset(text, 'x', BIG);
	memcpy(text, "{\"pad\":\"", 8);
	memcpy(text + BIG - 2, "\"}", 2);
	assert_int_equal(parse(text, BIG), 0);
	free(text);
}

static json *must(const char *text)
{
	json *j = NULL;
	struct err e = { 0 };

	if (json_parse(text, strlen(text), "test", &j, &e))
		fail_msg("%s", e.msg);
	return j;
}

static void finds_keys_as_go_does(void **state)
{
	cleanup_json json *j = must("{\"HostPort\":1,\"a\":2,\"A\":3,\"a\":4,\"b\":5,\"B\":6}");
	int64_t n;

	(void)state;
	assert_true(json_integer(json_get(j, "hostPort"), &n) && n == 1);
	assert_true(json_integer(json_get(j, "a"), &n) && n == 4);
	assert_true(json_integer(json_get(j, "A"), &n) && n == 3);
	assert_null(json_get(j, "c"));
	assert_null(json_get(NULL, "c"));
	assert_null(json_get(json_get(j, "a"), "c"));
}

/* One after the other, in the order of the document; letters alone have a case. */
static void finds_all_of_a_name(void **state)
{
	cleanup_json json *j = must("{\"\":0,\"@x\":1,\"Ab\":2,\"b\":3,\"aB\":4,\"`x\":5}");
	const json *i = json_find(json_first(j), "ab");
	int64_t n;

	(void)state;
	assert_true(json_integer(i, &n) && n == 2);
	i = json_find(json_next(i), "AB");
	assert_true(json_integer(i, &n) && n == 4);
	assert_null(json_find(json_next(i), "ab"));
	assert_true(json_integer(json_find(json_first(j), "`x"), &n) && n == 5);
	assert_true(json_integer(json_find(json_first(j), ""), &n) && n == 0);
	assert_null(json_find(json_first(j), " "));
	assert_null(json_find(NULL, "ab"));
}

static void tells_kinds_and_integers(void **state)
{
	cleanup_json json *j = must("[null,true,1,\"s\",[],{},1.5,9007199254740992,1e300,1e15,-1]");
	static const enum json_kind kinds[] = {
		JSON_IS_NULL,   JSON_IS_BOOL,   JSON_IS_NUMBER, JSON_IS_STRING,
		JSON_IS_ARRAY,  JSON_IS_OBJECT, JSON_IS_NUMBER, JSON_IS_NUMBER,
		JSON_IS_NUMBER, JSON_IS_NUMBER, JSON_IS_NUMBER,
	};
	static const bool whole[] = { 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1 };
	const json *i = json_first(j);
	int64_t n;

	(void)state;
	assert_int_equal(json_count(j), 11);
	for (unsigned k = 0; k < 11; k++, i = json_next(i)) {
		assert_int_equal(json_kind(i), kinds[k]);
		assert_int_equal(json_integer(i, &n), whole[k]);
	}
	assert_true(json_is_absent(NULL) && json_is_absent(json_first(j)) && !json_is_absent(j));
	assert_true(json_bool(json_next(json_first(j)), false));
	assert_true(json_bool(j, true));
	assert_null(json_string(j));
}

static void builds(void **state)
{
	cleanup_json json *j = json_object(), *copy = NULL;
	json *list = json_add_array(j, "list");
	cleanup_free char *text = NULL;

	(void)state;
	json_add_string(list, NULL, "x\"y");
	json_add_integer(list, NULL, -5);
	json_add_integer(list, NULL, 4294967295);
	json_add_bool(json_add_object(j, "sub"), "yes", true);
	json_add_copy(j, "copy", list);
	json_add_integer(j, "Gone", 1);
	json_add_integer(j, "gone", 1);
	json_remove(j, "gone");
	assert_null(json_add_string(NULL, "a", "b"));
	text = json_print(j);
	assert_string_equal(text, "{\"list\":[\"x\\\"y\",-5,4294967295],\"sub\":{\"yes\":true},"
				  "\"copy\":[\"x\\\"y\",-5,4294967295]}");
	copy = json_copy(j);
	assert_int_equal(json_count(copy), 3);
	assert_string_equal(json_key(json_first(copy)), "list");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_go_refuses),
		cmocka_unit_test(accepts_what_go_accepts),
		cmocka_unit_test(names_the_place),
		cmocka_unit_test(bounds_the_depth),
		cmocka_unit_test(takes_five_megabytes),
		cmocka_unit_test(finds_keys_as_go_does),
		cmocka_unit_test(finds_all_of_a_name),
		cmocka_unit_test(tells_kinds_and_integers),
		cmocka_unit_test(builds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
