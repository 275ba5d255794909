/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nftables in two ways. Hot: elements of sets and maps as raw nfnetlink messages in one transaction
 * (microseconds). Cold: the constant skeleton of tables, chains and rules as nft text, through
 * libnftables, which is loaded only then.
 */
#ifndef KERNEL_NFT_H
#define KERNEL_NFT_H

#include "base/ip.h"
#include "base/text.h"
#include "kernel/netlink.h"

enum nft_type {
	NFT_TYPE_IFACE, /* iface_index: a number, so the interface need not exist */
	NFT_TYPE_MAC,   /* ether_addr */
	NFT_TYPE_IP,    /* ipv4_addr, ipv6_addr */
	NFT_TYPE_NET,   /* an interval of addresses, printed as a prefix */
	NFT_TYPE_PROTO, /* inet_proto: number */
	NFT_TYPE_PORT,  /* inet_service: number, host byte order */
};

enum nft_family {
	NFT_INET,
	NFT_BRIDGE
};

struct nft_atom {
	enum nft_type type;
	uint32_t ifindex;
	struct mac mac;
	struct cidr net; /* NFT_TYPE_IP: net.ip; NFT_TYPE_NET: the prefix */
	uint16_t number; /* NFT_TYPE_PROTO, NFT_TYPE_PORT */
};

#define NFT_ATOMS 4
struct nft_element {
	const char *set; /* a set or a map; static storage */
	enum nft_family family;
	struct nft_atom key[NFT_ATOMS];
	unsigned n_key;
	struct nft_atom data[2]; /* of a map's element */
	unsigned n_data;         /* 0: a set */
	bool lasting;            /* the set has no `flags timeout`: dropping means deleting */
};

const char *nft_family_name(enum nft_family family);

/* Numbers that a ruleset's text is loaded with: %1 to %4 in it. The first is 0: any, or the
 * ruleset's own. */
#define NFT_VALUES 4
#define NFT_CHAINS 12
struct nft_values {
	uint16_t v[NFT_VALUES];
};

/* The constant part of a table: loaded as text, recognised by the number of rules in its chains. */
struct nft_ruleset {
	const char *name; /* for messages */
	enum nft_family family;
	const char *table;
	const char *text;        /* idempotent: may be run on an intact table, keeps its elements */
	const char *const *sets; /* NULL-terminated: those whose elements say that it is in use */
	const char *stamp; /* a map from inet_proto 0 to the values, NFT_VALUES numbers of the type
			    * inet_service; NULL: it has none */
	const char *const *keys; /* with a stamp: what stands before each value in messages */
	struct nft_values values; /* with a stamp: what is usual */
	struct nft_ruleset_chain {
		const char *name;
		unsigned rules;
	} chains[NFT_CHAINS]; /* ends with name NULL */
};

/* nft_ruleset_text: with @values in the place of %1 to %4. */
void nft_ruleset_text(const struct nft_ruleset *r, const struct nft_values *values, struct text *t);
#define NFT_TEXT_MAX 8192 /* of a ruleset */
/* nft_ruleset_values_text: each behind its key. */
void nft_ruleset_values_text(const struct nft_ruleset *r, const struct nft_values *values,
			     struct text *t);
/* nft_ruleset_values: those that the table was loaded with. Return: 0, 1 if it was not, -errno. */
int nft_ruleset_values(struct netlink *nl, struct batch *b, const struct nft_ruleset *r,
		       struct nft_values *ret, struct err *e);

/* A transaction is nft_begin, elements, nft_commit in one batch on a NETLINK_NETFILTER socket. */
void nft_begin(struct batch *b);
void nft_commit(struct batch *b);
/* nft_element_add: permanent; the same element may exist already, also one that is expiring; a
 * map's key that leads elsewhere is EEXIST, also one that is expiring: see nft_wait_expired. */
void nft_element_add(struct batch *b, const char *table, const struct nft_element *el);
/*
 * nft_drops_together: may several drops share a transaction? Before Linux 6.3 one of an element
 * that is absent fails the whole of it, so each must travel alone.
 */
