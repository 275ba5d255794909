/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a struct by its table. Zero, empty and false are left out unless a row says otherwise, so
 * that a record stays small; field_read() leaves what is absent as it was, which closes the circle.
 */
#include "json/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"

static uint32_t get_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool is_set(const struct field *f, const void *p)
{
	const json *any;

	switch (f->type) {
	case FIELD_BOOL:
		return *(const bool *)p;
	case FIELD_U32:
	case FIELD_ENUM:
		return get_u32(p) != 0;
	case FIELD_I64:
	case FIELD_U64:
		return get_u64(p) != 0;
	case FIELD_TEXT:
		return *(const char *)p != '\0';
	case FIELD_IP:
		return ip_is_set(p);
	case FIELD_CIDR:
	case FIELD_NET:
		return ip_is_set(&((const struct cidr *)p)->ip);
	case FIELD_MAC:
		return mac_is_set(p);
	case FIELD_ANY:
		memcpy(&any, p, sizeof(any));
		return any != NULL;
	case FIELD_OBJECT:
		break;
	}
	return true;
}

static json *write_u64(uint64_t n, json *to, const char *key)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, n);
	return json_add_string(to, key, buf);
}

/* An index beyond the names can only be a mistake of the program: it is written as nothing. */
static json *write_enum(const struct field *f, uint32_t index, json *to, const char *key)
{
	for (uint32_t i = 0; f->names[i]; i++) {
		if (i == index)
			return json_add_string(to, key, f->names[i]);
	}
	return NULL;
}

static json *write_scalar(const struct field *f, const void *p, json *to, const char *key)
{
	char buf[IP_TEXT];
	const json *any;

	switch (f->type) {
	case FIELD_BOOL:
		return json_add_bool(to, key, *(const bool *)p);
	case FIELD_U32:
		return json_add_integer(to, key, get_u32(p));
	case FIELD_I64:
		return json_add_integer(to, key, (int64_t)get_u64(p));
	case FIELD_U64:
		return write_u64(get_u64(p), to, key);
	case FIELD_TEXT:
		return json_add_string(to, key, p);
	case FIELD_ENUM:
		return write_enum(f, get_u32(p), to, key);
	case FIELD_IP:
		return json_add_string(to, key, ip_text(p, buf));
	case FIELD_CIDR:
	case FIELD_NET:
		return json_add_string(to, key, cidr_text(p, buf));
	case FIELD_MAC:
		return json_add_string(to, key, mac_text(p, buf));
	case FIELD_ANY:
		memcpy(&any, p, sizeof(any));
		return json_add_copy(to, key, any);
	case FIELD_OBJECT:
		break;
	}
	return NULL;
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_IO, ENOMEM, "memory is short");
}

static int write_object(const struct field *f, const void *p, json *to, const char *key,
			struct err *e)
{
	json *object = json_add_object(to, key);
	int rc = object ? field_write(f->fields, p, object, e) : no_memory(e);

	if (!rc && key && !json_first(object) && !(f->flags & FIELD_ALWAYS))
		json_remove(to, key);
	return rc;
}

static int write_one(const struct field *f, const void *p, json *to, const char *key, struct err *e)
{
	if (f->type == FIELD_OBJECT)
		return write_object(f, p, to, key, e);
	return write_scalar(f, p, to, key) ? 0 : no_memory(e);
}

static int write_list(const struct field *f, const void *in, json *to, struct err *e)
{
	const char *element = (const char *)in + f->offset;
	unsigned n = get_u32((const char *)in + f->count_offset);
	json *list;

	if (!n && !(f->flags & FIELD_ALWAYS))
		return 0;
	list = json_add_array(to, f->key);
	if (!list)
		return no_memory(e);
	for (unsigned i = 0; i < n && i < f->max_count; i++) {
		int rc = write_one(f, element + i * f->size, list, NULL, e);

		if (rc)
			return rc;
	}
	return 0;
}

int field_write(const struct field *table, const void *in, json *object, struct err *e)
{
	for (const struct field *f = table; f->key; f++) {
		const void *p = (const char *)in + f->offset;
		int rc = 0;

		if (f->flags & FIELD_LIST)
			rc = write_list(f, in, object, e);
		else if ((f->flags & FIELD_ALWAYS) || is_set(f, p))
			rc = write_one(f, p, object, f->key, e);
		if (rc)
			return rc;
	}
	return 0;
}
