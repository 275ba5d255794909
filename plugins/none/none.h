/* SPDX-License-Identifier: GPL-2.0-or-later */
/* none: loopback and nothing else. */
#ifndef NONE_NONE_H
#define NONE_NONE_H

#include "mode/mode.h"

extern const struct mode mode_none;

#endif
