/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of tasks in the /etc/hosts of the other tasks of their network, until a resolver answers
 * for them. They stand behind a line of ours, and what stands before it is the task's own.
 */
#ifndef CLI_HOSTS_H
#define CLI_HOSTS_H

#include "state.h"

#define HOSTS_TASKS 256 /* of one network: with more, none is named */

/* hosts_update: write the names of all tasks of @network (a name) anew, into each of their files.
 */
void hosts_update(const char *network);

#endif
