/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One value: from JSON into a member of a struct, and the words when it does not fit. A message
 * names the whole path, the value as it was written, and what is allowed: people see it in the log
 * of a runtime, far from the file that holds the mistake.
 */
#include "field_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ip.h"

#define VALUE_TEXT 64

static const char *kind_words(const json *value)
{
	switch (json_kind(value)) {
	case JSON_IS_NULL:
		return "is null";
	case JSON_IS_BOOL:
		return "is a boolean";
	case JSON_IS_NUMBER:
		return "is a number";
	case JSON_IS_STRING:
		return "is a string";
	case JSON_IS_ARRAY:
		return "is a list";
	case JSON_IS_OBJECT:
		return "is an object";
	case JSON_IS_NONE:
		break;
	}
	return "is missing";
}

void field_value_text(const json *value, char *buf, size_t size)
{
	cleanup_free char *all = json_print(value);
	bool cut = all && strlen(all) >= size;

	text_printable(buf, cut ? size - 3 : size, all ? all : "?");
	if (cut)
		memcpy(buf + strlen(buf), "...", sizeof("..."));
}

/* A table that says no bounds means "what the type holds". */
static int64_t upper_bound(const struct field *f)
{
	if (f->min || f->max)
		return f->max;
	return f->type == FIELD_U32 ? UINT32_MAX : INT64_C(1) << 53;
}

static int64_t lower_bound(const struct field *f)
{
	if (f->min || f->max || f->type == FIELD_U32)
		return f->min;
	return -(INT64_C(1) << 53);
}

static void allowed_names(const char *const *names, struct text *t)
{
	for (unsigned i = 0; names[i]; i++)
		text_add(t, "%s%s", i ? ", " : "", names[i]);
}

void field_allowed(const struct field *f, struct text *t)
{
	switch (f->type) {
	case FIELD_BOOL:
		text_add(t, "true or false");
		return;
	case FIELD_U32:
	case FIELD_I64:
		text_add(t, "a whole number from %" PRId64 " to %" PRId64, lower_bound(f),
			 upper_bound(f));
		return;
	case FIELD_U64:
		text_add(t, "a whole number as a string");
		return;
	case FIELD_TEXT:
		text_add(t, "a string of at most %zu bytes", f->size - 1);
		return;
	case FIELD_ENUM:
		allowed_names(f->names, t);
		return;
	case FIELD_IP:
		text_add(t, "an address such as \"10.0.1.5\" or \"fd00::5\"");
		return;
	case FIELD_CIDR:
		text_add(t, "an address with its prefix length such as \"10.0.1.5/24\"");
		return;
	case FIELD_NET:
		text_add(t, "a network such as \"10.0.1.0/24\" or \"fd00:0:0:1::/64\"");
		return;
	case FIELD_MAC:
		text_add(t, "a unicast MAC address such as \"02:00:0a:00:01:05\"");
		return;
	case FIELD_OBJECT:
		text_add(t, "an object");
		return;
	case FIELD_ANY:
		text_add(t, "anything");
		return;
	}
}

static void add_place(struct text *t, const struct place *at)
{
	if (at->above)
		add_place(t, at->above);
	if (at->key)
		text_add(t, "%s%s", t->len ? "." : "", at->key);
	else
		text_add(t, "[%u]", at->index);
}

void place_text(char buf[static FIELD_PATH], const struct place *at)
{
	struct text t;

	text_init(&t, buf, FIELD_PATH);
	add_place(&t, at);
}

int field_refuse(const struct field *f, const json *value, const struct place *at,
		 enum err_code code, const char *complaint, struct err *e)
{
	char path[FIELD_PATH], shown[VALUE_TEXT], words[512];
	struct text t;

	place_text(path, at);
	field_value_text(value, shown, sizeof(shown));
	err_set(e, code, EINVAL, "%s: %s %s", path, shown,
		complaint ? complaint : kind_words(value));
	text_init(&t, words, sizeof(words));
	field_allowed(f, &t);
	err_hint(e, "allowed: %s", words);
	return -EINVAL;
}

/* Return: NULL, or the complaint; "" stands for the wrong JSON type. */
static const char *read_number(const struct field *f, const json *value, void *out)
{
	int64_t n;
	uint32_t u;

	if (json_kind(value) != JSON_IS_NUMBER)
		return "";
	if (!json_integer(value, &n))
		return "is no whole number";
	if (n < lower_bound(f) || n > upper_bound(f))
		return "is out of range";
	if (f->type == FIELD_I64) {
		memcpy(out, &n, sizeof(n));
		return NULL;
	}
	u = (uint32_t)n;
	memcpy(out, &u, sizeof(u));
	return NULL;
}

