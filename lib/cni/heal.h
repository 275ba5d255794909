/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An earlier attachment of the key that an ADD is for. */
#ifndef CNI_HEAL_H
#define CNI_HEAL_H

#include "cni/prepare.h"

/*
 * heal: take down what is left of it. Return: 0 (there is none any more), or a negative errno:
 * -EEXIST with code 102 if it stands.
 */
int heal(struct add *add, struct err *e);
/* heal_end: the ADD has failed: the name of a namespace that it inherited goes, if nobody bears it.
 */
void heal_end(struct add *add);

#endif
