/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a gateway must be, beyond what the pool knows. */
#ifndef CNI_GATEWAY_H
#define CNI_GATEWAY_H

#include "task/attachment.h"

/*
 * gateway_use: CNI_ARGS GATEWAY @asked (family 0: none) instead of that of its subnet. Return: 0,
 * or -EINVAL with code 7: in none of the attachment's subnets, its own address, or everybody's.
 */
int gateway_use(struct attachment *a, const struct ip *asked, struct err *e);

/*
 * gateway_find_holder: who holds a gateway of @a as an address: its traffic would end at the host.
 * Return: STORE_OK with *ret and *ret_gateway, STORE_ABSENT (nobody), or a negative errno.
 */
int gateway_find_holder(struct store *s, const struct attachment *a, struct store_holder *ret,
			struct ip *ret_gateway, struct err *e);

#endif
