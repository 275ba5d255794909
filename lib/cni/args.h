/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked for one container: addresses and a MAC, from whichever place asks. */
#ifndef CNI_ARGS_H
#define CNI_ARGS_H

#include "base/err.h"
#include "base/ip.h"
#include "store/store.h"
#include "json/json.h"

struct asked {
	struct cidr ips[STORE_ADDRESSES]; /* len 0: no prefix was given */
	unsigned n_ips;
	const char *ips_source; /* for messages: "CNI_ARGS IP"; static storage */
	struct ip gateway;      /* family 0: not asked for */
	struct mac mac;         /* zero: not asked for */
	const json *ranges;     /* runtimeConfig.ipRanges; borrowed */
};

/*
 * args_read: IP, MAC and GATEWAY of CNI_ARGS ("K=V;K2=V2") into @ret, which keeps what is not
 * named. Lenient: runtimes put host names and the like there, so pairs that are none and keys that
 * we do not know are passed over; a value of ours that is wrong is an error of code 4.
 */
int args_read(const char *text, struct asked *ret, struct err *e);

/* address_parse: "ADDRESS" or "ADDRESS/LEN". Return: success. */
bool address_parse(const char *text, struct cidr *ret);

#endif
