# SPDX-License-Identifier: GPL-2.0-or-later
#
# A conflist of the reference bridge chain as one of task-bridge:
#
#   jq -f migrate.jq 87-podman-bridge.conflist > 87-task-bridge.conflist
#
# What bridge, portmap, firewall and bandwidth do, one plugin does; all other plugins stay in the chain,
# in their order. host-local becomes task-ipam over the same ranges; every other IPAM plugin stays as it
# is. A list without a bridge plugin is left alone.
#
# Left out, because there is nothing to say: portmap's and firewall's `backend`, `ipMasqBackend`,
# `markMasqBit`, `externalSetMarkChain`, `preserveDefaultVlan`, and `masqAll` beside `snat: false`, where
# portmap does not look at it. Carried over although without effect, so that STATUS names them to whoever
# relied on them: `shapedSubnets`, `unshapedSubnets`, `iptablesAdminChainName`, `firewalldZone`. Refused,
# as task-bridge would: `vlan`, `vlanTrunk`, `disableContainerInterface`, `conditionsV4`, `conditionsV6`.

def merged: ["bridge", "portmap", "firewall", "bandwidth"];
def of($type): map(select(.type == $type)) | first // {};
def lost($keys): . as $plugin | $keys[] | select($plugin[.] | . != null and . != [] and . != false and . != 0)
	| error("\($plugin.type): \(.) has no counterpart in task-bridge");

# host-local's own keys: a single subnet at the top level is one set of one range; dataDir and
# resolvConf mean the same kind of thing, but host-local's directory is not ours.
def ipam: if .type != "host-local" then . else
	(if .subnet then [[{subnet, rangeStart, rangeEnd, gateway} | with_entries(select(.value != null))]]
	 else [] end) as $legacy
	| del(.subnet, .rangeStart, .rangeEnd, .gateway, .dataDir)
	| .type = "task-ipam" | .ranges = $legacy + (.ranges // []) end;

if ((.plugins // []) | of("bridge")) == {} then . else
(.plugins | of("bridge") | [lost(["vlan", "vlanTrunk", "disableContainerInterface"])]) as $_
| (.plugins | of("portmap") | [lost(["conditionsV4", "conditionsV6"])]) as $_
| (.plugins | of("portmap")) as $portmap
| (.plugins | of("firewall")) as $firewall
| (.plugins | of("bandwidth")) as $bandwidth
| .plugins |= (map(
	if .type == "bridge" then
		.type = "task-bridge"
		# podman takes all other capabilities away from a first plugin that does not declare "ips".
		| .capabilities = ((.capabilities // {}) + {ips: true, mac: true}
			+ ($portmap.capabilities // {} | {portMappings} | with_entries(select(.value == true)))
			+ ($bandwidth.capabilities // {} | {bandwidth} | with_entries(select(.value == true))))
		| . + ($portmap | if .snat == false then {snat} else {masqAll} end | with_entries(select(.value != null)))
		| . + ($firewall | {ingressPolicy, iptablesAdminChainName, firewalldZone} | with_entries(select(.value != null)))
		| . + ($bandwidth | {ingressRate, ingressBurst, egressRate, egressBurst, shapedSubnets, unshapedSubnets}
			| with_entries(select(.value != null)))
		| del(.ipMasqBackend, .preserveDefaultVlan)
		| if .ipam and .ipam != {} then .ipam |= ipam else . end
	elif .type as $t | merged | index($t) then empty
	else . end))
# 1.1.0 for STATUS and GC where the runtime knows it; older ones read the first key only. A reference
# plugin that stays may not know 1.1.0.
| .cniVersions = ["0.4.0", "1.0.0"] + (if .plugins | length == 1 then ["1.1.0"] else [] end)
| if (.cniVersion // "0.1.0") | test("^0\\.[123]\\.") then .cniVersion = "0.4.0" else . end
end
