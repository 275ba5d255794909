/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index: whatever makes a question to the records cheap. It lies in a file of its own (or, for
 * a verification, in plain memory), is changed only between index_begin() and index_end(), and can
 * be thrown away at any time: build.c makes it anew from the records. Growing it is the same thing
 * with a larger shape.
 *
 * Everything read from it is checked before it is used as a number of something; a contradiction is
 * -EUCLEAN, at which the caller of the store's operation rebuilds and asks again.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "bits.h"
#include "slots.h"
#include "table.h"

#define INDEX_MAGIC   0x3178646976706374ULL
#define INDEX_VERSION 2u       /* 2: a port is slot * 1024 + i; it was slot * 256 + i */
#define WINDOWS       256u     /* ranges that are known at a time; the one unused longest goes */
#define WINDOW_MAX    BITS_MAX /* addresses of a range that are handed out, from its first on */
#define HEAP_MIN      32768u
#define PORT_BITS     65536u

enum index_table {
	TABLE_KEYS,
	TABLE_ADDRESSES,
	TABLE_PORTS,
	TABLE_TAGS,
	TABLES
};

enum address_state {
	ADDRESS_FREE,
	ADDRESS_USED,
	ADDRESS_COOLING
};

/* The sizes from which the whole layout follows. */
struct shape {
	uint32_t n_slots;
	uint32_t cap[TABLES]; /* entries, powers of two */
	uint32_t heap;        /* bytes for the windows' bitmaps */
};

/* Slots in a row, linked through the nodes. */
struct list {
	uint32_t first, last, count;
};

struct node {
	uint32_t prev, next;
};

/*
 * A range that somebody asked for: counters over its span, and a bitmap over its first WINDOW_MAX
 * addresses. A static address beyond those is only in the table; when the window is full the range
 * counts as exhausted (a /64 has 2^20 addresses to give, a host runs out of memory first).
 */
struct window {
	struct ip_span span;    /* family 0: the entry is unused */
	uint32_t n;             /* addresses under the bitmap */
	uint32_t offset;        /* of the bitmap in the heap */
	uint32_t cursor;        /* where the next search begins */
	uint64_t used, cooling; /* addresses of the span */
	uint64_t last_use;
};

struct index_header {
	uint64_t magic;
	uint32_t version;
	uint32_t dirty;   /* a change is under way, or was when its process died */
	uint64_t file_id; /* of the records that this is an index of */
	struct shape shape;
	uint64_t records; /* live ones */
	uint64_t order;   /* of the last release */
	uint64_t clock;   /* for windows' last_use */
	uint64_t used[TABLES];
	uint32_t heap_used;
	uint32_t unsorted;  /* something in cooling may be over before what is in front of it */
	uint32_t n_windows; /* entries of windows that may be in use */
	uint32_t port_cursor[PORT_PROTOCOLS];
	struct list free;    /* oldest first, so that an id rests before it returns */
	struct list cooling; /* heads in the order of their release */
	struct window windows[WINDOWS];
};

struct index {
	struct index_header *h; /* NULL: there is none */
	struct shape shape;     /* our own copy: the mapped one could be garbled under us */
	uint64_t file_id;
	struct node *nodes;
	uint64_t *ports[PORT_PROTOCOLS];
	struct table tables[TABLES];
	uint8_t *heap;
};

bool shape_is_sane(const struct shape *sh);
size_t index_size(const struct shape *sh);
/* index_bind: lay an index of this shape over @base, without looking at its content. */
struct index index_bind(void *base, const struct shape *sh, uint64_t file_id);

static inline void index_begin(struct index *ix)
{
	__atomic_store_n(&ix->h->dirty, 1u, __ATOMIC_SEQ_CST);
}
static inline void index_end(struct index *ix)
{
	__atomic_store_n(&ix->h->dirty, 0u, __ATOMIC_SEQ_CST);
}

void list_append(struct index *ix, struct list *l, uint32_t n);
/* list_remove: Return: 0, or -EUCLEAN if @n is not in @l. */
int list_remove(struct index *ix, struct list *l, uint32_t n);

uint64_t index_hash_key(const struct index *ix, const struct slot_view *v);
uint64_t index_hash_address(const struct index *ix, const struct ip *a);
uint64_t index_hash_port(const struct store_port *p);

/* The questions. Return: STORE_OK, STORE_ABSENT or -EUCLEAN. */
int index_find_key(const struct index *ix, const struct records *r, const struct store_key *key,
		   struct slot_view *ret);
