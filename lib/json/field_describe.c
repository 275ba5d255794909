/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference of a table, as rows of a Markdown table: key, type, default, meaning. Sub-objects
 * follow their parent with a dotted path, lists are written path[].
 */
#include "json/field.h"

#include <inttypes.h>

#include "field_value.h"

static const char *type_word(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return "boolean";
	case FIELD_U32:
	case FIELD_I64:
		return "number";
	case FIELD_U64:
	case FIELD_TEXT:
		return "string";
	case FIELD_ENUM:
		return "one of";
	case FIELD_IP:
		return "address";
	case FIELD_CIDR:
		return "address/prefix";
	case FIELD_NET:
		return "network";
	case FIELD_MAC:
		return "MAC address";
	case FIELD_OBJECT:
		return "object";
	case FIELD_ANY:
		break;
	}
	return f->flags & FIELD_LIST ? "any" : "object or list";
}

static void describe_type(const struct field *f, struct text *t)
{
	if (f->flags & FIELD_ONE_OR_LIST)
		text_add(t, "one or a list: ");
	else if (f->flags & FIELD_LIST)
		text_add(t, "list: ");
	text_add(t, "%s", type_word(f));
	if (f->type == FIELD_ENUM) {
		text_add(t, " ");
		field_allowed(f, t);
	}
	if ((f->type == FIELD_U32 || f->type == FIELD_I64) && (f->min || f->max))
		text_add(t, " %" PRId64 "..%" PRId64, f->min, f->max);
	if (f->flags & FIELD_REQUIRED)
		text_add(t, ", required");
}

static void describe_row(const struct field *f, const char *path, struct text *t)
{
	text_add(t, "| `%s%s` | ", path, f->flags & FIELD_LIST ? "[]" : "");
	describe_type(f, t);
	text_add(t, " | %s | %s |\n", f->fallback ? f->fallback : "", f->help ? f->help : "");
}

void field_describe(const struct field *table, const char *path, struct text *t)
{
	const struct place root = { .key = path };
	char at[FIELD_PATH], below[FIELD_PATH];

	for (const struct field *f = table; f->key; f++) {
		struct text sub;

		if (f->flags & FIELD_HIDDEN)
			continue;
		place_text(at, &(struct place){ .above = &root, .key = f->key });
		describe_row(f, at, t);
		if (f->type != FIELD_OBJECT)
			continue;
		text_init(&sub, below, sizeof(below));
		text_add(&sub, "%s%s", at, f->flags & FIELD_LIST ? "[]" : "");
		field_describe(f->fields, below, t);
	}
}
