/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: records, the addresses and the host ports that they hold. This header is the contract;
 * test/unit/store_conformance.c is its proof, and every backend passes it.
 *
 * - A record is one attachment's durable state, named by its key. Its body is text that the store
 *   does not read. Record, leases and ports appear together and vanish together: killed at any
 *   instant, all or nothing of a call is seen afterwards.
 * - No address has two holders in one store, whatever network they are of. No host port is held by
 *   two containers; records of one container share a port where store_want.joins asks for it.
 * - A call takes the store's lock itself and holds it only while it runs; the only foreign code
 * that runs under it are the callbacks named here, which must be short and must not call the store.
 * - Addresses that a release left cooling are not handed out before their time, unless a choice has
 *   nothing else: then the one released first is given. Those in quarantine are never handed out.
 *
 * Versions. Three numbers tell what a program may read:
 * - The version of the file of records (RECORDS_VERSION) changes with the layout of header or
 *   slots. Magic, version, slot size and boot id keep their places in all versions. A file of
 *   another version is refused while the boot that it names lasts, and emptied after it.
 * - The schema of a body (store_body.schema; ATTACHMENT_SCHEMA) changes when a program that does
 *   not know the body's new keys would undo too little. A program reads its own schema and the
 *   older ones since ATTACHMENT_SCHEMA_OLDEST, and refuses newer ones. A key that an older body
 *   lacks has a default that means what the older program did.
 * - The version of the index (INDEX_VERSION) is of no importance: another one is made anew.
 * So an upgrade within one boot keeps what the older program attached; a downgrade is refused.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/ip.h"

#define STORE_NAME_MAX   255 /* bytes of a network name or container id */
#define STORE_IFNAME_MAX 15
#define STORE_ADDRESSES  8      /* addresses of one record */
#define STORE_PORTS      1024   /* host ports of one record */
#define STORE_TAGS       32     /* tags of one record */
#define STORE_BODY_MAX   131072 /* bytes of a body */

struct store; /* an open store: one per process is enough */

struct store_key { /* borrowed strings, NUL-terminated */
	const char *network;
	const char *container_id;
	const char *ifname;
};

struct store_port {
	uint16_t port;     /* host byte order; 0 in a wish = any free one of the dynamic range */
	uint8_t protocol;  /* IPPROTO_TCP, _UDP, _SCTP */
	struct ip host_ip; /* family 0 = every address of both families; 0.0.0.0, :: = of one */
};

#define STORE_PORT_TEXT (IP_TEXT + 16)
/* store_port_text: "8080/tcp", "10.0.0.1:8080/tcp", "[::1]:53/udp". Returns @buf. */
const char *store_port_text(const struct store_port *p, char buf[static STORE_PORT_TEXT]);
/* store_port_conflict: can the two not both be held? Ports of 0 are compared as they are. */
bool store_port_conflict(const struct store_port *a, const struct store_port *b);

/* One alternative of a choice: addresses may come from span, but not from the holes. */
struct store_range {
	struct ip_span span;
	const struct ip_span *holes; /* sorted by first, disjoint, borrowed */
	unsigned n_holes;
	uint64_t capacity; /* addresses of span less the holes */
	unsigned group;    /* ranges with one non-zero group in several choices belong
			    * together: a later choice takes the group of the first */
};

enum store_placement {
	STORE_SPREAD, /* the alternative with the most free addresses */
	STORE_PACK,   /* the one with the fewest, but not none */
	STORE_FIRST,  /* in the order given */
};

/* One address that is wanted. */
struct store_choice {
	struct ip address;                /* set: exactly this one; ranges are not looked at */
	const struct store_range *ranges; /* borrowed */
	unsigned n_ranges;
};

struct store_want {
	struct store_key key;
	struct store_choice choices[STORE_ADDRESSES];
	unsigned n_choices;
	enum store_placement placement;
	struct store_port ports[STORE_PORTS];
	const bool *joins; /* borrowed, one a port: it may be held by other records of the same
			    * container as well; NULL: none may */
	unsigned n_ports;
	uint16_t dynamic_first, dynamic_last; /* for ports of 0; 0 = there is no such range */
	bool dry_run;                         /* choose and call compose, but change nothing */
};

