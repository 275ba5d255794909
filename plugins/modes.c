/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modes.h"

#include "awsvpc/awsvpc.h"
#include "bridge/bridge.h"
#include "host/host.h"
#include "ipam/ipam.h"

const struct mode *const all_modes[] = { &mode_routed, &mode_macvlan, &mode_bridge,
					 &mode_host,   &mode_ipam,    NULL };
