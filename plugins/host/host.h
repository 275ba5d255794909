/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: a task in the host's own network namespace. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "mode/mode.h"

extern const struct mode mode_host;

#endif
