/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Characters are counted as out_width() counts them: one column each. */
#include "pen.h"

#include <stdio.h>
#include <string.h>

/* The bytes of the first @n characters. */
static int bytes_of(const char *s, int n)
{
	int i = 0;

	while (s[i] && n > 0) {
		i++;
		while (((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
		n--;
	}
	return i;
}

static void print(struct pen *pen, enum tone tone, const char *text, int n)
{
	int bytes = bytes_of(text, n), width = out_width(text);

	if (!bytes)
		return;
	printf("%*s%s%.*s%s", pen->blanks, "", tone ? out_tone(tone) : "", bytes, text,
	       tone ? out_tone(TONE_PLAIN) : "");
	pen->at += width < n ? width : n;
	pen->blanks = 0;
}

void pen_begin(struct pen *pen, const char *start)
{
	pen->at = pen->blanks = 0;
	print(pen, TONE_DIM, start, pen->room);
}

void pen_blanks(struct pen *pen, int n)
{
	int room = pen->room - pen->at;

	n = n < room ? n : room;
	if (n <= 0)
		return;
	pen->at += n;
	pen->blanks += n;
}

void pen_put(struct pen *pen, enum tone tone, int width, const char *text)
{
	const char *more = out_is_utf8() ? "…" : "~";
	int room = pen->room - pen->at, wide = out_width(text);

	if (width && width < room)
		room = width;
	if (room <= 0)
		return;
	print(pen, tone, text, wide > room ? room - 1 : wide);
	if (wide > room)
		print(pen, tone, more, 1);
	pen_blanks(pen, width - wide);
}

static void next_line(struct pen *pen)
{
	putchar('\n');
	pen_begin(pen, pen->prefix);
	pen_blanks(pen, pen->indent - pen->at);
}

void pen_word(struct pen *pen, enum tone tone, int gap, const char *text)
{
	if (pen->at > pen->indent && pen->at + gap + out_width(text) > pen->room)
		next_line(pen);
	else
		pen_blanks(pen, gap);
	while (out_width(text) > pen->room - pen->at && pen->room > pen->indent) {
		int n = pen->room - pen->at;

		print(pen, tone, text, n);
		text += bytes_of(text, n);
		next_line(pen);
	}
	print(pen, tone, text, pen->room - pen->at);
}

void pen_words(struct pen *pen, enum tone tone, const char *text)
{
	char word[CELL_TEXT];

	while (*text) {
		int len = (int)strcspn(text, " ");

		snprintf(word, sizeof(word), "%.*s", len, text);
		pen_word(pen, tone, pen->at > pen->indent, word);
		text += len + strspn(text + len, " ");
	}
}

void pen_end(struct pen *pen)
{
	putchar('\n');
	pen->at = pen->blanks = 0;
}
