/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The questions. `a` serves at port 80, `b` is another task of the same network. */
#include "questions.h"

#define ADDRESS   "Addresses and ports"
#define REACH     "Who reaches whom"
#define SOURCE    "Who the other side sees"
#define ISOLATION "Isolation, attacked by task a"
#define SPEED     "Speed"
#define COST      "What a task costs"

#define ASK(k, g, h, f, w, ...)                                                                    \
	{                                                                                          \
		.key = (k), .group = (g), .heading = (h), .ask = (f), .want = (w),                 \
		.how = __VA_ARGS__, .rounds = 1                                                    \
	}
#define MEASURE(k, g, h, f, w, u, r, ...)                                                          \
	{                                                                                          \
		.key = (k), .group = (g), .heading = (h), .ask = (f), .want = (w), .unit = (u),    \
		.rounds = (r), .how = __VA_ARGS__                                                  \
	}

const struct question questions[] = {
	ASK("own-address", ADDRESS, "An address of its own", ask_own_address, WANT_YES,
	    "The interfaces of task a are read in its namespace, and compared with the host's."),
	ASK("same-port", ADDRESS, "Two tasks serve at port 80", ask_same_port, WANT_YES,
	    "Both listen at port 80 of their own address at once. Where ports are published, another "
	    "task then asks for the port of the host that a has."),

	ASK("from-host", REACH, "Host to task", ask_from_host, WANT_NOTHING,
	    "A TCP connection from the host to the address that clients are told."),
	ASK("from-host-loopback", REACH, "Host to task by 127.0.0.1", ask_from_host_loopback,
	    WANT_NOTHING, "A TCP connection from the host to its own 127.0.0.1:80."),
	ASK("from-lan", REACH, "LAN to task", ask_from_lan, WANT_NOTHING,
	    "A TCP connection from the LAN's machine, which has no route but to its LAN."),
	ASK("from-lan-routed", REACH, "LAN to the task's own address", ask_from_lan_routed,
	    WANT_NOTHING,
	    "The same to the address in the task; the LAN's machine has a route by the host."),
	ASK("from-task", REACH, "Task to task", ask_from_task, WANT_NOTHING,
	    "A TCP connection from b to the address of a."),
	ASK("to-lan", REACH, "Task to LAN", ask_to_lan, WANT_NOTHING,
	    "A TCP connection from a to a server on the LAN's machine."),
	ASK("host-loopback", REACH, "The task sees the host's loopback", ask_host_loopback, WANT_NO,
	    "A server listens at 127.0.0.1 of the host alone; a connects to 127.0.0.1."),

	ASK("source-task", SOURCE, "Source that another task sees", ask_source_task, WANT_NOTHING,
	    "a connects to b; b looks who has come."),
	ASK("source-lan", SOURCE, "Source that the LAN sees", ask_source_lan, WANT_NOTHING,
	    "a connects to the LAN's machine; that looks who has come."),
	ASK("source-client", SOURCE, "Client that the task sees", ask_source_client, WANT_NOTHING,
	    "The LAN's machine connects to a; a looks who has come."),

	ASK("spoofed-address", ISOLATION, "Blocks a spoofed IP address", ask_spoofed_address,
	    WANT_YES, "a sends frames with a neighbour's IP address as source. Its own arrive."),
	ASK("spoofed-mac", ISOLATION, "Blocks a spoofed MAC address", ask_spoofed_mac, WANT_YES,
	    "a sends frames with another MAC address as source. Its own arrive."),
	ASK("spoofed-arp", ISOLATION, "Blocks spoofed ARP", ask_spoofed_arp, WANT_YES,
	    "a says by ARP that it has an address that b, the host or the LAN's machine talks "
	    "to; who believes it?"),
	ASK("forged-router", ISOLATION, "Blocks a rogue IPv6 router", ask_forged_router, WANT_YES,
	    "a sends router advertisements (RFC 6104); b and the host look at their routes. The "
	    "LAN's machine believes one."),
	ASK("sniffing", ISOLATION, "Blocks passive sniffing", ask_sniffing, WANT_YES,
	    "b and the LAN's machine talk; a listens, its interface promiscuous. Where spoofed "
	    "ARP is believed, a has their packets sent to it all the same."),

	ASK("loopback-service", ISOLATION, "Guards the host's loopback", ask_loopback_service,
	    WANT_YES,
	    "A server listens at 127.0.0.1 of the host; a, whose port is published where the mode "
	    "does so, sends the host a frame for it."),
	ASK("metadata", ISOLATION, "Guards instance metadata", ask_metadata, WANT_YES,
	    "A task with blockInstanceMetadata takes the route away that is in its way, and "
	    "connects to 169.254.169.254. One without gets there."),

	MEASURE("start", SPEED, "Start of a task's network", ask_start, WANT_LITTLE, "us", 12,
		"From nothing to the plugins' answer: a namespace with lo up, and ADD."),
	MEASURE("stop", SPEED, "Stop of a task's network", ask_stop, WANT_LITTLE, "us", 12,
		"DEL, and the namespace let go."),
	MEASURE("rtt-task", SPEED, "Round trip, task to task", ask_rtt_task, WANT_LITTLE, "ns", 7,
		"64 bytes of TCP there and back, the median of 2000, both ends on one processor."),
	MEASURE("rtt-lan", SPEED, "Round trip, LAN to task", ask_rtt_lan, WANT_LITTLE, "ns", 7,
		"The same from the LAN's machine, to the address that clients are told."),
	MEASURE("flood-task", SPEED, "Throughput, task to task", ask_flood_task, WANT_MUCH,
		"Mbit/s", 5, "One TCP connection for 200 ms, both ends on one processor."),
	MEASURE("flood-lan", SPEED, "Throughput, LAN to task", ask_flood_lan, WANT_MUCH, "Mbit/s",
		5, "The same from the LAN's machine, to the address that clients are told."),

	MEASURE("addresses", COST, "Addresses taken", ask_addresses, WANT_LITTLE, "addresses", 1,
		"What the store says that a holds."),
	MEASURE("ports", COST, "Ports of the host taken", ask_ports, WANT_LITTLE, "ports", 1,
		"What the store says that a holds."),
	MEASURE("links", COST, "Interfaces on the host", ask_links, WANT_LITTLE, "interfaces", 1,
		"Those of the host, counted before and after one more task."),
	MEASURE("fit", COST, "Tasks at port 8080 in a /28", ask_fit, WANT_MUCH, "tasks", 1,
		"One after the other is attached until one is refused, at most 20."),
	{ .key = NULL },
};
