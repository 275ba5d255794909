/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration: the keys of the reference bridge, portmap, firewall and bandwidth, and ours.
 */
#include "bridge.h"

#include "mode/bandwidth.h"

#include <errno.h>
#include <string.h>

#define BRIDGE_DEFAULT "cni0"
#define RATE_MAX       ((int64_t)1 << 53)

static const char *const backend_names[] = { "nftables", "iptables", NULL };

const struct field bridge_fields[] = {
	FIELD(struct bridge_conf, bridge, "bridge", FIELD_TEXT, .fallback = BRIDGE_DEFAULT,
	      .help = "Name of the bridge; made on demand, removed with its last attachment unless it "
		      "was there before."),
	FIELD(struct bridge_conf, gateway, "isGateway", FIELD_BOOL, .fallback = "false",
	      .help = "The bridge has the subnets' gateway addresses (network + 1 where ipam names "
		      "none), and the host forwards."),
	FIELD(struct bridge_conf, default_gateway, "isDefaultGateway", FIELD_BOOL,
	      .fallback = "false",
	      .help = "The task's default route leads to the bridge; implies isGateway."),
	FIELD(struct bridge_conf, force_address, "forceAddress", FIELD_BOOL, .fallback = "false",
	      .help = "Take away an address of the bridge that overlaps with the gateway's subnet."),
	FIELD(struct bridge_conf, masquerade, "ipMasq", FIELD_BOOL, .fallback = "false",
	      .help = "Masquerade what a task sends out of its subnet."),
	FIELD(struct bridge_conf, masquerade_backend, "ipMasqBackend", FIELD_ENUM,
	      .names = backend_names, .fallback = "nftables",
	      .help = "Read for the reference's sake: it is nftables whatever it says."),
	FIELD(struct bridge_conf, hairpin, "hairpinMode", FIELD_BOOL, .fallback = "false",
	      .help = "The port sends frames back to where they came from. Published ports reach the "
		      "task itself without it."),
	FIELD(struct bridge_conf, promiscuous, "promiscMode", FIELD_BOOL, .fallback = "false",
	      .help = "The bridge is promiscuous; excludes hairpinMode."),
	FIELD(struct bridge_conf, vlan, "vlan", FIELD_U32, .max = 4094, .fallback = "0",
	      .help = "Only 0: VLANs of a bridge are not offered."),
	FIELD(struct bridge_conf, mac_check, "macspoofchk", FIELD_BOOL, .fallback = "false",
	      .help = "The port takes frames (and ARP) of the task's own MAC alone."),
	FIELD(struct bridge_conf, detect_duplicates, "enabledad", FIELD_BOOL, .fallback = "false",
	      .help = "IPv6 duplicate address detection in the task, which takes seconds."),
	FIELD(struct bridge_conf, isolated, "portIsolation", FIELD_BOOL, .fallback = "false",
	      .help = "The bridge forwards nothing from this task to others with it; by way of the host they can still reach each other, unless ingressPolicy forbids it."),
	FIELD(struct bridge_conf, ingress_policy, "ingressPolicy", FIELD_ENUM,
	      .names = ingress_policy_names, .fallback = "open",
	      .help = "Who reaches the tasks: everybody, only tasks of the same bridge among those of "
		      "bridges with a policy, or none of them."),
	FIELD(struct bridge_conf, dynamic_ports, "dynamicPortRange", FIELD_TEXT,
	      .fallback = "the ports behind net.ipv4.ip_local_port_range, 61000-65535 mostly",
	      .help = "Where a hostPort of 0 comes from, \"FIRST-LAST\"; may not overlap with "
		      "net.ipv4.ip_local_port_range."),
	NAT_FIELDS(struct bridge_conf, nat),
	FIELD(struct bridge_conf, snat, "snat", FIELD_BOOL, .fallback = "true",
	      .help = "Published ports are reached from 127.0.0.1 and from within the task's own subnet, "
		      "by replacing the source address there; false: it is never replaced."),
	FIELD(struct bridge_conf, masq_all, "masqAll", FIELD_BOOL, .fallback = "false",
	      .help = "Replace the source address of all that comes by a published port: the task sees "
		      "the bridge's."),
	FIELD(struct bridge_conf, bandwidth.ingress_rate, "ingressRate", FIELD_I64, .max = RATE_MAX,
	      .fallback = "no limit",
	      .help = "Bits per second towards the task; "
		      "runtimeConfig.bandwidth counts where none of the four is set."),
	FIELD(struct bridge_conf, bandwidth.ingress_burst, "ingressBurst", FIELD_I64,
	      .max = RATE_MAX, .help = "Bits that may pass at once, at most what flows in 274 s."),
	FIELD(struct bridge_conf, bandwidth.egress_rate, "egressRate", FIELD_I64, .max = RATE_MAX,
	      .fallback = "no limit", .help = "Bits per second out of the task."),
	FIELD(struct bridge_conf, bandwidth.egress_burst, "egressBurst", FIELD_I64, .max = RATE_MAX,
	      .help = "Bits that may pass at once, at most what flows in 274 s."),
	{ .key = NULL },
};

void bridge_defaults(void *own)
{
	struct bridge_conf *c = own;

	text_copy(c->bridge, sizeof(c->bridge), BRIDGE_DEFAULT);
	c->snat = true;
}

static int refuse(struct err *e, const char *msg, const char *hint)
{
	err_set(e, ERR_CONFIG, 0, "%s", msg);
	err_hint(e, "%s", hint);
	return -EINVAL;
}

static int judge_name(const char *name, struct err *e)
{
	const char *fault = link_name_fault(name);
	char shown[80];

	if (!name[0])
		fault = "is empty";
	if (strcmp(name, "lo") == 0)
		fault = "is the loopback interface";
	if (!fault)
		return 0;
	text_printable(shown, sizeof(shown), name);
	err_set(e, ERR_CONFIG, 0, "bridge: \"%s\" %s", shown, fault);
	err_hint(e, "it must be possible as the name of an interface: 1 to 15 bytes without '/', "
		    "':', '%%' and space");
	return -EINVAL;
}

/* Switches that cannot go together. */
static int judge_switches(const struct bridge_conf *own, struct err *e)
{
	if (own->hairpin && own->promiscuous)
		return refuse(e, "hairpinMode: true cannot go with promiscMode: true",
			      "published ports reach the task itself without hairpinMode");
	if (own->masq_all && !own->snat)
		return refuse(e, "masqAll: true cannot go with snat: false",
			      "leave snat out: masqAll needs it");
	return 0;
}

int bridge_judge(const struct netconf *c, struct err *e)
{
	const struct bridge_conf *own = bridge_conf(c);
	int r = bridge_refuse_keys(c->root, e);

	if (r == 0)
		r = judge_name(own->bridge, e);
	if (r == 0)
		r = judge_switches(own, e);
	if (r == 0)
		r = nat_judge(&own->nat, e);
	if (r == 0)
		r = bandwidth_judge(&own->bandwidth, "task-bridge", e);
	if (r == 0)
		r = bandwidth_judge(&c->bandwidth, "runtimeConfig.bandwidth", e);
	return r < 0 ? r : bridge_judge_ports(c, e);
}
