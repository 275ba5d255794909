/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipam: addresses alone, for interface plugins that delegate. */
#ifndef IPAM_IPAM_H
#define IPAM_IPAM_H

#include "mode/mode.h"

extern const struct mode mode_ipam;

#endif
