/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What everything stands on: errors, bounded text, addresses, whole reads and writes, ids. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/id.h"
#include "base/io.h"
#include "base/ip.h"
#include "base/text.h"

/* ---- err ---- */

static void an_error_is_set_and_forgets(void **state)
{
	struct err e = { .code = 7, .sys = 5, .msg = "old", .details = "old" };

	(void)state;
	assert_int_equal(err_set(&e, ERR_KERNEL, ENOENT, "no %s", "eth0"), -ENOENT);
	assert_int_equal(e.code, ERR_KERNEL);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg, "no eth0");
	assert_string_equal(e.details, "");
	assert_int_equal(err_set(&e, ERR_CONFIG, 0, "bad"), -EINVAL);
	assert_int_equal(e.sys, 0);
	assert_int_equal(err_sys(&e, ERR_IO, EACCES, "cannot read %d", 3), -EACCES);
	assert_string_equal(e.msg, "cannot read 3: Permission denied");
}

static void an_error_gets_context(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_CONFIG, 0, "must be a number");
	err_hint(&e, "write %d", 5);
	err_prefix(&e, "%s[%d]", "mtu", 2);
	err_prefix(&e, "plugin");
	assert_string_equal(e.msg, "plugin: mtu[2]: must be a number");
	assert_string_equal(e.details, "write 5");
	assert_int_equal(e.code, ERR_CONFIG);
	err_hint(&e, "%s", "");
	assert_string_equal(e.details, "");
	/* Its own words, put in front of themselves. */
	err_set(&e, ERR_CONFIG, 0, "a");
	err_prefix(&e, "%s", "b: a");
	assert_string_equal(e.msg, "b: a: a");
}

static void a_long_error_is_cut(void **state)
{
	char big[4096];
	struct err e;

	(void)state;
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	err_set(&e, ERR_CONFIG, 0, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_prefix(&e, "key");
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "key: xxx", 8);
	err_prefix(&e, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(err_sys(&e, ERR_IO, EIO, "%s", big), -EIO);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_hint(&e, "%s", big);
	assert_int_equal(strlen(e.details), sizeof(e.details) - 1);
}

/* ---- text ---- */

static void text_remembers_overflow(void **state)
{
	char room[12] = "##########!", *buf = room + 1; /* nothing before or behind is written */
	struct text t;

	(void)state;
	text_init(&t, buf, 8);
	assert_string_equal(buf, "");
	text_add(&t, "%s", "");
	text_add(&t, "%d-%s", 12, "abcd");
	assert_string_equal(buf, "12-abcd");
	assert_int_equal(t.len, 7);
	assert_false(t.overflow);
	text_add(&t, "%s", "");
	assert_false(t.overflow);
	text_add(&t, "e");
	assert_true(t.overflow);
	assert_string_equal(buf, "12-abcd");
	text_add(&t, "%s", "");
	assert_true(t.overflow);
	text_init(&t, buf, 8);
	text_add(&t, "123456789");
	assert_string_equal(buf, "1234567");
	assert_int_equal(t.len, 7);
	assert_true(t.overflow && room[0] == '#' && room[9] == '#');
	text_init(&t, buf, 1);
	text_add(&t, "x");
	assert_true(t.overflow && t.len == 0 && !buf[0]);
}

static void shell_reads_back_what_was_quoted(void **state)
{
	static const char *const words[][2] = {
		{ "eth0", "eth0" },
		{ "10.0.1.4/24", "10.0.1.4/24" },
		{ "fd00::1", "fd00::1" },
		{ "a_b-c+d=e,f@g%h", "a_b-c+d=e,f@g%h" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "$(x)", "'$(x)'" },
		{ "`x`", "'`x`'" },
		{ "~", "'~'" },
		{ "*", "'*'" },
		{ "a\nb", "'a\nb'" },
		{ "it's", "'it'\\''s'" },
		{ "'", "''\\'''" },
		{ "\"\\", "'\"\\'" },
		{ "{ x; }", "'{ x; }'" },
		{ "caf\xc3\xa9", "'caf\xc3\xa9'" },
		{ "!#&|<>^[]?", "'!#&|<>^[]?'" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		char buf[64], command[128], back[64];
		struct text t;
		FILE *sh;
		size_t n;

		text_init(&t, buf, sizeof(buf));
		text_add_shell(&t, words[i][0]);
		assert_string_equal(buf, words[i][1]);
		snprintf(command, sizeof(command), "printf %%s %s", buf);
		sh = popen(command, "r");
		assert_non_null(sh);
		n = fread(back, 1, sizeof(back) - 1, sh);
		assert_int_equal(pclose(sh), 0);
		back[n] = '\0';
		assert_string_equal(back, words[i][0]);
	}
}

static void quoting_overflows_like_the_rest(void **state)
{
	char buf[6];
	struct text t;

	(void)state;
	text_init(&t, buf, sizeof(buf));
	text_add_shell(&t, "a'b");
	assert_true(t.overflow);
	assert_int_equal(strlen(buf), 5);
	text_init(&t, buf, sizeof(buf));
	text_add_shell(&t, "a b");
	assert_false(t.overflow);
	assert_string_equal(buf, "'a b'");
}

static void base64_is_that_of_rfc_4648(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },          { "f", "Zg==\n" },        { "fo", "Zm8=\n" },
		{ "foo", "Zm9v\n" }, { "foob", "Zm9vYg==\n" }, { "\xff\xfe\xfb", "//77\n" }
	};
	char buf[128], many[58];
	struct text t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		text_init(&t, buf, sizeof(buf));
		text_add_base64(&t, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf, pairs[i][1]);
	}
	/* Lines of 76, the last one full or not, each with one newline. */
	memset(many, 'x', sizeof(many));
	for (size_t len = 56; len <= 58; len++) {
		text_init(&t, buf, sizeof(buf));
		text_add_base64(&t, many, len);
		assert_int_equal(strcspn(buf, "\n"), 76);
		assert_int_equal(t.len, len < 58 ? 77 : 77 + 5);
		assert_int_equal(buf[t.len - 1], '\n');
	}
}

