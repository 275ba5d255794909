/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The foreign IPAM plugin of an ADD. Without one (call.foreign) there is nothing to do. */
#ifndef CNI_DELEGATED_H
#define CNI_DELEGATED_H

#include "cni/prepare.h"

/* delegated_ask: its ADD; addresses and routes of the attachment. Return: 0 or a negative errno. */
int delegated_ask(struct add *add, struct err *e);
/* delegated_undo: its DEL, for the log's sake with a word of @why. What fails is a warning. */
void delegated_undo(struct add *add, const char *why);

#endif
