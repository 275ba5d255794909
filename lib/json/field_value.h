/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers and writers of field tables share. Private to json/. */
#ifndef JSON_FIELD_VALUE_H
#define JSON_FIELD_VALUE_H

#include "json/field.h"

#define FIELD_PATH 320 /* longest path in a message; longer ones are cut */

/* Where a value stands, from the root down. It becomes text when somebody complains, not before:
 * a record has sixty rows, and is read by every DEL and by every GC. */
struct place {
	const struct place *above; /* NULL: the root */
	const char *key;           /* the root's: its own path; NULL: an entry of a list */
	unsigned index;
};

/* place_text: "ipam.ranges[0][1]"; "" for a root without a path. */
void place_text(char buf[static FIELD_PATH], const struct place *at);

/*
 * field_scalar_read: one value of any type but FIELD_OBJECT into @out.
 * Return: 0, or -EINVAL with @e filled in as field_read() says.
 */
int field_scalar_read(const struct field *f, const json *value, const struct place *at,
		      enum err_code code, void *out, struct err *e);

/*
 * field_refuse: fail with "PATH: VALUE COMPLAINT" and what is allowed as details.
 * @complaint: NULL: the value has the wrong JSON type, and is said to be "a string" or the like.
 */
int field_refuse(const struct field *f, const json *value, const struct place *at,
		 enum err_code code, const char *complaint, struct err *e);

/* field_value_text: @value as JSON, printable and cut to what a message can bear. */
void field_value_text(const json *value, char *buf, size_t size);

/* field_allowed: in words, what one value of the row may be. */
void field_allowed(const struct field *f, struct text *t);

#endif