static void utf8_is_told(void **state)
{
	static const char *const good[] = { "",
					    "abc",
					    "\x7f",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xef\xbf\xbf",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf",
					    "a\xc3\xa9z\xe2\x82\xac\xf0\x9f\x98\x80" };
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80", /* overlong */
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", /* surrogates */
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80", /* beyond U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xfe",
		"\xff",
		"\xc3", /* cut */
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xc3(", /* not continued */
		"\xe2(\xac",
		"\xe2\x82(",
		"ok\xc3\xa9\xa9",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++)
		if (!text_is_utf8(good[i], strlen(good[i])))
			fail_msg("good[%u] was refused", i);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (text_is_utf8(bad[i], strlen(bad[i])))
			fail_msg("bad[%u] was accepted", i);
	assert_true(text_is_utf8("a\0b", 3));
	/* The length counts, not what stands behind it. */
	assert_false(text_is_utf8("\xc3\xa9", 1));
	assert_true(text_is_utf8("a\xff", 1));
}

static void text_is_made_printable(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a\nb\tc\x1b[0m", "a?b?c?[0m" },
		{ "\x7f\x01", "??" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xc2\x85\xc2\x9f\xc2\xa0", "??\xc2\xa0" }, /* C1 controls, then a space */
		{ "\xff\xc3", "??" },
		{ "\xe2\x82z", "??z" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		/* U+202E, U+2066, U+200B, U+FEFF, U+061C, U+E0041; and neighbours of them */
		{ "a\xe2\x80\xae"
		  "b\xe2\x81\xa6"
		  "c\xe2\x80\x8b"
		  "d",
		  "a?b?c?d" },
		{ "\xef\xbb\xbf"
		  "a\xd8\x9c"
		  "b\xf3\xa0\x81\x81",
		  "?a?b?" },
		{ "\xe2\x80\x93\xe2\x80\xa6\xd8\x9b", "\xe2\x80\x93\xe2\x80\xa6\xd8\x9b" },
	};
	char buf[32];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		text_printable(buf, sizeof(buf), rows[i][0]);
		assert_string_equal(buf, rows[i][1]);
		assert_int_equal(text_is_printable(rows[i][0]), !strcmp(buf, rows[i][0]));
	}
	text_printable(buf, 4, "abcdef");
	assert_string_equal(buf, "abc");
	/* No half a character where it is cut. */
	text_printable(buf, 4, "ab\xc3\xa9");
	assert_string_equal(buf, "ab");
	text_printable(buf, 5, "ab\xc3\xa9");
	assert_string_equal(buf, "ab\xc3\xa9");
	text_printable(buf, 1, "abc");
	assert_string_equal(buf, "");
}

static void text_is_copied_whole_or_not(void **state)
{
	char buf[4] = "old";

	(void)state;
	assert_true(text_copy(buf, sizeof(buf), "abc"));
	assert_string_equal(buf, "abc");
	assert_false(text_copy(buf, sizeof(buf), "abcd"));
	assert_string_equal(buf, "");
	assert_true(text_copy(buf, sizeof(buf), ""));
	assert_true(text_copy(buf, 1, ""));
	assert_false(text_copy(buf, 1, "a"));
}

/* The published vectors of FNV-1a, 64 bit. */
static void the_hash_is_fnv(void **state)
{
	(void)state;
	assert_true(hash_bytes(HASH_START, "", 0) == HASH_START);
	assert_true(hash_bytes(HASH_START, "a", 1) == 0xaf63dc4c8601ec8cULL);
	assert_true(hash_bytes(HASH_START, "foobar", 6) == 0x85944171f73967e8ULL);
	assert_true(hash_text(hash_text(HASH_START, "a"), "bc") !=
		    hash_text(hash_text(HASH_START, "ab"), "c"));
}

/* ---- addresses ---- */

static struct ip ip(const char *text)
{
	struct ip a = { 0 };

	if (!ip_parse(text, &a))
		fail_msg("%s was refused", text);
	return a;
}

static struct cidr cidr(const char *text)
{
	struct cidr c = { 0 };

	if (!cidr_parse(text, &c))
		fail_msg("%s was refused", text);
	return c;
}

static void reads_as(struct ip a, const char *want)
{
	char buf[IP_TEXT];

	assert_string_equal(ip_text(&a, buf), want);
}

static void addresses_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.04",
		" 1.2.3.4",
		"1.2.3.4 ",
		"1.2.3.4\n",
		"1.2.3.-4",
		"+1.2.3.4",
		"0x1.2.3.4",
		"1.2.3.4/24",
		"1..3.4",
		"1.2.3.",
		"a.b.c.d",
		":",
		":::",
		"1::2::3",
		"g::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"12345::",
		"fe80::1%eth0",
		"[::1]",
		"::1/64",
		" ::1",
		"::1 ",
		"::1.2.3",
		"::256.1.1.1",
		"1.2.3.4::",
	};
	static const char *const same[][2] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "FD00:0:0:0:0:0:0:1", "fd00::1" },
		{ "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "2001:db8::0:1:0", "2001:db8::1:0" },
	};
	struct ip a = { .family = 99 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (ip_parse(bad[i], &a))
			fail_msg("\"%s\" was accepted", bad[i]);
	assert_int_equal(a.family, 99); /* a refusal writes nothing */
	for (unsigned i = 0; i < ARRAY_SIZE(same); i++)
		reads_as(ip(same[i][0]), same[i][1]);
	reads_as((struct ip){ 0 }, "none");
	/* The rest of an IPv4 address is 0, so that bytes may be compared. */
	a = ip("255.255.255.255");
	assert_int_equal(a.b[4] | a.b[15], 0);
}

