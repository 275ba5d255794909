/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an object by its table: finds each row's member, once and whatever its case, and walks
 * into lists and sub-tables, knowing the place. The values themselves are read in field_value.c.
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

static int read_table(const struct field *table, const json *object, const struct place *at,
		      void *out, const struct reading *r);

const struct field *field_row(const struct field *table, const char *key)
{
	for (const struct field *f = table; f->key; f++) {
		if (!strcasecmp(f->key, key))
			return f;
	}
	return NULL;
}

const char *field_meant(const struct field *table, const char *key)
{
	for (const struct field *f = table; f && f->key; f++)
		if (text_is_slip(key, f->key))
			return f->key;
	return NULL;
}

static int refuse_twice(const json *first, const json *second, const struct place *at,
			const struct reading *r)
{
	char path[FIELD_PATH], one[64], two[64];

	place_text(path, at);
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
static int find_member(const struct field *f, const json *object, const struct place *at,
		       const json **ret, const struct reading *r)
{
	const json *second;

	*ret = json_find(json_first(object), f->key);
	second = json_find(json_next(*ret), f->key);
	return second ? refuse_twice(*ret, second, at, r) : 0;
}

static int read_one(const struct field *f, const json *value, const struct place *at, void *out,
		    const struct reading *r)
{
	if (f->type != FIELD_OBJECT)
		return field_scalar_read(f, value, at, r->code, out, r->e);
	if (json_kind(value) != JSON_IS_OBJECT)
		return field_refuse(f, value, at, r->code, NULL, r->e);
	return read_table(f->fields, value, at, out, r);
}

static int refuse_list(const struct field *f, const json *value, const struct place *at,
		       const struct reading *r)
{
	char words[512];
	struct text t;

	field_refuse(f, value, at, r->code, NULL, r->e);
	text_init(&t, words, sizeof(words));
	field_allowed(f, &t);
	err_hint(r->e, "allowed: a list, each entry %s", words);
	return -EINVAL;
}

static int refuse_count(const struct field *f, unsigned n, const struct place *at,
			const struct reading *r)
{
	char path[FIELD_PATH];

	place_text(path, at);
	err_set(r->e, r->code, EINVAL, "%s: %u entries are too many", path, n);
	err_hint(r->e, "allowed: at most %u", f->max_count);
	return -EINVAL;
}

static int read_list(const struct field *f, const json *value, const struct place *at, void *out,
		     const struct reading *r)
{
	char *element = (char *)out + f->offset;
	struct place entry = { .above = at };
	unsigned n = json_count(value);
	int rc = 0;

	if (n > f->max_count)
		return refuse_count(f, n, at, r);
	for (const json *v = json_first(value); v && !rc; v = json_next(v), entry.index++)
		rc = read_one(f, v, &entry, element + entry.index * f->size, r);
	memcpy((char *)out + f->count_offset, &n, sizeof(n));
	return rc;
}

static int read_row(const struct field *f, const json *value, const struct place *at, void *out,
		    const struct reading *r)
{
	unsigned one = 1;

	if (!(f->flags & FIELD_LIST))
		return read_one(f, value, at, (char *)out + f->offset, r);
	if (json_kind(value) == JSON_IS_ARRAY)
		return read_list(f, value, at, out, r);
	if (!(f->flags & FIELD_ONE_OR_LIST))
		return refuse_list(f, value, at, r);
	memcpy((char *)out + f->count_offset, &one, sizeof(one));
	return read_one(f, value, at, (char *)out + f->offset, r);
}

static int refuse_missing(const struct field *f, const struct place *at, const struct reading *r)
{
	char path[FIELD_PATH], words[512];
	struct text t;

	place_text(path, at);
	text_init(&t, words, sizeof(words));
	field_allowed(f, &t);
	err_set(r->e, r->code, EINVAL, "%s is missing", path);
	err_hint(r->e, "allowed: %s%s", f->flags & FIELD_LIST ? "a list, each entry " : "", words);
	return -EINVAL;
}

static int read_table(const struct field *table, const json *object, const struct place *at,
		      void *out, const struct reading *r)
{
	struct place member = { .above = at };

	for (const struct field *f = table; f->key; f++) {
		const json *value;
		int rc;

		member.key = f->key;
		rc = find_member(f, object, &member, &value, r);
		if (rc)
			return rc;
		if (!json_is_absent(value))
			rc = read_row(f, value, &member, out, r);
		else if (f->flags & FIELD_REQUIRED)
			rc = refuse_missing(f, &member, r);
		if (rc)
			return rc;
	}
	return 0;
}

int field_read(const struct field *table, const json *object, const char *path, enum err_code code,
	       void *out, struct err *e)
{
	static const struct field any = { .type = FIELD_OBJECT };
	struct reading r = { .code = code, .e = e };
	struct place root = { .key = path };

	if (json_is_absent(object) || json_kind(object) == JSON_IS_OBJECT)
		return read_table(table, object, &root, out, &r);
	if (!*path)
		root.key = "the document";
	return field_refuse(&any, object, &root, code, NULL, e);
}

/* Whom to tell of what the table lacks. */
struct listener {
	field_unknown_fn *tell;
	void *ctx;
};

static void unknown_in(const struct field *table, const json *object, const struct place *at,
		       const struct listener *l);

static void unknown_below(const struct field *f, const json *value, const struct place *at,
			  const struct listener *l)
{
	struct place entry = { .above = at };

	if (json_kind(value) == JSON_IS_OBJECT) {
		unknown_in(f->fields, value, at, l);
		return;
	}
	for (const json *v = json_first(value); v; v = json_next(v), entry.index++)
		unknown_in(f->fields, v, &entry, l);
}

static void unknown_in(const struct field *table, const json *object, const struct place *at,
		       const struct listener *l)
{
	struct place member = { .above = at };
	char path[FIELD_PATH];

	if (json_kind(object) != JSON_IS_OBJECT)
		return;
	for (const json *i = json_first(object); i; i = json_next(i)) {
		const struct field *f = field_row(table, json_key(i));

		member.key = json_key(i);
		if (f && f->type == FIELD_OBJECT)
			unknown_below(f, i, &member, l);
		if (f)
			continue;
		place_text(path, &member);
		l->tell(l->ctx, path, field_meant(table, json_key(i)));
	}
}

void field_unknown(const struct field *table, const json *object, const char *path,
		   field_unknown_fn *tell, void *ctx)
{
	const struct listener listener = { .tell = tell, .ctx = ctx };
	const struct place root = { .key = path };

	unknown_in(table, object, &root, &listener);
}
