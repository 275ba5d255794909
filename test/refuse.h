/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A filter of system calls, as container runtimes have them. */
#ifndef TEST_REFUSE_H
#define TEST_REFUSE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSE_NO_FILTER 77                      /* how the child ends there, */
#define REFUSE_SKIPPED   (REFUSE_NO_FILTER << 8) /* and what wait() says of it */

/* refuse_call: from now on the call @nr fails with @error in this process. Return: false where the
 * kernel has no such filters. */
static inline bool refuse_call(unsigned nr, unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* refused: does @holds in a child where the call @nr fails with @error? Return: as wait() tells its
 * end: 0 it does; REFUSE_SKIPPED where the kernel has no such filters; else it does not. */
static inline int refused(unsigned nr, unsigned error, bool (*holds)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (!refuse_call(nr, error))
			_exit(REFUSE_NO_FILTER);
		_exit(!holds());
	}
	return waitpid(child, &status, 0) == child ? status : -1;
}

#endif
