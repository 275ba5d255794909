/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON object as a table of fields: one row a key. The table reads a configuration into a struct,
 * writes a struct as JSON, and prints the reference of the configuration; so the three can't
 * differ.
 */
#ifndef JSON_FIELD_H
#define JSON_FIELD_H

#include "base/text.h"
#include "json/json.h"

enum field_type {
	FIELD_BOOL,   /* bool */
	FIELD_U32,    /* uint32_t, within min..max */
	FIELD_I64,    /* int64_t, within min..max */
	FIELD_U64,    /* uint64_t, written as a decimal string (JSON numbers end at 2^53) */
	FIELD_TEXT,   /* char[size] */
	FIELD_ENUM,   /* uint32_t, an index into names[] */
	FIELD_IP,     /* struct ip */
	FIELD_CIDR,   /* struct cidr, host bits allowed */
	FIELD_NET,    /* struct cidr, host bits are an error that prints the network meant */
	FIELD_MAC,    /* struct mac, unicast */
	FIELD_OBJECT, /* a struct of its own, by fields[] */
	FIELD_ANY,    /* const json *, borrowed from the document: read elsewhere */
};

enum {
	FIELD_LIST = 1, /* a JSON array; elements at offset, element size = size, number (unsigned)
			 * at count_offset, at most max_count */
	FIELD_REQUIRED = 2,
	FIELD_ONE_OR_LIST = 4, /* with FIELD_LIST: a bare value is a list of one */
	FIELD_ALWAYS = 8,      /* written even when zero, empty or false */
	FIELD_HIDDEN = 16,     /* not part of the printed reference */
	FIELD_BARE_IP = 32,    /* FIELD_CIDR, FIELD_NET: an address alone is its /32 or /128 */
};

struct field {
	const char *key;
	enum field_type type;
	unsigned flags;
	size_t offset;       /* of the value in the struct */
	size_t size;         /* of the value, or of one element of a list */
	size_t count_offset; /* FIELD_LIST: of the unsigned count */
	unsigned max_count;
	int64_t min, max;           /* FIELD_U32, FIELD_I64 */
	const char *const *names;   /* FIELD_ENUM: NULL-terminated */
	const struct field *fields; /* FIELD_OBJECT */
	const char *fallback;       /* the default, as the reference shows it */
	const char *help;           /* one sentence for the reference */
};

/* A table ends with a row whose key is NULL. */

/* Rows without clutter: FIELD(struct netconf, mtu, "mtu", FIELD_U32, .max = 65535, .help = "…") */
#define FIELD(s, m, k, t, ...)                                                                     \
	{                                                                                          \
		.key = (k), .type = (t), .offset = offsetof(s, m), .size = sizeof(((s *)0)->m),    \
		__VA_ARGS__                                                                        \
	}
#define FIELD_ARRAY(s, m, n, k, t, ...)                                                            \
	{                                                                                          \
		.key = (k), .type = (t), .flags = FIELD_LIST, .offset = offsetof(s, m),            \
		.size = sizeof(((s *)0)->m[0]), .count_offset = offsetof(s, n),                    \
		.max_count = sizeof(((s *)0)->m) / sizeof(((s *)0)->m[0]), __VA_ARGS__             \
	}

/*
 * field_read: fill @out from @object.
 * Keys that are absent or null leave @out as it was: preset the defaults. Keys that the table lacks
 * are ignored. The same key twice, in whatever case, is an error.
 * @path: where the object stands ("ipam.ranges[0][1]"; "" for the root), for messages.
 * Return: 0, or -EINVAL with code @code: the message names path, key and value, the details what is
 * allowed.
 */
int field_read(const struct field *table, const json *object, const char *path, enum err_code code,
	       void *out, struct err *e);

/*
 * field_unknown: call @tell for each key of @object that the table (and its sub-tables) lacks.
 * @meant: a key of the table for which it may be a slip; NULL: none.
 */
typedef void field_unknown_fn(void *ctx, const char *path, const char *meant);
void field_unknown(const struct field *table, const json *object, const char *path,
		   field_unknown_fn *tell, void *ctx);
/* field_row: the row of a key, whatever its case; NULL if the table lacks it. */
const struct field *field_row(const struct field *table, const char *key);
/* field_meant: a key of the table for which @key may be a slip; NULL: none. */
const char *field_meant(const struct field *table, const char *key);

/* field_write: add every set field of @in to @object. Return: 0, or -ENOMEM. */
int field_write(const struct field *table, const void *in, json *object, struct err *e);

/* field_describe: the reference of the table as rows of a Markdown table: key, type, default, help.
 */
void field_describe(const struct field *table, const char *path, struct text *t);

#endif
