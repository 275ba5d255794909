/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The truth: the file "records", an array of fixed-size slots. Slot 0 is the header, so that the
 * number 0 can mean "none". A record begins in a head slot (key, tags, addresses, always whole) and
 * goes on as a stream (ports, then the body) through the rest of the head and its continuation
 * slots. The head's state word is the commit: it is stored last and alone, so that a kill at any
 * instruction leaves a record whole or absent. A continuation slot belongs to whoever reaches it.
 * Nothing here trusts what it reads: numbers are bounded, chains end, sums are compared.
 */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include "seen.h"
#include "store/store.h"

#define SLOT_SIZE       1024u
#define SLOT_PAYLOAD    (SLOT_SIZE - 8)
#define SLOTS_FIRST     96u        /* slots of a new file: 63 records, and 32 that rest (lease.c) */
#define SLOTS_MAX       (1u << 22) /* ids stay small; 4 GiB of records are more than any host holds */
#define CHAIN_MAX       150u       /* continuation slots of the largest record */
#define RECORDS_MAGIC   0x3173637276706374ULL
#define RECORDS_VERSION 1u /* see "Versions" in store.h before it is changed */
#define BOOT_ID_SIZE    40

/* No address has these bits: STORE_ADDRESSES are fewer. */
#define SLOT_SETTLED    (1u << 31)
#define SLOT_QUARANTINE (1u << 30)

/* Words, not small numbers: a flipped bit gives no other state. */
enum slot_state {
	SLOT_FREE = 0, /* free, or a continuation */
	SLOT_LIVE = 0x4556494c,
	SLOT_COOLING = 0x4c4f4f43, /* only the addresses still count */
};

/* The first four members keep their places in every version. */
struct records_header {
	uint64_t magic;
	uint32_t version;
	uint32_t slot_size;
	char boot_id[BOOT_ID_SIZE];
	uint64_t file_id; /* random; the index bears it too, and it seeds the hashes */
	uint32_t boot_base;
	uint32_t pad;
	uint64_t sum;      /* of all above */
	uint32_t n_slots;  /* how many slots of the file are in use, header included */
	uint32_t bereaved; /* records were lost: there may be attachments that none tells of */
	struct seen seen;
};

struct slot {
	uint32_t state;
	uint32_t next; /* next slot of the chain, 0 at its end */
	uint8_t payload[SLOT_PAYLOAD];
};

/* The beginning of a head's payload; tags, addresses and the three strings of the key follow. */
struct head {
	uint64_t released_ms; /* of a cooling head, CLOCK_BOOTTIME; not under the sum */
	uint64_t order;       /* of releases; not under the sum */
	uint32_t cooldown_s;  /* not under the sum */
	uint32_t cooling;     /* of a cooling head, bit i: address i still cools, and
			       * SLOT_QUARANTINE; of a live one SLOT_SETTLED or 0; not under the sum */
	uint64_t sum;         /* of the rest of the head */
	uint64_t stream_sum;  /* of ports and body */
	int64_t created;      /* seconds since the epoch */
	uint32_t schema;
	uint32_t body_len;
	uint16_t n_tags;
	uint16_t n_addresses;
	uint16_t n_ports;
	uint16_t network_len; /* lengths without the NUL that follows each string */
	uint16_t id_len;
	uint16_t ifname_len;
	uint32_t pad;
	uint8_t data[];
};

struct records {
	uint8_t *base;
	uint32_t n; /* slots that may be looked at, header included */
};

/* A head as parsed: pointers into the slot, all within it. */
struct slot_view {
	struct head *h;
	uint32_t n; /* slot number: the id of the record */
	const uint64_t *tags;
	const struct ip *addresses;
	const char *network, *container_id, *ifname;
	uint32_t stream_at; /* where in the payload the stream begins */
	uint32_t n_chain;   /* continuation slots that the stream needs */
};

/* What is written into a new record; all borrowed. */
struct slot_content {
	const struct store_key *key;
	const struct store_body *body;
	const struct store_port *ports; /* none of them 0 any more */
	const struct ip *addresses;
	unsigned n_ports, n_addresses;
};

static inline struct records_header *records_header(const struct records *r)
{
	return (struct records_header *)(void *)r->base;
}

/* slot_at: Return: the slot, or NULL if there is none of this number. */
static inline struct slot *slot_at(const struct records *r, uint32_t n)
{
	return n && n < r->n ? (struct slot *)(void *)(r->base + (size_t)n * SLOT_SIZE) : NULL;
}

static inline uint32_t slot_state(const struct slot *s)
{
	return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
}

/* The commit of whatever was written before it. */
static inline void slot_commit(struct slot *s, enum slot_state state)
{
	__atomic_store_n(&s->state, (uint32_t)state, __ATOMIC_RELEASE);
}

uint64_t records_header_sum(const struct records_header *h);

/* slot_parse: find the parts of head @n. Return: false if they are not within their bounds. */
bool slot_parse(const struct records *r, uint32_t n, struct slot_view *ret);
/* slot_is_whole: the sums are right, and so is the chain of a live record. */
bool slot_is_whole(const struct records *r, const struct slot_view *v);
/* slot_chain_length: continuation slots that a record of this content needs. */
uint32_t slot_chain_length(const struct slot_content *c);
/* slot_write: fill head @n and @chain (slot_chain_length() of them), without the commit. */
void slot_write(const struct records *r, uint32_t n, const uint32_t *chain,
		const struct slot_content *c);
/* slot_port: Return: 0 or -EUCLEAN. */
int slot_port(const struct records *r, const struct slot_view *v, unsigned i,
	      struct store_port *ret);
/* slot_load: the whole record, sums checked. Return: 0 or -EUCLEAN. */
int slot_load(const struct records *r, uint32_t n, struct store_record *ret);
void slot_holder(const struct slot_view *v, struct store_holder *ret);
bool slot_has_key(const struct slot_view *v, const struct store_key *key);
/* slot_tag_is_new: tag @i is not a repetition of an earlier one of the same record. */
bool slot_tag_is_new(const struct slot_view *v, unsigned i);
/* slot_is_quarantined: of a cooling head: its addresses are for nobody. */
static inline bool slot_is_quarantined(const struct head *h)
{
	return h->cooling & SLOT_QUARANTINE;
}
/* slot_is_cooled: of a cooling head: its addresses are free, if they are not quarantined. */
bool slot_is_cooled(const struct head *h, uint64_t now_ms);

/* port_protocol: 0..2 for TCP, UDP, SCTP. Return: -1 for another protocol. */
#define PORT_PROTOCOLS 3
int port_protocol(uint8_t protocol);

#endif
