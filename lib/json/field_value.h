/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers and writers of field tables share. Private to json/. */
#ifndef JSON_FIELD_VALUE_H
#define JSON_FIELD_VALUE_H

#include "json/field.h"

#define FIELD_PATH 320 /* longest path in a message; longer ones are cut */

/*
 * field_scalar_read: one value of any type but FIELD_OBJECT into @out.
 * Return: 0, or -EINVAL with @e filled in as field_read() says.
 */
int field_scalar_read(const struct field *f, const json *value, const char *path,
		      enum err_code code, void *out, struct err *e);

/*
 * field_refuse: fail with "PATH: VALUE COMPLAINT" and what is allowed as details.
 * @complaint: NULL: the value has the wrong JSON type, and is said to be "a string" or the like.
 */
int field_refuse(const struct field *f, const json *value, const char *path, enum err_code code,
		 const char *complaint, struct err *e);

/* field_value_text: @value as JSON, printable and cut to what a message can bear. */
void field_value_text(const json *value, char *buf, size_t size);

/* field_allowed: in words, what one value of the row may be. */
void field_allowed(const struct field *f, struct text *t);

/* field_path: "PATH.key", or "key" at the root. */
void field_path(char buf[static FIELD_PATH], const char *path, const char *key);

/* field_row: the row that a key belongs to, NULL if the table lacks it. */
const struct field *field_row(const struct field *table, const char *key);

#endif