static const char *read_u64(const json *value, void *out)
{
	const char *s = json_string(value);
	char *end;
	int64_t small;
	uint64_t n;

	if (!s && !json_integer(value, &small))
		return "";
	if (s) {
		errno = 0;
		n = strtoull(s, &end, 10);
		if (*s < '0' || *s > '9' || *end || errno)
			return "is no whole number";
	} else {
		if (small < 0)
			return "is out of range";
		n = (uint64_t)small;
	}
	memcpy(out, &n, sizeof(n));
	return NULL;
}

/* Names are matched whatever their case: runtimes write "tcp" and "TCP". */
static const char *read_enum(const struct field *f, const json *value, void *out)
{
	const char *s = json_string(value);

	if (!s)
		return "";
	for (uint32_t i = 0; f->names[i]; i++) {
		if (strcasecmp(f->names[i], s) != 0)
			continue;
		memcpy(out, &i, sizeof(i));
		return NULL;
	}
	return "is unknown";
}

static const char *read_text(const struct field *f, const json *value, void *out)
{
	const char *s = json_string(value);

	if (!s)
		return "";
	return text_copy(out, f->size, s) ? NULL : "is too long";
}

static const char *read_ip(const json *value, void *out)
{
	const char *s = json_string(value);
	struct ip ip;

	if (!s)
		return "";
	if (!ip_parse(s, &ip))
		return strchr(s, '/') ? "is a network, not an address" : "is no IP address";
	memcpy(out, &ip, sizeof(ip));
	return NULL;
}

static const char *read_cidr(const struct field *f, const json *value, void *out)
{
	const char *s = json_string(value);
	struct cidr c;
	struct ip ip;

	if (!s)
		return "";
	if ((f->flags & FIELD_BARE_IP) && ip_parse(s, &ip))
		c = cidr_host(&ip);
	else if (!cidr_parse(s, &c))
		return ip_parse(s, &ip) ? "lacks its prefix length" : "is no network";
	if (f->type == FIELD_NET && cidr_has_host_bits(&c))
		return "has host bits";
	memcpy(out, &c, sizeof(c));
	return NULL;
}

static const char *read_mac(const json *value, void *out)
{
	const char *s = json_string(value);
	struct mac mac;

	if (!s)
		return "";
	if (!mac_parse(s, &mac))
		return "is no MAC address";
	if (!mac_is_unicast(&mac) || !mac_is_set(&mac))
		return "is no unicast MAC address";
	memcpy(out, &mac, sizeof(mac));
	return NULL;
}

static const char *read_any(const struct field *f, const json *value, void *out)
{
	bool b;

	switch (f->type) {
	case FIELD_BOOL:
		if (json_kind(value) != JSON_IS_BOOL)
			return "";
		b = json_bool(value, false);
		memcpy(out, &b, sizeof(b));
		return NULL;
	case FIELD_U32:
	case FIELD_I64:
		return read_number(f, value, out);
	case FIELD_U64:
		return read_u64(value, out);
	case FIELD_TEXT:
		return read_text(f, value, out);
	case FIELD_ENUM:
		return read_enum(f, value, out);
	case FIELD_IP:
		return read_ip(value, out);
	case FIELD_CIDR:
	case FIELD_NET:
		return read_cidr(f, value, out);
	case FIELD_MAC:
		return read_mac(value, out);
	case FIELD_OBJECT:
	case FIELD_ANY:
		break;
	}
	memcpy(out, &value, sizeof(value));
	return NULL;
}

/* Instead of what a network looks like, the network that was meant. */
static void hint_network(const json *value, struct err *e)
{
	char meant[IP_TEXT];
	struct cidr c;

	if (!cidr_parse(json_string(value), &c))
		return;
	c.ip = cidr_first(&c);
	err_hint(e, "write the network: \"%s\"", cidr_text(&c, meant));
}

int field_scalar_read(const struct field *f, const json *value, const struct place *at,
		      enum err_code code, void *out, struct err *e)
{
	const char *complaint = read_any(f, value, out);

	if (!complaint)
		return 0;
	field_refuse(f, value, at, code, *complaint ? complaint : NULL, e);
	if (!strcmp(complaint, "has host bits"))
		hint_network(value, e);
	return -EINVAL;
}
