/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several modes refuse, because to ignore it would break a promise in silence. */
#include "mode/refuse.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>

static bool names_store_alone(const json *ipam)
{
	return json_count(ipam) == (json_is_absent(json_get(ipam, "dataDir")) ? 0 : 1);
}

int mode_refuse_interface(const struct netconf *c, const char *mode, struct err *e)
{
	char mac[MAC_TEXT];

	if (c->mtu) {
		err_set(e, ERR_CONFIG, 0, "mtu: %u: the mode %s makes no interface to bear it",
			c->mtu, mode);
		err_hint(e, "leave mtu out of the network configuration");
	} else if (!names_store_alone(c->ipam)) {
		err_set(e, ERR_CONFIG, 0, "ipam: the mode %s gives no addresses", mode);
		err_hint(e, "leave ipam out of the network configuration, save its dataDir");
	} else if (c->address_wanted) {
		err_set(e, ERR_CONFIG, 0,
			"an address is asked for, by runtimeConfig, args.cni or CNI_ARGS IP: "
			"the mode %s gives none",
			mode);
		err_hint(e, "start the container without --ip, or use awsvpc or task-bridge");
	} else if (mac_is_set(&c->mac)) {
		err_set(e, ERR_CONFIG, 0,
			"the MAC %s is asked for: the mode %s makes no interface to bear it",
			mac_text(&c->mac, mac), mode);
		err_hint(e, "start the container without --mac-address");
	} else {
		return mode_refuse_bandwidth(c, mode, "use task-bridge", e);
	}
	return -EINVAL;
}

int mode_refuse_bandwidth(const struct netconf *c, const char *mode, const char *instead,
			  struct err *e)
{
	const struct bandwidth *b = &c->bandwidth;
	const struct {
		const char *key;
		uint64_t value;
	} limits[] = {
		{ "ingressRate", b->ingress_rate },
		{ "ingressBurst", b->ingress_burst },
		{ "egressRate", b->egress_rate },
		{ "egressBurst", b->egress_burst },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (!limits[i].value)
			continue;
		err_set(e, ERR_CONFIG, 0,
			"runtimeConfig.bandwidth.%s: %" PRIu64 ": the mode %s limits no traffic",
			limits[i].key, limits[i].value, mode);
		err_hint(e,
			 "start the container without a limit, or take \"bandwidth\" out of this "
			 "plugin's capabilities and %s",
			 instead);
		return -EINVAL;
	}
	return 0;
}

int mode_refuse_other_ports(const struct netconf *c, const char *why, struct err *e)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		const struct port *p = &c->ports[i];

		if (p->host_port == 0 || p->host_port == p->container_port)
			continue;
		err_set(e, ERR_CONFIG, 0,
			"runtimeConfig.portMappings[%u].hostPort: %u differs from containerPort %u",
			i, p->host_port, p->container_port);
		err_hint(e, "%s: leave hostPort out or make it %u, or use the type task-bridge",
			 why, p->container_port);
		return -EINVAL;
	}
	return 0;
}