static void prefixes_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"/24",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/024",
		"10.0.0.0/ 8",
		"10.0.0.0/8 ",
		"10.0.0.0/+8",
		"10.0.0.0/-1",
		"10.0.0.0/8/8",
		"10.0.0.0/00",
		"10.0.0.0/4294967304",
		"10.0.0.0/18446744073709551624",
		"10.0.0/8",
		"10.0.0.0/255.0.0.0",
		"10.0.0.0/a",
		"fd00::/129",
		"fd00::/",
		"fd00::1%lo/64",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64"
	};
	static const char *const good[] = {
		"0.0.0.0/0",  "10.0.1.4/24", "10.0.1.4/32", "::/0",
		"fd00::1/64", "fd00::1/128", "10.0.0.0/9",  "fd00::/10"
	};
	char buf[IP_TEXT];
	struct cidr c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (cidr_parse(bad[i], &c))
			fail_msg("\"%s\" was accepted", bad[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		c = cidr(good[i]);
		assert_string_equal(cidr_text(&c, buf), good[i]);
	}
	/* The longest text there is fits. */
	c = cidr("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128");
	assert_string_equal(cidr_text(&c, buf), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

static void macs_are_read_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		"02:00:00:00:00",
		"02:00:00:00:00:00:00",
		"02:00:00:00:00:0",
		"2:0:0:0:0:0",
		"02-00-00-00-00-00",
		"020000000000",
		"0g:00:00:00:00:00",
		"02:00:00:00:00:00 ",
		" 02:00:00:00:00:0",
		"02:00:00:00:00-00",
		"02::00:00:00:00:0",
		"+2:00:00:00:00:00",
		"02:00:00:00:00:0g",
	};
	struct mac m, none = { 0 };
	char buf[MAC_TEXT];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (mac_parse(bad[i], &m))
			fail_msg("\"%s\" was accepted", bad[i]);
	assert_true(mac_parse("02:AB:cd:EF:09:ff", &m));
	assert_string_equal(mac_text(&m, buf), "02:ab:cd:ef:09:ff");
	assert_true(mac_is_unicast(&m) && mac_is_set(&m) && mac_equal(&m, &m));
	assert_false(mac_is_set(&none) || mac_equal(&m, &none));
	assert_true(mac_parse("ff:ff:ff:ff:ff:ff", &m) && !mac_is_unicast(&m));
	assert_true(mac_parse("01:00:5e:00:00:01", &m) && !mac_is_unicast(&m));
}

