/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record's plugin and configuration, as far as GC and CHECK read them. */
#include "verbs.h"

#include <errno.h>
#include <string.h>

#include "live.h"

const char *plugin_of_mode(const char *mode)
{
	static const char *const rows[][2] = {
		{ "awsvpc-veth", "awsvpc" }, { "awsvpc-macvlan", "awsvpc" },
		{ "bridge", "task-bridge" }, { "host", "task-host" },
		{ "none", "task-none" },     { "ipam", "task-ipam" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i][0], mode))
			return rows[i][1];
	return NULL;
}

int verbs_list(const json *row, json **ret, struct err *e)
{
	const char *type = plugin_of_mode(live_text(row, "mode"));
	json *plugin;

	if (!type) {
		err_set(e, ERR_CONFIG, 0, "task %s: no plugin of ours has the mode \"%s\"",
			live_text(row, "task"), live_text(row, "mode"));
		err_hint(e, "is this taskvpc older than the plugins?");
		return -EINVAL;
	}
	*ret = json_object();
	json_add_string(*ret, "cniVersion", "1.1.0");
	json_add_string(*ret, "name", live_text(row, "network"));
	plugin = json_add_object(json_add_array(*ret, "plugins"), NULL);
	json_add_string(plugin, "type", type);
	if (*live_text(row, "store"))
		json_add_string(json_add_object(plugin, "ipam"), "dataDir",
				live_text(row, "store"));
	return 0;
}

json *verbs_result(const json *row)
{
	json *result = json_object();
	json *link = json_add_object(json_add_array(result, "interfaces"), NULL);
	json *ips = json_add_array(result, "ips");

	json_add_string(result, "cniVersion", "1.1.0");
	json_add_string(link, "name", live_text(row, "interface"));
	json_add_string(link, "mac", live_text(row, "mac"));
	json_add_string(link, "sandbox", live_text(row, "netns"));
	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a)) {
		json *ip = json_add_object(ips, NULL);

		json_add_string(ip, "address", live_text(a, "address"));
		json_add_integer(ip, "interface", 0);
	}
	return result;
}
