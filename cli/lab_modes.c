/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modes that are compared, with the networks that everybody has built in. macvlan alone needs a
 * network of its own: its subnet is the LAN's.
 */
#include "compare.h"

static const char macvlan[] =
	"{ \"cniVersion\": \"1.1.0\", \"name\": \"lab-macvlan\", \"plugins\": [ {"
	"  \"type\": \"awsvpc\", \"attach\": \"macvlan\", \"master\": \"lan0\","
	"  \"capabilities\": { \"ips\": true, \"mac\": true },"
	"  \"ipam\": { \"type\": \"task-ipam\", \"ranges\": [["
	"    { \"subnet\": \"10.202.0.0/24\", \"rangeStart\": \"10.202.0.10\","
	"      \"rangeEnd\": \"10.202.0.31\", \"gateway\": \"10.202.0.2\" } ]] }} ] }";

const struct mode lab_modes[] = {
	{ .key = "awsvpc-veth",
	  .heading = "awsvpc, veth",
	  .how = "A pair of interfaces; the host is the router of the VPC.",
	  .network = "lab-awsvpc",
	  .small = "[[ { \"subnet\": \"10.200.3.0/28\" } ]]",
	  .picture = PICTURE_ROUTED },
	{ .key = "awsvpc-macvlan",
	  .heading = "awsvpc, macvlan",
	  .how = "One more MAC address on the host's interface: the task is on the LAN itself.",
	  .network = macvlan,
	  .small = "[[ { \"subnet\": \"10.202.0.128/28\" } ]]",
	  .picture = PICTURE_LAN },
	{ .key = "bridge",
	  .heading = "bridge",
	  .how = "A switch in the host; a port of the host leads to a port of the task.",
	  .network = "lab-bridge",
	  .small = "[[ { \"subnet\": \"10.201.1.0/28\" } ]]",
	  .publishes = true,
	  .picture = PICTURE_BRIDGE },
	{ .key = "host",
	  .heading = "host",
	  .how = "The host's own interfaces; the task is a process like any other.",
	  .network = "lab-host",
	  .publishes = true,
	  .picture = PICTURE_HOST },
	{ .key = "none",
	  .heading = "none",
	  .how = "Loopback alone.",
	  .network = "lab-none",
	  .picture = PICTURE_NONE },
	{ .key = NULL },
};