static void adds(const char *from, ip_num n, const char *want)
{
	struct ip a = ip(from);

	reads_as(ip_add(&a, n), want);
}

static void arithmetic_holds_at_the_ends(void **state)
{
	static const char last6[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
	struct ip a = ip(last6), b = ip("1.2.3.4");

	(void)state;
	adds("10.0.0.255", 1, "10.0.1.0");
	adds("255.255.255.255", 0, "255.255.255.255");
	adds("255.255.255.255", 1, "0.0.0.0");
	adds("0.0.0.0", (ip_num)-1, "255.255.255.255");
	adds("10.0.1.0", (ip_num)-1, "10.0.0.255");
	adds("10.0.0.1", (ip_num)1 << 32, "10.0.0.1");
	adds("fd00::ffff:ffff:ffff:ffff", 1, "fd00:0:0:1::");
	adds("::", (ip_num)-1, last6);
	adds(last6, 1, "::");
	adds("::", (ip_num)1 << 127, "8000::");
	assert_true(ip_to_num(&a) == ~(ip_num)0 && ip_to_num(&b) == 0x01020304);
	assert_true(ip_bits(&a) == 128 && ip_size(&a) == 16 && ip_bits(&b) == 32 &&
		    ip_size(&b) == 4);
	a = ip_from_num(AF_INET, ip_to_num(&b));
	assert_true(ip_equal(&a, &b) && ip_is_set(&a));
}

static void addresses_have_an_order(void **state)
{
	static const char *const rising[] = {
		"0.0.0.0",   "0.0.0.1",         "10.0.0.255", "10.0.1.0", "127.255.255.255",
		"128.0.0.0", "255.255.255.255", "::",         "::1",      "7fff::",
		"8000::",    "ffff::"
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rising); i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(rising); k++) {
			struct ip a = ip(rising[i]), b = ip(rising[k]);
			int c = ip_cmp(&a, &b);

			assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
			assert_int_equal(ip_equal(&a, &b), i == k);
		}
	}
}

