/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this process may do, made less. */
#ifndef KERNEL_PRIVILEGE_H
#define KERNEL_PRIVILEGE_H

#include <linux/capability.h>
#include <stdint.h>

#include "base/err.h"

/* PRIVILEGE: a set of one capability, by its name in capabilities(7) without CAP_. */
#define PRIVILEGE(name) (1ULL << CAP_##name)

/*
 * privilege_keep: give up every capability but those of @keep, for good; what is not there is not
 * missed. privilege_no_more: exec() gives none back either, as it otherwise does to root.
 * privilege_rest: the same as privilege_keep, but the others only rest. Whoever gains one by exec()
 * loses the signal at its parent's death (PR_SET_PDEATHSIG); what rests is not gained.
 * Return: 0 or a negative errno.
 */
int privilege_keep(uint64_t keep, struct err *e);
int privilege_rest(uint64_t keep, struct err *e);
int privilege_no_more(struct err *e);

#endif
