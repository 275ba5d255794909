/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mode: how an interface is attached. It reads its own fields, resolves what must be known before
 * planning into the attachment, and plans. It never applies anything.
 */
#ifndef MODE_MODE_H
#define MODE_MODE_H

#include "ipam/lease.h"
#include "ipam/pool.h"
#include "plan/plan.h"
#include "json/field.h"

#define NETCONF_OWN 4096

/* The part of a network configuration that all modes share; `own` is the mode's. */
enum status_exhausted {
	STATUS_EXHAUSTED_WARN,
	STATUS_EXHAUSTED_ERROR
};

struct netconf {
	char cni_version[16];
	char name[STORE_NAME_MAX + 1];
	char type[64];
	uint32_t mtu; /* 0: not given */
	bool create_namespace;
	uint32_t status_exhausted; /* enum status_exhausted */
	struct pool_dns dns;
	struct mac mac;      /* wanted; from runtimeConfig, args or CNI_ARGS; zero: none */
	bool address_wanted; /* one is asked for there, or ranges for it */
	struct port ports[STORE_PORTS]; /* runtimeConfig.portMappings */
	unsigned n_ports;
	struct bandwidth bandwidth;                  /* runtimeConfig.bandwidth */
	struct pool pool;                            /* of ipam; no sets if that is foreign */
	const json *ipam;                            /* borrowed from root; may be NULL */
	const json *root;                            /* the whole document */
	_Alignas(16) unsigned char own[NETCONF_OWN]; /* the mode's own struct */
};

/* Interfaces that were there before us, and addresses of them, for the result to tell: of the host,
 * or of the task's namespace. */
#define MODE_VIEW_LINKS 16
#define MODE_VIEW_IPS   32
struct mode_view {
	bool of_task;
	struct link_info links[MODE_VIEW_LINKS];
	unsigned n_links;
	struct mode_view_ip {
		struct cidr cidr;
		unsigned link; /* index into links */
	} ips[MODE_VIEW_IPS];
	unsigned n_ips;
};

struct mode {
	const char *name;            /* as in the record: "awsvpc-veth" */
	const char *help;            /* one sentence */
	const struct field *fields;  /* of the configuration, into netconf.own */
	void (*defaults)(void *own); /* presets own before reading; may be NULL */
	enum pool_reserve reserve;   /* where a range does not say */
	bool needs_address;          /* an `ipam` that gives no address is an error */
	bool has_interface;          /* false: it makes none, as for IPAM alone */
	bool leases_ports;           /* the ports of runtimeConfig.portMappings are host ports, held
				      * in the store; false: the mode judges them, nothing is held */
	bool host_namespace;         /* the container must be in the host's own namespace */
	bool stateless; /* neither lease nor record: the plan is of what every namespace
			 * has anyway (loopback), and there is nothing to undo */

	/* judge: what the fields table cannot say about one configuration. Touches nothing. */
	int (*judge)(const struct netconf *c, struct err *e); /* may be NULL */
	/*
	 * resolve: find out what planning needs (uplink, MTU, master) and put it into @a. Reads the
	 * kernel through @io, changes nothing. @a has key, namespace, ENI id and MACs already, but
	 * no addresses yet.
	 */
	int (*resolve)(const struct netconf *c, struct plan_io *io, struct attachment *a,
		       struct err *e);
	/*
	 * accept: judge the whole record once it has its addresses and routes, which a foreign IPAM
	 * may have given. Called under the store's lock: no I/O. May be NULL.
	 */
	int (*accept)(const struct attachment *a, struct err *e);
	/*
	 * consent: would what the whole record plans harm the host as it is now? Reads the kernel
	 * through @io, changes nothing; called once the record is written, before the plan is
	 * applied or printed. Code 7. May be NULL.
	 */
	int (*consent)(const struct attachment *a, struct plan_io *io, struct err *e);
	/*
	 * dynamic_ports: where a host port of 0 comes from, with leases_ports; @first 0: nowhere.
	 * May read the kernel's settings. *e: code 7 where the configured range cannot be.
	 */
	int (*dynamic_ports)(const struct netconf *c, uint16_t *first, uint16_t *last,
			     struct err *e);
	/*
	 * view: what the result tells that the plan does not make; asked for before the plan is
	 * applied, and with stateless afterwards. Changes nothing. May be NULL.
	 */
	int (*view)(struct plan_io *io, struct mode_view *ret, struct err *e);
	/* plan: a pure function of the record. */
	void (*plan)(const struct attachment *a, struct plan *p);
	/*
	 * status: the prerequisites of the mode on this host, beside what resolve, accept and the
	 * plan of a task that there is not tell STATUS; changes nothing. Code 50. May be NULL.
	 * @warn: a line for each thing that an ADD would survive but its traffic might not.
	 */
	int (*status)(const struct netconf *c, struct plan_io *io, struct text *warn,
		      struct err *e);
	/* knows: is @key one of the root that the mode reads or judges although no table has it?
	 * May be NULL. */
	bool (*knows)(const char *key);
	/*
	 * link_first: may the link be made before a foreign IPAM plugin is asked? DHCP talks over
	 * it. Only where all that addresses add to the plan dies with the link, because the record
	 * then knows none. May be NULL: never.
	 */
	bool (*link_first)(const struct attachment *a);
};

/* A plugin: what one binary offers. */
struct plugin {
	const char *name; /* of the binary: "awsvpc" */
	const char *help;
	const struct mode *const *modes; /* NULL-terminated; the first is the default */
	const struct mode *const *known; /* whose records it understands; NULL: its own modes' */
	/* select: which mode a configuration asks for; NULL where there is one. *e: code 7. */
	const struct mode *(*select)(const json *root, struct err *e);
	/* It is an IPAM plugin itself, under whatever name it was installed: `ipam.type` is that
	 * name, and to look for another plugin behind it would be to call itself without end. */
	bool is_ipam;
};

extern const struct field netconf_fields[]; /* the shared fields */

/* mode_find: by the name in a record, of any plugin that @plugin knows; NULL if there is no such
 * mode. */
const struct mode *mode_find(const struct plugin *plugin, const char *name);

/*
 * mode_status_nft: nftables answers (code 50), and no chain of others refuses what we forward
 * (@warn).
 * @bridge: through which the tasks' packets come, NULL: each by an interface of its own.
 */
int mode_status_nft(const struct netconf *c, const char *bridge, struct plan_io *io,
		    struct text *warn, struct err *e);

/* mode_mtu: the MTU to use: configured, else that of the default route's interface, else 1500. */
int mode_mtu(const struct netconf *c, struct plan_io *io, uint32_t *ret, struct err *e);

#endif
