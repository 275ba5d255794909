/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child process with a text on its stdin, its stdout kept, and a limit on both. Private to ipam/.
 */
#ifndef IPAM_CHILD_H
#define IPAM_CHILD_H

#include <stddef.h>

#include "base/err.h"

struct child_job {
	const char *path;        /* of the program; it is its own argv[0] */
	const char *const *args; /* what follows, NULL-terminated; NULL: nothing */
	char *const *env;
	int error_fd;      /* for its stderr; 0: ours */
	const char *input; /* for its stdin, byte for byte */
	size_t input_len;
	int timeout_ms;
	size_t output_max;
};

enum child_how {
	CHILD_ENDED, /* by itself: see status */
	CHILD_LATE,  /* killed at the time-out */
	CHILD_LOUD,  /* killed for saying more than output_max */
};

struct child_end {
	enum child_how how;
	int status; /* of waitpid() */
	char *out;  /* its stdout, NUL-terminated; the caller frees it */
	size_t out_len;
};

/*
 * child_run: run the program to its end. It gets stdin, stdout and our stderr, no other descriptor,
 * and a process group of its own, which is killed as a whole where it must be killed.
 * While it runs SIGPIPE is ignored and SIGCHLD has its default; both are put back.
 * Return: 0, or the negative errno that kept it from running (*e is not touched).
 */
int child_run(const struct child_job *job, struct child_end *ret);

struct delegate_call;

/* delegate_run() with the time-out as an argument, and the program found already. */
int delegate_run_path(const struct delegate_call *call, const char *path, int timeout_ms,
		      char **ret_out, struct err *e);

#endif