/* What was given: handed to compose, which turns it into the body of the record. */
struct store_grant {
	uint32_t id;        /* small number, unique among the live records of the store */
	uint32_t boot_base; /* random number of this store file, so that boot_base + id is a good
			     * interface index: from 2^20 on, and below 2^30 with every id */
	struct ip addresses[STORE_ADDRESSES];
	unsigned range_index[STORE_ADDRESSES]; /* of the alternative chosen; 0 for a static address
						*/
	unsigned n_addresses;
	bool never_held; /* certainly no record of this boot held any of the addresses before; of
			  * IPv6 addresses that is never certain */
	uint16_t ports[STORE_PORTS]; /* in the order of the want */
	unsigned n_ports;
};

struct store_body {
	const char *text;          /* borrowed until the call returns */
	size_t len;                /* at most STORE_BODY_MAX */
	uint32_t schema;           /* version of the text, kept with it */
	uint64_t tags[STORE_TAGS]; /* hashes; see store_release */
	unsigned n_tags;
};

/* Called under the lock. Return: 0, or a negative errno with *e: then nothing is leased. */
typedef int store_compose_fn(void *ctx, const struct store_grant *grant, struct store_body *ret,
			     struct err *e);

enum store_outcome {
	STORE_OK = 0,
	STORE_KEY_EXISTS = 1,      /* holder: the record of the same key */
	STORE_ADDRESS_HELD = 2,    /* holder, holder.choice: a static address has another owner */
	STORE_EXHAUSTED = 3,       /* holder.choice: no free address in any alternative of it */
	STORE_PORT_HELD = 4,       /* holder, holder.choice: index of the port */
	STORE_PORTS_EXHAUSTED = 5, /* holder.choice: index of the port */
	STORE_ABSENT = 6,          /* no such record, or the store does not exist yet */
	STORE_QUARANTINED = 7,     /* nothing else is left: store_unquarantine, and again */
};

/* Who stands in the way. */
struct store_holder {
	char network[STORE_NAME_MAX + 1];
	char container_id[STORE_NAME_MAX + 1];
	char ifname[STORE_IFNAME_MAX + 1];
	int64_t since; /* seconds since the epoch */
	unsigned choice;
};

/* A record as read. */
struct store_record {
	struct store_holder key; /* key.choice is unused */
	uint32_t id;
	uint32_t schema;
	bool settled; /* by store_settle */
	struct ip addresses[STORE_ADDRESSES];
	unsigned n_addresses;
	struct store_port ports[STORE_PORTS];
	unsigned n_ports;
	size_t len;
	char text[STORE_BODY_MAX + 1]; /* NUL-terminated */
};

/* What a store is opened for. Only STORE_CREATE makes one where there is none. */
enum store_access {
	STORE_READ,   /* records are only looked at */
	STORE_CHANGE, /* they may change and go: DEL and GC, which never make anything */
	STORE_VISIT,  /* likewise, and one that is to be repaired is left to others: an error */
	STORE_CREATE,
};

/*
 * store_open: open the store in directory @dir, which STORE_CREATE makes (0700, parents too).
 * Symbolic links in the last component of the directory or in the files are refused, and so is a
 * directory that another user owns or may write to. A store of an earlier boot is emptied: what it
 * describes died with that boot. A store of this boot and another version is refused (-EPROTO),
 * whatever the access. A store that a kill left in the middle of a change is repaired; one that is
 * damaged is moved aside ("…​.broken-<time>") and said so in *warn, never trusted.
 * @warn: filled (size @warn_size) with a sentence for the log, or the empty string.
 * Return: 0, STORE_ABSENT (not STORE_CREATE, and there is none), or a negative errno with code 101.
 */
int store_open(const char *dir, enum store_access access, struct store **ret, char *warn,
	       size_t warn_size, struct err *e);
/* store_hint: the remedy, where there is one, for what the file system of @dir refused with @sys.
 */
void store_hint(int sys, const char *dir, struct err *e);
void store_close(struct store *s); /* NULL is fine */
static inline void store_closep(struct store **s)
{
	store_close(*s);
}
#define cleanup_store CLEANUP(store_closep)

/*
 * store_lease: give what is wanted and write the record, in one step.
 * @grant: filled on STORE_OK. @holder: filled on the other outcomes.
 * Return: enum store_outcome, or a negative errno (no change was made): -ENOSPC on a full disk.
 */
int store_lease(struct store *s, const struct store_want *want, store_compose_fn *compose,
		void *ctx, struct store_grant *grant, struct store_holder *holder, struct err *e);

