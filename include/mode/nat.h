/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of what is shared by all tasks that bear the host's addresses: ports of masqueraded
 * flows, ports that no flow takes, live flows of a task. Both awsvpc and task-bridge have them.
 */
#ifndef MODE_NAT_H
#define MODE_NAT_H

#include "mode/mode.h"

#define NAT_FIRST    32768 /* net.ipv4.ip_local_port_range, as Linux has it */
#define NAT_LAST     60999
#define NAT_FLOWS    8192
#define NAT_FLOWS_TO 4096

struct port_range {
	unsigned long first, last;
};

/* port_range_parse: two ports with one or more of @separators between them. Return: success. */
bool port_range_parse(const char *text, const char *separators, struct port_range *ret);
/* port_range_local: where the kernel takes the source ports of outgoing connections from. */
int port_range_local(struct port_range *ret, struct err *e);

/* The part of a configuration. */
struct nat_conf {
	char ports[32]; /* "FIRST-LAST" */
	uint32_t flows, flows_to;
	char protected[ATTACHMENT_PROTECTED][24]; /* "PORT/PROTOCOL" */
	unsigned n_protected;
};

/* NAT_FIELDS: rows for the table of struct @s, whose member @m is a struct nat_conf. */
#define NAT_FIELDS(s, m)                                                                           \
	FIELD(s, m.ports, "masqueradePortRange", FIELD_TEXT,                                       \
	      .fallback = "net.ipv4.ip_local_port_range, 32768-60999 mostly",                      \
	      .help = "Source ports of masqueraded flows, \"FIRST-LAST\"; the same in all "         \
		      "networks of the host."),                                                    \
		FIELD(s, m.flows, "maxFlows", FIELD_U32, .min = 64, .max = 65535,                  \
		      .fallback = "8192",                                                          \
		      .help = "Live flows that a task may have begun, where the host translates "   \
			      "addresses; the same in all networks of the host."),                 \
		FIELD(s, m.flows_to, "maxFlowsPerDestination", FIELD_U32, .min = 64, .max = 65535, \
		      .fallback = "4096",                                                          \
		      .help = "Of these, to one address; the same in all networks of the host."),  \
		FIELD_ARRAY(s, m.protected, m.n_protected, "protectedPorts", FIELD_TEXT,           \
			    .fallback = "51820/udp, which always is",                              \
			    .help = "Ports of the host's services within masqueradePortRange, "     \
				    "\"PORT/tcp\", \"PORT/udp\" or \"PORT/sctp\": no flow of a task "   \
				    "takes them. Published ports always are.")

/* nat_is_set: does the configuration name any of the keys? */
bool nat_is_set(const struct nat_conf *c);
/* nat_judge: what the fields table cannot say. Code 7. */
int nat_judge(const struct nat_conf *c, struct err *e);
/*
 * nat_resolve: into a->nat and a->protected, where the attachment needs them: what is configured,
 * else what the host's rules are loaded with, else the default. Code 7 where the rules differ.
 */
int nat_resolve(const struct nat_conf *c, bool translates, struct plan_io *io,
		struct attachment *a, struct err *e);

#endif
