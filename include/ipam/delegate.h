/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CNI plugin, run as libcni's pkg/invoke does: a foreign IPAM plugin by a plugin of ours, and
 * every plugin by the command `taskvpc`. The only place in lib/ that runs something. The child gets
 * an environment, the network configuration byte for byte, a stderr, and no other descriptor. It
 * has DELEGATE_TIMEOUT_MS and may answer DELEGATE_OUTPUT_MAX.
 */
#ifndef IPAM_DELEGATE_H
#define IPAM_DELEGATE_H

#include <stddef.h>

#include "base/err.h"

#define DELEGATE_TIMEOUT_MS 60000
#define DELEGATE_OUTPUT_MAX 1048576

struct delegate_call { /* what is run; all borrowed */
	const char *type;
	const char *verb;
	const char *cni_path; /* NULL is as good as empty */
	const char *config;
	size_t config_len;

	/* For callers other than a plugin that delegates; all may be left out. */
	const char *what;        /* for messages, instead of "IPAM plugin" */
	const char *const *args; /* of the command line, NULL-terminated, at most 4 */
	char *const *env;        /* instead of ours with CNI_COMMAND replaced by verb */
	int error_fd;            /* for its stderr; 0: ours */
};

/*
 * delegate_run: run the type from the directories of cni_path with the verb and the config on its
 * stdin.
 * @ret_out: its stdout, NUL-terminated, the caller frees it; NULL if not wanted.
 * Return: 0 if it exited with 0; else a negative errno with *e: its own CNI error (code, msg,
 * details unchanged) where it printed one; code 105 naming the type and how it ended (text on
 * stdout, signal, silence, time-out); code 4 naming CNI_PATH where it is empty or lacks the type;
 * code 7 for a type that is no plain file name.
 */
int delegate_run(const struct delegate_call *call, char **ret_out, struct err *e);

/* delegate_find: only where it is: fill in @ret (PATH_MAX). Return: 0, or as delegate_run. */
int delegate_find(const struct delegate_call *call, char *ret, struct err *e);

#endif