/*
 * store_settle: note that what the record tells of was made whole, and its caller told so. A kill
 * before it leaves a record that looks half made. Return: STORE_OK, STORE_ABSENT, or a negative
 * errno.
 */
int store_settle(struct store *s, const struct store_key *key, struct err *e);

/*
 * store_release: forget the record and free what it holds.
 * @cooldown_s: its addresses cool for so long (0: free at once; its ports are always free at once);
 * with STORE_QUARANTINE they are given to nobody before store_unquarantine, either.
 * @last: if not NULL, called under the lock just before the record goes, with those of its tags
 * that no other live record bears; so what the record shares with nobody can be undone while nobody
 * can join. There are none in a store that has lost records: nobody knows then. It may talk to the
 * kernel, briefly. Before, not after: a kill in between leaves the record, and with it the next
 * release that does it again. If it fails, the record stays and its error is returned. Return:
 * STORE_OK, STORE_ABSENT, or a negative errno.
 */
typedef int store_last_fn(void *ctx, const uint64_t *tags, unsigned n, struct err *e);
int store_release(struct store *s, const struct store_key *key, uint32_t cooldown_s,
		  store_last_fn *last, void *ctx, struct err *e);

/*
 * Quarantine. The host may still know the addresses of a record that was released, in its table of
 * connections. They are for nobody until somebody has seen to that, whoever it is.
 */
#define STORE_QUARANTINE  (1U << 31) /* with cooldown_s */
#define STORE_QUARANTINES 512        /* addresses of one list; there may be more */

struct store_quarantine {
	struct ip addresses[STORE_QUARANTINES];
	struct store_released {
		uint32_t id;
		uint64_t order, released_ms;
	} records[STORE_QUARANTINES]; /* that had the addresses */
	unsigned n, n_records;
	uint64_t released_ms; /* of the youngest, CLOCK_BOOTTIME */
};

/* store_quarantine: what is in quarantine now, the oldest first. Return: 0 or a negative errno. */
int store_quarantine(struct store *s, struct store_quarantine *ret, struct err *e);
/*
 * store_unquarantine: the addresses of @q, and they alone, may be given again once they have
 * cooled. Return: 0 or a negative errno.
 */
int store_unquarantine(struct store *s, const struct store_quarantine *q, struct err *e);

/* store_get: Return: STORE_OK, STORE_ABSENT, or a negative errno. */
int store_get(struct store *s, const struct store_key *key, struct store_record *ret,
	      struct err *e);

/* store_find: the record that holds @address. Return: as store_get. */
int store_find(struct store *s, const struct ip *address, struct store_record *ret, struct err *e);

/*
 * store_next_joint: walk over the other records of the container of @key that hold a host port in
 * conflict with one of the record of @key (store_want.joins).
 * @cursor: 0 before the first call. Return: STORE_OK, STORE_ABSENT at the end or where there is no
 * record of @key, or a negative errno.
 */
int store_next_joint(struct store *s, const struct store_key *key, uint64_t *cursor,
		     struct store_record *ret, struct err *e);

/*
 * store_next: walk over the records of @network (NULL: of all networks), the lock not being held
 * between the calls: records that come or go meanwhile may be seen or not, all others are seen
 * once.
 * @cursor: 0 before the first call. Return: STORE_OK, STORE_ABSENT at the end, or a negative errno.
 */
int store_next(struct store *s, const char *network, uint64_t *cursor, struct store_record *ret,
	       struct err *e);

struct store_usage {
	uint64_t used;    /* addresses of live records */
	uint64_t cooling; /* released, not yet free */
	uint64_t records; /* live records of the store, whatever the span */
};
/* store_count: addresses of @span by state (@span NULL: only records). Return: 0 or a negative
 * errno. */
int store_count(struct store *s, const struct ip_span *span, struct store_usage *ret,
		struct err *e);

/* store_boot_base: as store_grant.boot_base; 0: it cannot be read. */
uint32_t store_boot_base(struct store *s);

/* store_tag_count: live records that bear @tag. Return: 0 or a negative errno. */
int store_tag_count(struct store *s, uint64_t tag, uint64_t *ret, struct err *e);

/*
 * store_verify: rebuild every index from the records and compare it with the one in use, and see
 * that no address of a record counts as never held: for tests and `taskvpc doctor`. Return: 0, or
 * -EUCLEAN with the first difference in *e.
 */
int store_verify(struct store *s, struct err *e);

#endif
