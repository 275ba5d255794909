/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents: parsing, looking, building. The one file that sees cJSON. What cJSON forgives is
 * refused by scan.c first; what it decides otherwise than Go (which of two equal keys counts, how
 * keys are found, how large an integer is exact) is decided here.
 */
#include "json/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "scan.h"

#define INTEGER_MAX 9007199254740992.0 /* 2^53: beyond it a double skips integers */

int json_parse(const char *text, size_t len, const char *what, json **ret, struct err *e)
{
	struct scan s = { .text = text, .len = len };

	if (scan_document(&s))
		return err_set(e, ERR_DECODE, 0, "%s is no valid JSON: %s at byte %zu", what, s.why,
			       s.pos);
	*ret = cJSON_ParseWithLengthOpts(text, len, NULL, false);
	if (!*ret)
		return err_set(e, ERR_DECODE, 0,
			       "%s cannot be read as JSON: a number is too long or memory is short",
			       what);
	return 0;
}

void json_free(json *j)
{
	cJSON_Delete(j);
}

char *json_print(const json *j)
{
	return cJSON_PrintUnformatted(j);
}

char *json_print_pretty(const json *j)
{
	return cJSON_Print(j);
}

enum json_kind json_kind(const json *j)
{
	switch (j ? j->type & 0xff : cJSON_Invalid) {
	case cJSON_NULL:
		return JSON_IS_NULL;
	case cJSON_True:
	case cJSON_False:
		return JSON_IS_BOOL;
	case cJSON_Number:
		return JSON_IS_NUMBER;
	case cJSON_String:
		return JSON_IS_STRING;
	case cJSON_Array:
		return JSON_IS_ARRAY;
	case cJSON_Object:
		return JSON_IS_OBJECT;
	default:
		return JSON_IS_NONE;
	}
}

bool json_is_absent(const json *j)
{
	return json_kind(j) <= JSON_IS_NULL;
}

/* Letters of either case differ in one bit, so most keys are told apart by their first. */
static bool same_key(const char *a, const char *b)
{
	return (*a | 0x20) == (*b | 0x20) && !strcasecmp(a, b);
}

/* The last of equal keys counts, as in Go; cJSON's own lookup takes the first. */
const json *json_get(const json *object, const char *key)
{
	const json *exact = NULL, *folded = NULL;

	if (json_kind(object) != JSON_IS_OBJECT)
		return NULL;
	for (const json *i = object->child; i; i = i->next) {
		if (!strcmp(i->string, key))
			exact = i;
		else if (same_key(i->string, key))
			folded = i;
	}
	return exact ? exact : folded;
}

const json *json_find(const json *from, const char *key)
{
	while (from && !same_key(from->string, key))
		from = from->next;
	return from;
}

const json *json_first(const json *array_or_object)
{
	enum json_kind kind = json_kind(array_or_object);

	return kind == JSON_IS_ARRAY || kind == JSON_IS_OBJECT ? array_or_object->child : NULL;
}

const json *json_next(const json *item)
{
	return item ? item->next : NULL;
}

const char *json_key(const json *item)
{
	return item ? item->string : NULL;
}

unsigned json_count(const json *array_or_object)
{
	unsigned n = 0;

	for (const json *i = json_first(array_or_object); i; i = i->next)
		n++;
	return n;
}

const char *json_string(const json *j)
{
	return json_kind(j) == JSON_IS_STRING ? j->valuestring : NULL;
}

bool json_bool(const json *j, bool fallback)
{
	return json_kind(j) == JSON_IS_BOOL ? cJSON_IsTrue(j) : fallback;
}

bool json_integer(const json *j, int64_t *ret)
{
	double d;

	if (json_kind(j) != JSON_IS_NUMBER)
		return false;
	d = j->valuedouble;
	/* The range first: outside of int64_t the conversion is undefined. */
	if (!(d >= -INTEGER_MAX && d <= INTEGER_MAX) || (double)(int64_t)d != d)
		return false;
	*ret = (int64_t)d;
	return true;
}

json *json_object(void)
{
	return cJSON_CreateObject();
}

json *json_array(void)
{
	return cJSON_CreateArray();
}

json *json_copy(const json *j)
{
	return cJSON_Duplicate(j, true);
}

/* Takes @item: without a parent, or without memory, it is freed, so that builders can be chained.
 */
static json *attach(json *parent, const char *key, json *item)
{
	bool done = key ? cJSON_AddItemToObject(parent, key, item)
			: cJSON_AddItemToArray(parent, item);

	if (done)
		return item;
	cJSON_Delete(item);
	return NULL;
}

json *json_add_object(json *parent, const char *key)
{
	return attach(parent, key, cJSON_CreateObject());
}

json *json_add_array(json *parent, const char *key)
{
	return attach(parent, key, cJSON_CreateArray());
}

json *json_add_string(json *parent, const char *key, const char *value)
{
	return attach(parent, key, cJSON_CreateString(value));
}

json *json_add_integer(json *parent, const char *key, int64_t value)
{
	return attach(parent, key, cJSON_CreateNumber((double)value));
}

json *json_add_bool(json *parent, const char *key, bool value)
{
	return attach(parent, key, cJSON_CreateBool(value));
}

json *json_add_null(json *parent, const char *key)
{
	return attach(parent, key, cJSON_CreateNull());
}

json *json_add_copy(json *parent, const char *key, const json *value)
{
	return attach(parent, key, cJSON_Duplicate(value, true));
}

void json_remove(json *object, const char *key)
{
	json *next;

	if (json_kind(object) != JSON_IS_OBJECT)
		return;
	for (json *i = object->child; i; i = next) {
		next = i->next;
		if (same_key(i->string, key))
			cJSON_Delete(cJSON_DetachItemViaPointer(object, i));
	}
}