static void kind(const char *text, bool (*is)(const struct ip *), bool want)
{
	struct ip a = ip(text);

	if (is(&a) != want)
		fail_msg("%s is misjudged", text);
}

static void unmaps_to(const char *text, const char *want)
{
	struct ip a = ip(text);

	ip_unmap(&a);
	reads_as(a, want);
}

static void mapped_addresses_are_those_of_ipv4(void **state)
{
	(void)state;
	unmaps_to("::ffff:192.0.2.1", "192.0.2.1");
	unmaps_to("::ffff:0:0", "0.0.0.0");
	unmaps_to("192.0.2.1", "192.0.2.1");
	unmaps_to("::fffe:c000:201", "::fffe:c000:201");
	unmaps_to("64:ff9b::c000:201", "64:ff9b::c000:201");
	unmaps_to("::", "::");
}

static void addresses_have_kinds(void **state)
{
	struct ip none = { 0 };

	(void)state;
	kind("223.255.255.255", ip_is_multicast, false);
	kind("224.0.0.0", ip_is_multicast, true);
	kind("239.255.255.255", ip_is_multicast, true);
	kind("240.0.0.0", ip_is_multicast, false);
	kind("ff00::", ip_is_multicast, true);
	kind("feff::", ip_is_multicast, false);
	kind("126.255.255.255", ip_is_loopback, false);
	kind("127.0.0.0", ip_is_loopback, true);
	kind("127.255.255.255", ip_is_loopback, true);
	kind("::1", ip_is_loopback, true);
	kind("::2", ip_is_loopback, false);
	kind("0.0.0.0", ip_is_unspecified, true);
	kind("::", ip_is_unspecified, true);
	kind("0.0.0.1", ip_is_unspecified, false);
	kind("169.254.0.0", ip_is_link_local, true);
	kind("169.253.255.255", ip_is_link_local, false);
	kind("169.255.0.0", ip_is_link_local, false);
	kind("fe80::", ip_is_link_local, true);
	kind("febf::", ip_is_link_local, true);
	kind("fec0::", ip_is_link_local, false);
	kind("fe7f::", ip_is_link_local, false);
	assert_false(ip_is_set(&none) || ip_is_unspecified(&none));
}

static void spans(const char *text, const char *first, const char *last, uint64_t size)
{
	struct cidr c = cidr(text);
	struct ip_span s = cidr_span(&c);

	reads_as(cidr_first(&c), first);
	reads_as(cidr_last(&c), last);
	reads_as(s.first, first);
	reads_as(s.last, last);
	assert_true(span_size(&s) == size);
	assert_true(span_contains(&s, &s.first) && span_contains(&s, &s.last));
	assert_true(cidr_contains(&c, &c.ip));
}

