/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CNI_ARGS: the oldest way to ask for an address or a MAC, and the one that podman and nerdctl use.
 * Reference plugins refuse a whole call for one odd pair; here only our own keys can be wrong,
 * because a host name passed along must never keep a container from starting.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cni/args.h"

bool address_parse(const char *text, struct cidr *ret)
{
	if (strchr(text, '/'))
		return cidr_parse(text, ret) && ret->len;
	ret->len = 0;
	return ip_parse(text, &ret->ip);
}

int asked_address(struct asked *a, const struct cidr *ip, const char *source)
{
	for (unsigned i = 0; i < a->n_ips; i++) {
		struct cidr *had = &a->ips[i];

		if (!ip_equal(&had->ip, &ip->ip) || a->ip_sources[i] == source ||
		    (had->len && ip->len && had->len != ip->len))
			continue;
		had->len = had->len ? had->len : ip->len;
		return 0;
	}
	if (a->n_ips == STORE_ADDRESSES)
		return -E2BIG;
	a->ips[a->n_ips] = *ip;
	a->ip_sources[a->n_ips++] = source;
	return 0;
}

int asked_mac(struct asked *a, const struct mac *mac, const char *source, struct err *e)
{
	char had[MAC_TEXT], now[MAC_TEXT];

	if (mac_is_set(&a->mac) && !mac_equal(&a->mac, mac) && a->mac_source != source) {
		err_set(e, ERR_CONFIG, 0, "%s: %s differs from %s: %s", source, mac_text(mac, now),
			a->mac_source, mac_text(&a->mac, had));
		err_hint(e, "leave one of the two out");
		return -EINVAL;
	}
	a->mac = *mac;
	a->mac_source = source;
	return 0;
}

static int bad_value(struct err *e, const char *key, const char *value, const char *allowed)
{
	char shown[80];

	text_printable(shown, sizeof(shown), value);
	err_set(e, ERR_ENVIRONMENT, 0, "CNI_ARGS: %s=%s: wrong value", key, shown);
	err_hint(e, "%s takes %s", key, allowed);
	return -EINVAL;
}

static int read_ip(char *value, struct asked *ret, struct err *e)
{
	char *rest = value, *one;
	struct cidr ip;

	ret->n_ips = 0; /* of a key given twice the last one holds */
	while ((one = strsep(&rest, ","))) {
		if (!address_parse(one, &ip))
			return bad_value(e, "IP", one,
					 "addresses, with or without /LENGTH, separated by commas");
		if (asked_address(ret, &ip, "CNI_ARGS IP") < 0)
			return bad_value(e, "IP", one, "at most 8 addresses");
	}
	return 0;
}

static int read_mac(char *value, struct asked *ret, struct err *e)
{
	struct mac mac;

	if (!mac_parse(value, &mac) || !mac_is_unicast(&mac) || !mac_is_set(&mac))
		return bad_value(e, "MAC", value, "a unicast address like 02:00:00:00:00:01");
	return asked_mac(ret, &mac, "CNI_ARGS MAC", e);
}

static int read_gateway(char *value, struct asked *ret, struct err *e)
{
	if (!ip_parse(value, &ret->gateway))
		return bad_value(e, "GATEWAY", value, "an address");
	return 0;
}

static int read_pair(char *pair, struct asked *ret, struct err *e)
{
	static const struct {
		const char *key;
		int (*read)(char *value, struct asked *ret, struct err *e);
	} rows[] = { { "IP", read_ip }, { "MAC", read_mac }, { "GATEWAY", read_gateway } };
	char *value = strchr(pair, '=');

	if (!value || !value[1])
		return 0;
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(pair, rows[i].key))
			return rows[i].read(value, ret, e);
	return 0;
}

/* A value that the record can keep whole, as people can read it. */
static bool is_label(const char *value, size_t size)
{
	size_t len = strlen(value);
	char shown[256];

	if (len >= size || !text_is_utf8(value, len))
		return false;
	text_printable(shown, sizeof(shown), value);
	return !strcmp(shown, value);
}

const char *args_owner(const char *text, struct owner *ret)
{
	const struct {
		const char *key;
		char *value;
		size_t size;
	} rows[] = {
		{ "K8S_POD_NAMESPACE", ret->pod_namespace, sizeof(ret->pod_namespace) },
		{ "K8S_POD_NAME", ret->pod_name, sizeof(ret->pod_name) },
		{ "NERDCTL_CNI_DHCP_HOSTNAME", ret->hostname, sizeof(ret->hostname) },
	};
	cleanup_free char *copy = text ? strdup(text) : NULL;
	const char *odd = NULL;
	char *rest = copy, *pair;

	*ret = (struct owner){ .pod_name = "" };
	while (rest && (pair = strsep(&rest, ";")))
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			size_t len = strlen(rows[i].key);

			if (strncmp(pair, rows[i].key, len) != 0 || pair[len] != '=')
				continue;
			if (is_label(pair + len + 1, rows[i].size))
				text_copy(rows[i].value, rows[i].size, pair + len + 1);
			else
				odd = rows[i].key;
		}
	return odd;
}

int args_read(const char *text, struct asked *ret, struct err *e)
{
	char *copy, *rest, *pair;
	int r = 0;

	if (!text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return err_sys(e, ERR_IO, ENOMEM, "CNI_ARGS");
	rest = copy;
	while (!r && (pair = strsep(&rest, ";")))
		r = read_pair(pair, ret, e);
	free(copy);
	return r;
}
