/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded text, and the hash that indexes and names are made from. */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *t, char *buf, size_t size)
{
	t->buf = buf;
	t->size = size;
	t->len = 0;
	t->overflow = false;
	buf[0] = '\0';
}

void text_vadd(struct text *t, const char *fmt, va_list ap)
{
	size_t room = t->size - t->len;
	int n = vsnprintf(t->buf + t->len, room, fmt, ap);

	if (n < 0)
		return;
	if ((size_t)n >= room) {
		t->overflow = true;
		t->len = t->size - 1;
	} else {
		t->len += (size_t)n;
	}
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vadd(t, fmt, ap);
	va_end(ap);
}

/* Nothing here means anything to sh. */
static bool is_bare(const char *word)
{
	if (!*word)
		return false;
	for (; *word; word++)
		if (!isalnum((unsigned char)*word) && !strchr("@%+=:,./-_", *word))
			return false;
	return true;
}

void text_add_shell(struct text *t, const char *word)
{
	if (is_bare(word)) {
		text_add(t, "%s", word);
		return;
	}
	text_add(t, "'");
	for (; *word; word++) {
		if (*word == '\'')
			text_add(t, "'\\''");
		else
			text_add(t, "%c", *word);
	}
	text_add(t, "'");
}

/* Up to three bytes as four characters. */
static void add_base64_group(struct text *t, const unsigned char *b, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = (unsigned)b[0] << 16 | (n > 1 ? (unsigned)b[1] << 8 : 0) |
			(n > 2 ? b[2] : 0);

	text_add(t, "%c%c%c%c", digits[bits >> 18], digits[bits >> 12 & 63],
		 n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '=');
}

void text_add_base64(struct text *t, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i += 3) {
		add_base64_group(t, b + i, len - i);
		if ((i / 3 + 1) % 19 == 0 || i + 3 >= len)
			text_add(t, "\n");
	}
}

bool text_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size) {
		dst[0] = '\0';
		return false;
	}
	memcpy(dst, src, len + 1);
	return true;
}

/* The first two bytes exclude overlong forms, surrogates and what lies beyond U+10FFFF. */
static bool utf8_lead_is_lawful(const unsigned char *s)
{
	unsigned lead = (unsigned)s[0] << 8 | s[1];

	return (lead >= 0xc280 && lead < 0xe000) || (lead >= 0xe0a0 && lead < 0xeda0) ||
	       (lead >= 0xee80 && lead < 0xf000) || (lead >= 0xf090 && lead < 0xf490);
}

/* Length of the UTF-8 sequence at @s, 0 if it is broken (overlong, surrogate, too large). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80       ? 1
		   : s[0] >> 5 == 6  ? 2
		   : s[0] >> 4 == 14 ? 3
		   : s[0] >> 3 == 30 ? 4
				     : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (s[i] >> 6 != 2)
			return 0;
	return n < 2 || utf8_lead_is_lawful(s) ? n : 0;
}

bool text_is_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = utf8_length(p, len);
		if (n == 0)
			return false;
	}
	return true;
}

/*
 * Format characters, which show nothing but change what is shown beside them: they turn the order
 * of a line round (U+202E), hide a part of a name, or make two names look alike.
 */
static bool is_format(const unsigned char *p, size_t n)
{
	uint32_t c;

	if (n == 2)
		return p[0] == 0xd8 && p[1] == 0x9c; /* U+061C */
	if (n != 3)
		return n == 4 && p[0] == 0xf3 && p[1] == 0xa0; /* tags, U+E0000 on */
	c = (uint32_t)(p[0] & 0xf) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Of a sequence of @n bytes, 0 if it is broken. C1 controls are two bytes from 0xc2 0x80 on. */
static bool is_printable(const unsigned char *p, size_t n)
{
	return n > 0 && *p >= 0x20 && *p != 0x7f && !(n == 2 && *p == 0xc2 && p[1] < 0xa0) &&
	       !is_format(p, n);
}

bool text_is_printable(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	for (size_t left = strlen(s); left > 0; p += n, left -= n) {
		n = utf8_length(p, left);
		if (!is_printable(p, n))
			return false;
	}
	return true;
}

void text_printable(char *dst, size_t size, const char *src)
{
	const unsigned char *p = (const unsigned char *)src;
	size_t left = strlen(src), out = 0;

	while (left > 0) {
		size_t n = utf8_length(p, left);
		bool bad = !is_printable(p, n);
		size_t take = n ? n : 1;

		if (out + (bad ? 1 : take) >= size)
			break;
		if (bad)
			dst[out++] = '?';
		else
			memcpy(dst + out, p, take), out += take;
		p += take;
		left -= take;
	}
	dst[out] = '\0';
}

/* ---- slips ---- */

#define SLIP_MAX 40 /* bytes of a word that anybody types */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned n = a < b ? a : b;

	return n < c ? n : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Insertions, deletions, substitutions, swaps of neighbours: optimal string alignment. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned d[3][SLIP_MAX + 1];

	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned *row = d[i % 3], *before = d[(i + 2) % 3], *two = d[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			unsigned wrong = !same(a[i - 1], b[j - 1]);

			row[j] = least(row[j - 1] + 1, before[j] + 1, before[j - 1] + wrong);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && two[j - 2] + 1 < row[j])
				row[j] = two[j - 2] + 1;
		}
	}
	return d[n % 3][m];
}

bool text_is_slip(const char *typed, const char *word)
{
	size_t n = strlen(typed), m = strlen(word);

	if (!n || !m || n > SLIP_MAX || m > SLIP_MAX || !strcmp(typed, word))
		return false;
	/* Of a word of two letters, one wrong makes another word. */
	return distance(typed, n, word, m) <= (m >= 6 ? 2 : m >= 3 ? 1 : 0);
}

uint64_t hash_bytes(uint64_t seed, const void *p, size_t len)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < len; i++)
		seed = (seed ^ b[i]) * 0x100000001b3ULL;
	return seed;
}

uint64_t hash_text(uint64_t seed, const char *s)
{
	return hash_bytes(seed, s, strlen(s) + 1);
}