static void prefixes_have_spans(void **state)
{
	struct cidr c, host;

	(void)state;
	spans("10.0.1.77/24", "10.0.1.0", "10.0.1.255", 256);
	spans("0.0.0.0/0", "0.0.0.0", "255.255.255.255", 1ULL << 32);
	spans("255.255.255.255/32", "255.255.255.255", "255.255.255.255", 1);
	spans("10.0.0.7/31", "10.0.0.6", "10.0.0.7", 2);
	spans("128.1.1.1/1", "128.0.0.0", "255.255.255.255", 1ULL << 31);
	spans("fd00::9/127", "fd00::8", "fd00::9", 2);
	spans("fd00::9/128", "fd00::9", "fd00::9", 1);
	spans("fd00::1/65", "fd00::", "fd00::7fff:ffff:ffff:ffff", 1ULL << 63);
	spans("fd00::1/64", "fd00::", "fd00::ffff:ffff:ffff:ffff", UINT64_MAX);
	spans("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UINT64_MAX);
	c = cidr("10.0.1.4/24");
	assert_true(cidr_has_host_bits(&c));
	c = cidr("10.0.1.0/24");
	assert_false(cidr_has_host_bits(&c));
	c = cidr("::1/0");
	assert_true(cidr_has_host_bits(&c));
	host = cidr_host(&c.ip);
	assert_int_equal(host.len, 128);
	assert_false(cidr_has_host_bits(&host) || cidr_equal(&host, &c));
}

static void contains(const char *prefix, const char *address, bool want)
{
	struct cidr c = cidr(prefix);
	struct ip a = ip(address);

	if (cidr_contains(&c, &a) != want)
		fail_msg("%s, %s", prefix, address);
}

static void overlaps(const char *one, const char *two, bool want)
{
	struct cidr a = cidr(one), b = cidr(two);

	if (cidr_overlap(&a, &b) != want || cidr_overlap(&b, &a) != want)
		fail_msg("%s, %s", one, two);
}

static void prefixes_contain_and_overlap(void **state)
{
	(void)state;
	contains("10.0.1.9/24", "10.0.1.0", true);
	contains("10.0.1.9/24", "10.0.1.255", true);
	contains("10.0.1.0/24", "10.0.0.255", false);
	contains("10.0.1.0/24", "10.0.2.0", false);
	contains("0.0.0.0/0", "255.255.255.255", true);
	contains("0.0.0.0/0", "::", false);
	contains("::/0", "0.0.0.0", false);
	contains("::/0", "ffff::", true);
	contains("fd00::/64", "fd00:0:0:1::", false);
	overlaps("10.0.0.0/8", "10.1.2.0/24", true);
	overlaps("10.0.1.7/24", "10.0.1.200/25", true);
	overlaps("10.0.0.0/24", "10.0.1.0/24", false);
	overlaps("10.0.1.0/25", "10.0.1.128/25", false);
	overlaps("10.0.1.4/32", "10.0.1.4/32", true);
	overlaps("0.0.0.0/0", "255.255.255.255/32", true);
	overlaps("0.0.0.0/0", "::/0", false);
	overlaps("fd00::/48", "fd00:0:0:ffff::/64", true);
	overlaps("fd00::/64", "fd00:0:0:1::/64", false);
}

/* ---- io ---- */

static volatile sig_atomic_t count_alarm;

static void on_alarm(int signal)
{
	(void)signal;
	count_alarm++;
}

/* Every call that blocks is broken off by a signal each millisecond. */
static void start_interrupting(void)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval each = { .it_interval = { 0, 1000 }, .it_value = { 0, 1000 } };

	count_alarm = 0;
	assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &each, NULL), 0);
}

static void stop_interrupting(void)
{
	struct itimerval never = { 0 };

	/* The handler stays: a signal may still be on its way. */
	setitimer(ITIMER_REAL, &never, NULL);
	assert_true(count_alarm > 0);
}

#define BIG 300000u

static char pattern(size_t i)
{
	return (char)(i * 31 + (i >> 9));
}

static void whole_reads_outlast_signals(void **state)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	int p[2], status;
	pid_t writer;

	(void)state;
	assert_int_equal(pipe(p), 0);
	writer = fork();
	if (!writer) {
		for (size_t i = 0; i < BIG;) {
			char piece[7777];
			size_t n = 0;

			while (n < sizeof(piece) && i < BIG)
				piece[n++] = pattern(i++);
			usleep(2000);
			if (io_write_all(p[1], piece, n))
				_exit(1);
		}
		_exit(0);
	}
	close(p[1]);
	start_interrupting();
	assert_int_equal(io_read_all(p[0], BIG, &text, &len), 0);
	stop_interrupting();
	assert_int_equal(len, BIG);
	for (size_t i = 0; i < BIG; i++)
		if (text[i] != pattern(i))
			fail_msg("byte %zu", i);
	assert_int_equal(text[BIG], '\0');
	close(p[0]);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
}