/* @ret_i: which address of the record; the record may be live or cooling. */
int index_find_address(const struct index *ix, const struct records *r, const struct ip *a,
		       struct slot_view *ret, unsigned *ret_i);
/*
 * index_find_port: the record that conflicts with @p.
 * @except: a container whose records do not count; NULL: those of all do.
 */
int index_find_port(const struct index *ix, const struct records *r, const struct store_port *p,
		    const char *except, struct slot_view *ret);
/*
 * index_find_joint: of the records of the same container as @v that conflict with one of its
 * ports, the one in the first slot behind @after, @v itself left out.
 */
int index_find_joint(const struct index *ix, const struct records *r, const struct slot_view *v,
		     uint64_t after, struct slot_view *ret);
uint64_t index_tag_count(const struct index *ix, uint64_t tag);
static inline bool index_port_used(const struct index *ix, int protocol, uint32_t port)
{
	return ix->ports[protocol][port / 64] >> port % 64 & 1;
}

/* The changes, all of them between begin and end. Return: 0 or -EUCLEAN. */
int index_add(struct index *ix, const struct records *r, const struct slot_view *v);
int index_remove(struct index *ix, const struct records *r, const struct slot_view *v,
		 bool keep_addresses);
int index_add_address(struct index *ix, const struct slot_view *v, unsigned i,
		      enum address_state state);
/* index_cool: @v, whose addresses are in the table, joins the list of cooling heads. */
void index_cool(struct index *ix, const struct records *r, const struct slot_view *v);
/* index_thaw: address @i of cooling head @v is free; the head too, if it was the last one. */
int index_thaw(struct index *ix, const struct records *r, const struct slot_view *v, unsigned i);
/* index_expire_one: free cooling head @n if its time is over. Return: 1 if it was, 0, or -EUCLEAN.
 */
int index_expire_one(struct index *ix, const struct records *r, uint32_t n, uint64_t now_ms);
/* index_expire: free cooling addresses whose time is over: those in front, or @all of them. */
int index_expire(struct index *ix, const struct records *r, uint64_t now_ms, bool all);

/* windows */
struct window *window_find(const struct index *ix, const struct ip_span *span);
uint32_t window_length(const struct ip_span *span);
/*
 * window_add: know @span from now on. Return: 0, -EUCLEAN, or -ENOBUFS: the heap is too small;
 * window_evict() if none is unused, and rebuild with window_length() bits more.
 */
int window_add(struct index *ix, const struct records *r, const struct ip_span *span);
void window_evict(struct index *ix);
static inline unsigned window_count(const struct index *ix)
{
	return ix->h->n_windows < WINDOWS ? ix->h->n_windows : WINDOWS;
}
bool window_bits(const struct index *ix, const struct window *w, struct bits *ret);
void window_note(struct index *ix, const struct ip *a, enum address_state from,
		 enum address_state to);
/* window_place: new memory for the bitmap of @w, all free. Return: false: the heap is too small. */
bool window_place(struct index *ix, struct window *w);

/* What a rebuild has to know of the records, and what is wanted beyond them. */
struct census {
	uint64_t count[TABLES];
	uint64_t heap;
	unsigned dropped; /* records that were garbled */
};

/* What survives a rebuild although the records do not tell: hints, all of them. */
struct carry {
	struct window windows[WINDOWS];
	uint32_t port_cursor[PORT_PROTOCOLS];
	uint64_t order, clock;
	uint32_t n_slots; /* 0: there was no index */
};

/*
 * census_take: look at all records.
 * @repair: free what is garbled and count it in ret->dropped; else it is -EUCLEAN with *e.
 */
int census_take(const struct records *r, bool repair, struct census *ret, struct err *e);
/* census_shape: the smallest good shape; @need: what shall fit beyond what is there. */
struct shape census_shape(const struct census *c, const struct census *need, uint32_t n_slots);
/* shape_holds: an index of this shape has room for all that. */
bool shape_holds(const struct shape *have, const struct census *c, const struct census *need,
		 uint32_t n_slots);
/* carry_take: from @ix, which may hold garbage. Return: bytes of heap that its windows need. */
uint64_t carry_take(const struct index *ix, struct carry *ret);
/* index_build: make the content of @ix, bound to memory of its size; it is left dirty. */
int index_build(struct index *ix, const struct records *r, const struct carry *c, bool repair,
		unsigned *dropped, struct err *e);
/* index_compare: @fresh was built just now. Return: 0 or -EUCLEAN with the difference in *e. */
int index_compare(const struct index *ix, const struct index *fresh, struct err *e);

#endif
