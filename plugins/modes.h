/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modes of all plugins that keep records. They share one store and one nftables table, so each
 * plugin can take down what a dead task of another holds, and put back what a flush took from it.
 */
#ifndef MODES_H
#define MODES_H

#include "mode/mode.h"

extern const struct mode *const all_modes[]; /* NULL-terminated */

#endif