static int read_differs(int fd, const char *want)
{
	cleanup_free char *back = NULL;
	size_t len;

	return io_read_all(fd, BIG, &back, &len) || len != BIG || memcmp(back, want, BIG) != 0;
}

static void whole_writes_outlast_signals(void **state)
{
	cleanup_free char *text = malloc(BIG);
	int p[2], status;
	pid_t reader;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < BIG; i++)
		text[i] = pattern(i);
	assert_int_equal(pipe(p), 0);
	reader = fork();
	if (!reader) {
		close(p[1]);
		usleep(20000); /* the pipe is full by then, and the writer blocked */
		status = read_differs(p[0], text);
		free(text);
		_exit(status);
	}
	close(p[0]);
	start_interrupting();
	assert_int_equal(io_write_all(p[1], text, BIG), 0);
	close(p[1]);
	while (waitpid(reader, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	stop_interrupting();
	assert_int_equal(status, 0);
}

/* A file of so many bytes, read with this limit. */
static int read_sized(size_t size, size_t limit, size_t *ret_len)
{
	cleanup_close int fd = memfd_create("sized", MFD_CLOEXEC);
	cleanup_free char *text = NULL;
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	rc = io_read_all(fd, limit, &text, ret_len);
	assert_int_equal(rc == 0, text != NULL);
	assert_true(!text || text[*ret_len] == '\0');
	return rc;
}

static void reads_have_a_limit(void **state)
{
	static const size_t sizes[] = { 0, 1, 16382, 16383, 16384, 16385, 32767, 32768, 100000 };
	size_t len;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(read_sized(sizes[i], sizes[i], &len), 0);
		assert_int_equal(len, sizes[i]);
		assert_int_equal(read_sized(sizes[i] + 1, sizes[i], &len), -EFBIG);
	}
	assert_int_equal(read_sized(5, 1u << 20, &len), 0);
	assert_int_equal(len, 5);
}

