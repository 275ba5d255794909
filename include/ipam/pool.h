/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool: `ipam` of a network configuration as subnets, ranges and rules, and the addresses that
 * may come out of it. Pure arithmetic and words; the leases are in the store.
 *
 * `ranges` has host-local's shape: the outer list is one address each, the inner list its
 * alternatives. So [[a, b]] is a pool of two subnets, and [[a, b], [c6, d6]] is dual stack; where
 * ranges bear an `id`, the choices of one attachment stay within one id (a VPC subnet has an IPv4
 * and an IPv6 block).
 */
#ifndef IPAM_POOL_H
#define IPAM_POOL_H

#include "base/ip_special.h"
#include "store/store.h"
#include "task/attachment.h"
#include "json/field.h"

#define POOL_SETS     STORE_ADDRESSES
#define POOL_RANGES   64  /* alternatives of one set */
#define POOL_EXCLUDES 32  /* `exclude` entries of one range */
#define POOL_AVOIDED  256 /* pool_avoid, of one range */
#define POOL_TYPE     "task-ipam"
#define POOL_DATA_DIR "/run/taskvpc"

enum pool_reserve {
	RESERVE_AWS,
	RESERVE_MINIMAL
};

struct pool_range {
	struct cidr subnet;
	struct ip range_start, range_end; /* as configured; family 0: not given */
	struct ip gateway;                /* as configured, else base + 1 */
	char id[64], az[64];
	struct cidr exclude[POOL_EXCLUDES];
	unsigned n_exclude;
	uint32_t reserve; /* enum pool_reserve */
	bool reserve_given;

	/* derived by pool_read */
	struct ip_span usable; /* between range_start and range_end */
	/* reserved, gateway, excluded, special, avoided; sorted, merged */
	struct ip_span holes[POOL_EXCLUDES + 8 + IP_SPECIAL_BLOCKS + POOL_AVOIDED];
	unsigned n_holes;
	uint64_t capacity; /* addresses that can be given */
};

struct pool_set {
	struct pool_range *ranges;
	unsigned n_ranges;
};

struct pool_dns {
	char nameservers[8][IP_TEXT];
	unsigned n_nameservers;
	char domain[256];
	char search[16][256];
	unsigned n_search;
	char options[16][64];
	unsigned n_options;
};

struct pool {
	char type[64]; /* `ipam.type`; empty or "task-ipam": this pool */
	char data_dir[256];
	char resolv_conf[256];
	uint32_t placement; /* enum store_placement */
	uint32_t cooldown_s;
	struct route routes[ATTACHMENT_ROUTES];
	unsigned n_routes;
	struct pool_dns dns; /* from resolvConf, or of `ipam.dns` */
	struct pool_set sets[POOL_SETS];
	unsigned n_sets;

	/* as written; pool_read turns them into sets */
	const json *ranges; /* borrowed from the document; NULL after pool_read */
	struct cidr subnet; /* host-local's older shape */
	struct ip range_start, range_end, gateway;
};

extern const struct field pool_fields[];       /* of `ipam`; `ranges` is FIELD_ANY */
extern const struct field pool_range_fields[]; /* of one range */
extern const struct field pool_route_fields[]; /* of one route: struct route */
extern const struct field pool_dns_fields[];   /* struct pool_dns */

/*
 * pool_is_foreign: does `ipam` of @netconf name a plugin other than task-ipam? Pure look at the
 * type: a foreign `ipam` object is the foreign plugin's business and is not read further.
 * @type: its name (borrowed from the document); NULL if it is our pool.
 */
bool pool_is_foreign(const json *ipam, const char **type);

/*
 * pool_read: read and judge `ipam`.
 * @ipam: the object (NULL or {}: a pool without sets).
 * @extra_ranges: runtimeConfig.ipRanges, sets in front of `ranges`; NULL if none. Both the nested
 *                shape of CONVENTIONS.md and go-cni's flat list with capital keys are read.
 * @reserve: what holds where a range does not say `reserve`.
 * Also reads the legacy keys subnet, rangeStart, rangeEnd, gateway of host-local as one more set in
 * front.
 * Return: 0 with @ret to be freed by pool_free, or -EINVAL with code 7: host bits, sizes without a
 * usable address, range outside, start after end, gateway outside, overlap in and between sets,
 * mixed families in a set, an empty set, more than POOL_SETS.
 */
int pool_read(const json *ipam, const json *extra_ranges, enum pool_reserve reserve,
	      struct pool *ret, struct err *e);
void pool_free(struct pool *p);
/*
 * pool_avoid: @address is not to be given: a hole in the range that it is of, if any.
 * Return: 0, or -E2BIG (no words) if that range has no room for another hole.
 */
int pool_avoid(struct pool *p, const struct ip *address);
/* pool_has_family: is there a set, which is an address of every attachment, of @family? */
bool pool_has_family(const struct pool *p, uint8_t family);
/* pool_judge_routes: each has a set of its family, and stands there once. Return: 0, or -EINVAL
 * with code 7. */
int pool_judge_routes(const struct pool *p, struct err *e);
#define cleanup_pool CLEANUP(pool_free)

/*
 * pool_judge_dns: nameservers are addresses, and nothing has control characters: runtimes write it
 * into a resolv.conf, line by line.
 * @table: by which it was read; @path: where it stands; both for the words.
 * Return: 0, or -EINVAL with code 7.
 */
int pool_judge_dns(const struct pool_dns *dns, const struct field *table, const char *path,
		   struct err *e);

/*
 * pool_read_data_dir: only `dataDir`, for DEL and GC, which must work when the rest of `ipam` is
 * wrong by now. @ret always ends up with a usable directory (the default, if need be).
 */
void pool_read_data_dir(const json *ipam, char *ret, size_t size);
/* pool_read_cooldown: likewise for `cooldown`, seconds. */
uint32_t pool_read_cooldown(const json *ipam);

/*
 * pool_judge: may @address be given to a task, as a static address?
 * Return: 0, or -EINVAL with code 103 and one of the distinct messages: special (ip_special),
 * outside every range, network/broadcast/reserved (which rule), excluded (by what), the gateway.
 * @set, @range: where it belongs, on success.
 */
int pool_judge(const struct pool *p, const struct ip *address, unsigned *set, unsigned *range,
	       struct err *e);

#endif