bool nft_drops_together(void);
/*
 * nft_element_drop: absent is fine. Where the kernel can, the element expires at once instead of
 * being deleted (its set has `flags timeout`): a delete makes every later close of an nfnetlink
 * socket wait for 8-16 ms.
 */
void nft_element_drop(struct batch *b, const char *table, const struct nft_element *el);
/*
 * nft_drop_is_blind: would dropping @el take away what is not it, of which the kernel looks at the
 * key alone: an interval that merely contains it, or (where dropping is deleting) a map's that
 * leads elsewhere? Then nft_element_find comes first.
 */
bool nft_drop_is_blind(const struct nft_element *el);
/*
 * nft_wait_expired: until elements that were made to expire are gone for every packet: the least
 * time-out is one tick of the kernel's clock. No wait where dropping is deleting.
 */
void nft_wait_expired(void);
/*
 * nft_element_find: exactly this one; the kernel itself takes an interval for found where another
 * one contains it. Return: 0 if it is there (and not expiring), 1 if not or if the set is missing,
 * or -errno.
 */
int nft_element_find(struct netlink *nl, const char *table, const struct nft_element *el,
		     struct err *e);
/*
 * nft_map_get: where a map leads from el->key. el->data, el->n_data of the types that the map has:
 * filled in (NFT_TYPE_IP: the family must be set). Return: 0, 1 if it has no such key, or -errno.
 */
int nft_map_get(struct netlink *nl, const char *table, struct nft_element *el, struct err *e);
/* nft_set_count: living elements; a missing set has none. Return: 0 or -errno. */
int nft_set_count(struct netlink *nl, const struct nft_ruleset *rules, const char *set,
		  unsigned *ret, struct err *e);
/* "nft VERB element FAMILY TABLE SET { … }"; VERB is add, delete or get. */
void nft_element_print(const char *verb, const char *table, const struct nft_element *el,
		       struct text *t);

/*
 * nft_ruleset_intact: Return: 0 if every chain stands with its number of rules, 1 if not, or
 * -errno.
 * @b: a batch to ask with. @values: those that the table was loaded with, on 0; may be NULL.
 */
int nft_ruleset_intact(struct netlink *nl, struct batch *b, const struct nft_ruleset *r,
		       struct nft_values *values, struct err *e);
/* nft_load: run nft text in the namespace the thread is in. The error holds nft's own first line.
 */
int nft_load(const char *text, struct err *e);
/*
 * nft_ruleset_drop_idle: delete the table unless one of its sets has a living element, decided and
 * done atomically (generation id). Return: 0 gone or absent, 1 in use, or -errno.
 */
int nft_ruleset_drop_idle(struct netlink *nl, struct batch *b, const struct nft_ruleset *r,
			  struct err *e);

/* As the kernel numbers them, for IP and for bridges. */
enum nft_hook {
	NFT_PREROUTING,
	NFT_INPUT,
	NFT_FORWARD,
	NFT_OUTPUT,
	NFT_POSTROUTING,
	NFT_INGRESS, /* of a device */
	NFT_EGRESS
};

/* Where packets meet base chains. */
struct nft_crossing {
	enum nft_hook hook;
	enum nft_family family; /* NFT_INET: the tables ip and ip6 as well; NFT_BRIDGE: of frames */
	uint8_t ip;             /* AF_INET, AF_INET6: of these packets; 0: of either */
	const char *dev;        /* NFT_INGRESS, NFT_EGRESS */
	bool early, late; /* priorities below -100 alone (before translation), or not below */
};

#define NFT_NAME_SIZE    256 /* NFT_NAME_MAXLEN of the kernel */

/* nft_has_table: Return: 1 if there is a table of that name, 0 if not, or -errno. */
int nft_has_table(struct netlink *nl, enum nft_family family, const char *table, struct err *e);

/* nft_generation: the ruleset's generation id: the cheapest proof that nf_tables answers. */
int nft_generation(struct netlink *nl, uint32_t *ret, struct err *e);

#endif
