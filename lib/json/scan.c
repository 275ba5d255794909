/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A validator of JSON texts: RFC 8259 to the letter, as Go's encoding/json reads it. cJSON takes
 * numbers such as 01 and .5, raw control characters, broken UTF-8 and anything after the value;
 * a text that a runtime would refuse must not work here by accident. It also bounds the depth
 * before cJSON recurses, and it knows the byte of the error, which cJSON does not tell reliably.
 * One function a kind of token; each returns 0, or -1 with why and pos.
 */
#include "scan.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"

static int scan_value(struct scan *s);

static int scan_fail(struct scan *s, const char *why)
{
	s->why = why;
	return -1;
}

/* The byte at the position, -1 at the end: a NUL in the text is a byte like any other. */
static int scan_peek(const struct scan *s)
{
	return s->pos < s->len ? (unsigned char)s->text[s->pos] : -1;
}

static bool scan_accept(struct scan *s, int c)
{
	if (scan_peek(s) != c)
		return false;
	s->pos++;
	return true;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static void scan_space(struct scan *s)
{
	for (int c = scan_peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r';
	     c = scan_peek(s))
		s->pos++;
}

static int scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len - s->pos < n || memcmp(s->text + s->pos, word, n) != 0)
		return scan_fail(s, "a value was expected");
	s->pos += n;
	return 0;
}

static int scan_digits(struct scan *s)
{
	if (!is_digit(scan_peek(s)))
		return scan_fail(s, "a digit was expected");
	while (is_digit(scan_peek(s)))
		s->pos++;
	return 0;
}

static int scan_number(struct scan *s)
{
	scan_accept(s, '-');
	if (scan_accept(s, '0')) {
		if (is_digit(scan_peek(s)))
			return scan_fail(s, "a number starts with a needless 0");
	} else if (scan_digits(s)) {
		return -1;
	}
	if (scan_accept(s, '.') && scan_digits(s))
		return -1;
	if (scan_accept(s, 'e') || scan_accept(s, 'E')) {
		if (!scan_accept(s, '+'))
			scan_accept(s, '-');
		return scan_digits(s);
	}
	return 0;
}

static int hex_value(int c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u. Return: the UTF-16 unit, or -1. */
static int scan_unit(struct scan *s)
{
	int unit = 0;

	for (int i = 0; i < 4; i++, s->pos++) {
		int digit = hex_value(scan_peek(s));

		if (digit < 0)
			return scan_fail(s, "four hexadecimal digits were expected after \\u");
		unit = unit * 16 + digit;
	}
	return unit;
}

static int scan_unicode(struct scan *s)
{
	size_t start = s->pos;
	int unit = scan_unit(s);

	if (unit < 0)
		return -1;
	/* A string that holds a NUL would be read short by everything after us. */
	if (unit == 0) {
		s->pos = start;
		return scan_fail(s, "\\u0000 is not allowed");
	}
	if (unit < 0xd800 || unit > 0xdfff)
		return 0;
	if (unit < 0xdc00 && scan_accept(s, '\\') && scan_accept(s, 'u')) {
		int low = scan_unit(s);

		if (low >= 0xdc00 && low <= 0xdfff)
			return 0;
	}
	s->pos = start;
	return scan_fail(s, "half a surrogate pair");
}

static int scan_escape(struct scan *s)
{
	int c = scan_peek(s);

	if (c <= 0 || !strchr("\"\\/bfnrtu", c))
		return scan_fail(s, "an unknown escape");
	s->pos++;
	return c == 'u' ? scan_unicode(s) : 0;
}

/* A run of bytes above ASCII. */
static int scan_utf8(struct scan *s)
{
	size_t start = s->pos;

	while (scan_peek(s) >= 0x80)
		s->pos++;
	if (text_is_utf8(s->text + start, s->pos - start))
		return 0;
	s->pos = start;
	return scan_fail(s, "bytes that are not UTF-8");
}

static int scan_string(struct scan *s)
{
	if (!scan_accept(s, '"'))
		return scan_fail(s, "a string was expected");
	for (;;) {
		int c = scan_peek(s), rc = 0;

		if (c < 0)
			return scan_fail(s, "the string does not end");
		if (c < 0x20)
			return scan_fail(s, "a control character in a string");
		if (c >= 0x80) {
			rc = scan_utf8(s);
		} else {
			s->pos++;
			if (c == '"')
				return 0;
			if (c == '\\')
				rc = scan_escape(s);
		}
		if (rc)
			return rc;
	}
}

static int scan_member(struct scan *s)
{
	scan_space(s);
	if (scan_string(s))
		return -1;
	scan_space(s);
	if (!scan_accept(s, ':'))
		return scan_fail(s, "':' was expected");
	return scan_value(s);
}

/* What is between the brackets of an object or an array, and the closing one. */
static int scan_items(struct scan *s, int (*item)(struct scan *s), int end, const char *expected)
{
	if (++s->depth > JSON_DEPTH)
		return scan_fail(s, "nested too deeply");
	scan_space(s);
	if (scan_accept(s, end)) {
		s->depth--;
		return 0;
	}
	do {
		if (item(s))
			return -1;
		scan_space(s);
	} while (scan_accept(s, ','));
	if (!scan_accept(s, end))
		return scan_fail(s, scan_peek(s) < 0 ? "the text ends too early" : expected);
	s->depth--;
	return 0;
}

static int scan_value(struct scan *s)
{
	int c;

	scan_space(s);
	c = scan_peek(s);
	if (c == '{' || c == '[')
		s->pos++;
	switch (c) {
	case -1:
		return scan_fail(s, "the text ends too early");
	case '{':
		return scan_items(s, scan_member, '}', "',' or '}' was expected");
	case '[':
		return scan_items(s, scan_value, ']', "',' or ']' was expected");
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (c == '-' || is_digit(c))
			return scan_number(s);
		return scan_fail(s, "a value was expected");
	}
}

int scan_document(struct scan *s)
{
	if (s->len >= 3 && !memcmp(s->text, "\xef\xbb\xbf", 3))
		return scan_fail(s, "a byte order mark");
	scan_space(s);
	if (scan_peek(s) < 0)
		return scan_fail(s, "there is nothing");
	if (scan_value(s))
		return -1;
	scan_space(s);
	if (scan_peek(s) >= 0)
		return scan_fail(s, "text after the end of the document");
	return 0;
}
