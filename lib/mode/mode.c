/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all modes share: the common fields of a configuration, and the MTU. */
#include "mode/mode.h"

#include <string.h>
#include <sys/socket.h>

#define MTU_DEFAULT 1500

/* As enum status_exhausted. */
static const char *const status_exhausted_names[] = { "warn", "error", NULL };

const struct field netconf_fields[] = {
	FIELD(struct netconf, mtu, "mtu", FIELD_U32, .min = 68, .max = 65535,
	      .fallback = "that of the default route's interface",
	      .help = "MTU of both ends of the task's link."),
	FIELD(struct netconf, create_namespace, "createNamespace", FIELD_BOOL, .fallback = "false",
	      .help = "Make a CNI_NETNS of the shape /run/netns/NAME that does not exist yet, and "
		      "remove it at the DEL of the last attachment in it."),
	FIELD(struct netconf, status_exhausted, "statusExhausted", FIELD_ENUM,
	      .names = status_exhausted_names, .fallback = "warn",
	      .help = "STATUS of a full pool: a warning on stderr, as the end of a task gives "
		      "addresses back; or code 50, with which containerd 2.1 calls the whole node "
		      "not ready."),
	FIELD(struct netconf, dns, "dns", FIELD_OBJECT, .fields = pool_dns_fields,
	      .help = "DNS settings for the result; they replace those of `ipam`."),
	{ .key = NULL },
};

const struct mode *mode_find(const struct plugin *plugin, const char *name)
{
	for (const struct mode *const *m = plugin->known ? plugin->known : plugin->modes; *m; m++)
		if (strcmp((*m)->name, name) == 0)
			return *m;
	return NULL;
}

int mode_mtu(const struct netconf *c, struct plan_io *io, uint32_t *ret, struct err *e)
{
	struct route_uplink uplink = { .mtu = 0 };
	struct netlink *nl;
	int r;

	*ret = c->mtu;
	if (c->mtu)
		return 0;
	r = plan_io_route(io, HOST, &nl, e);
	if (r == 0)
		r = route_uplink_find(nl, AF_INET, &uplink, e);
	if (r == 0 && !uplink.mtu)
		r = route_uplink_find(nl, AF_INET6, &uplink, e);
	*ret = uplink.mtu ? uplink.mtu : MTU_DEFAULT;
	return r;
}
