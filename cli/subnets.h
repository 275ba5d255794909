/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subnets with their addresses counted: for `subnets`, and for doctor. */
#ifndef CLI_SUBNETS_H
#define CLI_SUBNETS_H

#include "live.h"

/*
 * subnets_json: an array (a new root) of {network, subnet, cidr, az, gateway, size, used, leaked,
 * cooling, reserved, free}; counts beyond 2^53 are cut to it.
 * @attachments: of live_attachments: they tell what is leaked. Networks whose `ipam` cannot be
 * read, or is not ours, are left out.
 */
int subnets_json(const struct cli *c, const json *attachments, json **ret, struct err *e);

#endif
