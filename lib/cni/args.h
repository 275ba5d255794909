/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked for one container: addresses and a MAC, from whichever place asks. */
#ifndef CNI_ARGS_H
#define CNI_ARGS_H

#include "base/err.h"
#include "base/ip.h"
#include "store/store.h"
#include "task/attachment.h"
#include "json/json.h"

struct asked {
	struct cidr ips[STORE_ADDRESSES];        /* len 0: no prefix was given */
	const char *ip_sources[STORE_ADDRESSES]; /* for messages: "CNI_ARGS IP"; static storage */
	unsigned n_ips;
	struct ip gateway;      /* family 0: not asked for */
	struct mac mac;         /* zero: not asked for */
	const char *mac_source; /* static storage */
	const json *ranges;     /* runtimeConfig.ipRanges; borrowed */
};

/*
 * args_read: IP, MAC and GATEWAY of CNI_ARGS ("K=V;K2=V2") into @ret, which keeps what is not
 * named. Lenient: runtimes put host names and the like there, so pairs that are none and keys that
 * we do not know are passed over; a value of ours that is wrong is an error of code 4.
 */
int args_read(const char *text, struct asked *ret, struct err *e);

/*
 * args_owner: what CNI_ARGS calls the container. Return: a key whose value is too long or no
 * printable text, and is left out; NULL where there is none. Static storage.
 */
const char *args_owner(const char *text, struct owner *ret);

/*
 * asked_address: @ip is asked for, by @source. Every source counts; the same address from two of
 * them is one. Return: 0, or -E2BIG (no words): there are too many.
 */
int asked_address(struct asked *a, const struct cidr *ip, const char *source);
/* asked_mac: likewise a MAC. Return: 0, or -EINVAL with code 7 where another source differs. */
int asked_mac(struct asked *a, const struct mac *mac, const char *source, struct err *e);

/* address_parse: "ADDRESS" or "ADDRESS/LEN". Return: success. */
bool address_parse(const char *text, struct cidr *ret);

#endif
