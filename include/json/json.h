/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON in, JSON out. A document is a cJSON tree behind an opaque name: only lib/json includes
 * cJSON.
 *
 * What we accept is what Go's encoding/json accepts of a runtime, and nothing more: one value, no
 * byte order mark, no trailing text, UTF-8, no NUL, at most JSON_DEPTH levels. Keys are found
 * case-insensitively, because Go finds them so and runtimes get away with "HostPort".
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

#define JSON_DEPTH 512

typedef struct cJSON json;

enum json_kind {
	JSON_IS_NONE,
	JSON_IS_NULL,
	JSON_IS_BOOL,
	JSON_IS_NUMBER,
	JSON_IS_STRING,
	JSON_IS_ARRAY,
	JSON_IS_OBJECT
};

/*
 * json_parse: the whole of @text[@len] as one document.
 * @what: what the text is, for the message ("stdin", "result of host-local").
 * @ret: owned by the caller, json_free().
 * Return: 0, or -EINVAL with code 6 (ERR_DECODE) naming the place of the error.
 */
int json_parse(const char *text, size_t len, const char *what, json **ret, struct err *e);
void json_free(json *j); /* NULL is fine */
static inline void json_freep(json **j)
{
	json_free(*j);
}
#define cleanup_json CLEANUP(json_freep)

/* json_print: compact text in a new buffer (caller frees), NULL if there is no memory. */
char *json_print(const json *j);
char *json_print_pretty(const json *j);

enum json_kind json_kind(const json *j); /* NULL is JSON_IS_NONE */
bool json_is_absent(const json *j);      /* NULL or null: Go's zero value */

/* Borrowed views; NULL where there is none. json_get finds case-insensitively, the exact key first.
 */
const json *json_get(const json *object, const char *key);
const json *json_first(const json *array_or_object);
const json *json_next(const json *item);
/* json_find: @from or the first after it with that key, whatever its case; NULL: none. Of an
 * object. */
const json *json_find(const json *from, const char *key);
const char *json_key(const json *item);
unsigned json_count(const json *array_or_object);
const char *json_string(const json *j);       /* NULL if it is no string */
bool json_bool(const json *j, bool fallback); /* fallback if it is no boolean */
/* json_integer: Return: false if it is no number, has a fraction, or lies outside +-2^53. */
bool json_integer(const json *j, int64_t *ret);

/* Builders. Each returns the new node (owned by its parent), NULL if there is no memory. */
json *json_object(void); /* a root: json_free() */
json *json_array(void);
json *json_copy(const json *j);                       /* a new root */
json *json_add_object(json *parent, const char *key); /* key NULL: append to an array */
json *json_add_array(json *parent, const char *key);
json *json_add_string(json *parent, const char *key, const char *value);
json *json_add_integer(json *parent, const char *key, int64_t value);
json *json_add_bool(json *parent, const char *key, bool value);
json *json_add_null(json *parent, const char *key);
json *json_add_copy(json *parent, const char *key, const json *value);
void json_remove(json *object, const char *key);

#endif
