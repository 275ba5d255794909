/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of the reference bridge, portmap, firewall and bandwidth that task-bridge has no place for.
 * Where to ignore one would open what it was to close, it is refused; the rest is without effect,
 * and STATUS says so.
 */
#include "bridge.h"

#include <errno.h>
#include <strings.h>

struct key {
	const char *name, *instead;
};

static const struct key refused[] = {
	{ "conditionsV4",
	  "hostIP limits a port to one address of the host; for other conditions drop the "
	  "packets in a table of your own, at the hook forward" },
	{ "conditionsV6",
	  "hostIP limits a port to one address of the host; for other conditions drop the "
	  "packets in a table of your own, at the hook forward" },
	{ "vlanTrunk",
	  "use a bridge per VLAN: make it with the VLAN's interface as its port, and name it "
	  "in bridge" },
	{ "disableContainerInterface",
	  "leave ipam out for an interface without addresses, which is up; or "
	  "keep the reference bridge" },
};

static const struct key ignored[] = {
	{ "preserveDefaultVlan", "there are no VLANs within the bridge" },
	{ "markMasqBit", "no packet is marked" },
	{ "externalSetMarkChain", "no packet is marked" },
	{ "backend", "it is nftables always" },
	{ "iptablesAdminChainName",
	  "rules of your own go into a table of your own, at the hook forward" },
	{ "firewalldZone",
	  "put the bridge into a zone yourself: firewall-cmd --permanent --zone=trusted "
	  "--add-interface=BRIDGE" },
	{ "shapedSubnets", "all traffic of the task is shaped" },
	{ "unshapedSubnets", "all traffic of the task is shaped" },
};

/* Does the configuration say more by it than its default? */
static bool says(const json *root, const char *name)
{
	const json *value = json_get(root, name);

	switch (json_kind(value)) {
	case JSON_IS_BOOL:
		return json_bool(value, false);
	case JSON_IS_STRING:
		return json_string(value)[0] != '\0';
	case JSON_IS_ARRAY:
	case JSON_IS_OBJECT:
		return json_count(value) > 0;
	case JSON_IS_NUMBER:
		return true;
	case JSON_IS_NONE:
	case JSON_IS_NULL:
		break;
	}
	return false;
}

int bridge_refuse_keys(const json *root, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (!says(root, refused[i].name))
			continue;
		err_set(e, ERR_CONFIG, 0, "%s: not offered by task-bridge", refused[i].name);
		err_hint(e, "%s", refused[i].instead);
		return -EINVAL;
	}
	return 0;
}

void bridge_warn_of_keys(const json *root, struct text *warn)
{
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (says(root, ignored[i].name))
			text_add(warn, "%s: without effect, %s\n", ignored[i].name,
				 ignored[i].instead);
}

bool bridge_knows_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (!strcasecmp(refused[i].name, key))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (!strcasecmp(ignored[i].name, key))
			return true;
	return false;
}
