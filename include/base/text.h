/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of bounded length built piece by piece; overflow is remembered, never written. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf; /* borrowed; always NUL-terminated after text_init */
	size_t size;
	size_t len;    /* what is in buf, without the NUL */
	bool overflow; /* something did not fit: the content is cut */
};

void text_init(struct text *t, char *buf, size_t size);
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vadd(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* text_add_shell: @word quoted for sh: bare when harmless, else in single quotes. */
void text_add_shell(struct text *t, const char *word);
/* text_add_base64: @bytes in lines of 76 characters (RFC 2045), each with its newline. */
void text_add_base64(struct text *t, const void *bytes, size_t len);

/*
 * text_copy: copy a NUL-terminated string into a fixed array.
 * Return: true if it fitted; else @dst holds the empty string.
 */
bool text_copy(char *dst, size_t size, const char *src);

/* text_printable: copy with control characters and broken bytes shown as '?', cut to fit. */
void text_printable(char *dst, size_t size, const char *src);

/* text_is_printable: UTF-8 without control characters: text_printable would change nothing. */
bool text_is_printable(const char *s);

bool text_is_utf8(const char *s, size_t len);

/*
 * text_is_slip: is @typed a slip for @word: other case, or one letter more, less, wrong or swapped
 * with its neighbour, two of them in a word of 6 letters or more? Not the same word.
 */
bool text_is_slip(const char *typed, const char *word);

/* FNV-1a, 64 bit: for indexes and names, not for secrets. Chain by passing the last result. */
#define HASH_START 0xcbf29ce484222325ULL
uint64_t hash_bytes(uint64_t seed, const void *p, size_t len);
uint64_t hash_text(uint64_t seed, const char *s); /* includes the NUL: "a","bc" != "ab","c" */

#endif