static void io_tells_what_failed(void **state)
{
	char buf[8], *text = NULL;
	size_t len;
	int p[2];

	(void)state;
	assert_int_equal(io_read_all(-1, 10, &text, &len), -EBADF);
	assert_null(text);
	assert_int_equal(io_write_all(-1, "x", 1), -EBADF);
	assert_int_equal(io_write_all(-1, "x", 0), 0);
	assert_int_equal(io_read_text("/nonexistent/file", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(io_read_text("/", buf, sizeof(buf)), -EISDIR);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(io_write_all(p[1], "x", 1), -EPIPE);
	signal(SIGPIPE, SIG_DFL);
	close(p[1]);
}

static void small_files_lose_their_newline(void **state)
{
	cleanup_close int fd = memfd_create("small", MFD_CLOEXEC);
	char path[32], buf[8];

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(io_read_text(path, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(io_write_all(fd, "ab\ncd\n", 6), 0);
	assert_int_equal(io_read_text(path, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "ab");
	assert_int_equal(pwrite(fd, "123456789", 9, 0), 9);
	assert_int_equal(io_read_text(path, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "1234567"); /* cut to fit */
}

static void clocks_go_forward(void **state)
{
	int64_t ms = io_clock_ms();

	(void)state;
	usleep(3000);
	assert_true(io_clock_ms() > ms && ms > 0);
	assert_true(io_epoch_s() > 1600000000);
}

/* ---- id ---- */

static void ids_have_their_shape(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char id[ENI_ID_TEXT], name[16];
		struct mac task, host;

		memset(id, '#', sizeof(id));
		id_eni_new(id);
		assert_int_equal(strlen(id), 21);
		assert_memory_equal(id, "eni-", 4);
		assert_int_equal(strspn(id + 4, "0123456789abcdef"), 17);
		task = id_eni_mac(id);
		host = id_eni_host_mac(id);
		assert_int_equal(task.b[0], 0x02); /* unicast, locally administered */
		assert_int_equal(host.b[0], 0x06);
		assert_memory_equal(task.b + 1, host.b + 1, 5);
		assert_true(mac_is_unicast(&task) && mac_is_unicast(&host));
		id_eni_ifname(id, name);
		assert_int_equal(strlen(name), 15);
		assert_memory_equal(name, "vpc", 3);
		assert_memory_equal(name + 3, id + 4, 12);
	}
}

static void what_follows_from_an_id(void **state)
{
	static const char id[] = "eni-0123456789abcdef0";
	char buf[MAC_TEXT], name[16];
	struct mac m = id_eni_mac(id);

	(void)state;
	assert_string_equal(mac_text(&m, buf), "02:01:23:45:67:89");
	m = id_eni_host_mac(id);
	assert_string_equal(mac_text(&m, buf), "06:01:23:45:67:89");
	id_eni_ifname(id, name);
	assert_string_equal(name, "vpc0123456789ab");
}

#define IDS 10000

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The ids differ, and so do the names, which have 48 bits of them. Every digit takes every value.
 */
static void ids_are_unique(void **state)
{
	cleanup_free char(*ids)[ENI_ID_TEXT] = calloc(IDS, sizeof(*ids));
	static const char digits[] = "0123456789abcdef";
	unsigned seen[17] = { 0 };

	(void)state;
	assert_non_null(ids);
	for (int i = 0; i < IDS; i++) {
		id_eni_new(ids[i]);
		for (int k = 0; k < 17; k++)
			seen[k] |= 1u << (strchr(digits, ids[i][4 + k]) - digits);
	}
	for (int k = 0; k < 17; k++)
		assert_int_equal(seen[k], 0xffff);
	qsort(ids, IDS, sizeof(*ids), by_text);
	for (int i = 1; i < IDS; i++)
		assert_true(strncmp(ids[i - 1], ids[i], 4 + 12) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_set_and_forgets),
		cmocka_unit_test(an_error_gets_context),
		cmocka_unit_test(a_long_error_is_cut),
		cmocka_unit_test(text_remembers_overflow),
		cmocka_unit_test(shell_reads_back_what_was_quoted),
		cmocka_unit_test(quoting_overflows_like_the_rest),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
		cmocka_unit_test(utf8_is_told),
		cmocka_unit_test(text_is_made_printable),
		cmocka_unit_test(text_is_copied_whole_or_not),
		cmocka_unit_test(the_hash_is_fnv),
		cmocka_unit_test(addresses_are_read_strictly),
		cmocka_unit_test(prefixes_are_read_strictly),
		cmocka_unit_test(macs_are_read_strictly),
		cmocka_unit_test(arithmetic_holds_at_the_ends),
		cmocka_unit_test(addresses_have_an_order),
		cmocka_unit_test(addresses_have_kinds),
		cmocka_unit_test(mapped_addresses_are_those_of_ipv4),
		cmocka_unit_test(prefixes_have_spans),
		cmocka_unit_test(prefixes_contain_and_overlap),
		cmocka_unit_test(whole_reads_outlast_signals),
		cmocka_unit_test(whole_writes_outlast_signals),
		cmocka_unit_test(reads_have_a_limit),
		cmocka_unit_test(io_tells_what_failed),
		cmocka_unit_test(small_files_lose_their_newline),
		cmocka_unit_test(clocks_go_forward),
		cmocka_unit_test(ids_have_their_shape),
		cmocka_unit_test(what_follows_from_an_id),
		cmocka_unit_test(ids_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
