/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an object by its table: finds each row's member, once and whatever its case, and walks
 * into lists and sub-tables with the path in hand. The values themselves are read in field_value.c.
 */
#include "json/field.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "field_value.h"

/* What stays the same from the root of a reading to its leaves. */
struct reading {
	enum err_code code;
	struct err *e;
};

static int read_table(const struct field *table, const json *object, const char *path, void *out,
		      const struct reading *r);

void field_path(char buf[static FIELD_PATH], const char *path, const char *key)
{
	struct text t;

	text_init(&t, buf, FIELD_PATH);
	text_add(&t, "%s%s%s", path, *path ? "." : "", key);
}

const struct field *field_row(const struct field *table, const char *key)
{
	for (const struct field *f = table; f->key; f++) {
		if (!strcasecmp(f->key, key))
			return f;
	}
	return NULL;
}

static int refuse_twice(const json *first, const json *second, const char *path,
			const struct reading *r)
{
	char one[64], two[64];

	text_printable(one, sizeof(one), json_key(first));
	text_printable(two, sizeof(two), json_key(second));
	if (!strcmp(one, two))
		err_set(r->e, r->code, EINVAL, "%s: the key stands twice", path);
	else
		err_set(r->e, r->code, EINVAL, "%s: \"%s\" and \"%s\" are the same key", path, one,
			two);
	err_hint(r->e, "keys are found whatever their case: keep one of the two");
	return -EINVAL;
}

/* The member of a row. Two are an error: which one counts would differ from reader to reader. */
static int find_member(const struct field *f, const json *object, const char *path,
		       const json **ret, const struct reading *r)
{
	*ret = NULL;
	for (const json *i = json_first(object); i; i = json_next(i)) {
		if (strcasecmp(json_key(i), f->key) != 0)
			continue;
		if (*ret)
			return refuse_twice(*ret, i, path, r);
		*ret = i;
	}
	return 0;
}

static int read_one(const struct field *f, const json *value, const char *path, void *out,
		    const struct reading *r)
{
	if (f->type != FIELD_OBJECT)
		return field_scalar_read(f, value, path, r->code, out, r->e);
	if (json_kind(value) != JSON_IS_OBJECT)
		return field_refuse(f, value, path, r->code, NULL, r->e);
	return read_table(f->fields, value, path, out, r);
}

static int refuse_list(const struct field *f, const json *value, const char *path,
		       const struct reading *r)
{
	char words[512];
	struct text t;

	field_refuse(f, value, path, r->code, NULL, r->e);
	text_init(&t, words, sizeof(words));
	field_allowed(f, &t);
	err_hint(r->e, "allowed: a list, each entry %s", words);
	return -EINVAL;
}

static int read_list(const struct field *f, const json *value, const char *path, void *out,
		     const struct reading *r)
{
	unsigned n = json_count(value), i = 0;
	char *element = (char *)out + f->offset, at[FIELD_PATH];
	int rc = 0;

	if (n > f->max_count) {
		err_set(r->e, r->code, EINVAL, "%s: %u entries are too many", path, n);
		err_hint(r->e, "allowed: at most %u", f->max_count);
		return -EINVAL;
	}
	for (const json *v = json_first(value); v && !rc; v = json_next(v), i++) {
		struct text t;

		text_init(&t, at, sizeof(at));
		text_add(&t, "%s[%u]", path, i);
		rc = read_one(f, v, at, element + i * f->size, r);
	}
	memcpy((char *)out + f->count_offset, &n, sizeof(n));
	return rc;
}

static int read_row(const struct field *f, const json *value, const char *path, void *out,
		    const struct reading *r)
{
	unsigned one = 1;

	if (!(f->flags & FIELD_LIST))
		return read_one(f, value, path, (char *)out + f->offset, r);
	if (json_kind(value) == JSON_IS_ARRAY)
		return read_list(f, value, path, out, r);
	if (!(f->flags & FIELD_ONE_OR_LIST))
		return refuse_list(f, value, path, r);
	memcpy((char *)out + f->count_offset, &one, sizeof(one));
	return read_one(f, value, path, (char *)out + f->offset, r);
}

static int refuse_missing(const struct field *f, const char *path, const struct reading *r)
{
	char words[512];
	struct text t;

	text_init(&t, words, sizeof(words));
	field_allowed(f, &t);
	err_set(r->e, r->code, EINVAL, "%s is missing", path);
	err_hint(r->e, "allowed: %s%s", f->flags & FIELD_LIST ? "a list, each entry " : "", words);
	return -EINVAL;
}

static int read_table(const struct field *table, const json *object, const char *path, void *out,
		      const struct reading *r)
{
	char at[FIELD_PATH];

	for (const struct field *f = table; f->key; f++) {
		const json *value;
		int rc;

		field_path(at, path, f->key);
		rc = find_member(f, object, at, &value, r);
		if (rc)
			return rc;
		if (!json_is_absent(value))
			rc = read_row(f, value, at, out, r);
		else if (f->flags & FIELD_REQUIRED)
			rc = refuse_missing(f, at, r);
		if (rc)
			return rc;
	}
	return 0;
}

int field_read(const struct field *table, const json *object, const char *path, enum err_code code,
	       void *out, struct err *e)
{
	static const struct field root = { .type = FIELD_OBJECT };
	struct reading r = { .code = code, .e = e };

	if (!json_is_absent(object) && json_kind(object) != JSON_IS_OBJECT)
		return field_refuse(&root, object, *path ? path : "the document", code, NULL, e);
	return read_table(table, object, path, out, &r);
}

static void unknown_below(const struct field *f, const json *value, const char *path,
			  void (*tell)(void *ctx, const char *path), void *ctx)
{
	char at[FIELD_PATH];
	struct text t;
	unsigned i = 0;

	if (json_kind(value) == JSON_IS_OBJECT) {
		field_unknown(f->fields, value, path, tell, ctx);
		return;
	}
	for (const json *v = json_first(value); v; v = json_next(v), i++) {
		text_init(&t, at, sizeof(at));
		text_add(&t, "%s[%u]", path, i);
		field_unknown(f->fields, v, at, tell, ctx);
	}
}

void field_unknown(const struct field *table, const json *object, const char *path,
		   void (*tell)(void *ctx, const char *path), void *ctx)
{
	char at[FIELD_PATH];

	if (json_kind(object) != JSON_IS_OBJECT)
		return;
	for (const json *i = json_first(object); i; i = json_next(i)) {
		const struct field *f = field_row(table, json_key(i));

		field_path(at, path, json_key(i));
		if (!f)
			tell(ctx, at);
		else if (f->type == FIELD_OBJECT)
			unknown_below(f, i, at, tell, ctx);
	}
}
