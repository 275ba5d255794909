/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outer side of a container: making its namespaces, letting its command go, ending it. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC)

pid_t fork_into(uint64_t namespaces)
{
	struct clone_args args = { .flags = namespaces, .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* All of them, or none. */
static int make_pipes(int go[static 2], int report[static 2], int stops[static 2])
{
	int *const ends[] = { go, report, stops };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (pipe2(ends[i], O_CLOEXEC) == 0)
			continue;
		while (i-- > 0) {
			close(ends[i][0]);
			close(ends[i][1]);
		}
		return -1;
	}
	return 0;
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *ret, struct err *e)
{
	struct {
		int go[2], report[2], stops[2];
	} p;

	*ret = (struct sandbox){ .init = -1, .go = -1, .report = -1, .stops = -1 };
	if (make_pipes(p.go, p.report, p.stops) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make a pipe");
	ret->init = fork_into(NAMESPACES);
	if (ret->init == 0) {
		close(p.go[1]);
		close(p.report[0]);
		init_main(spec, &(struct init_pipes){ p.go[0], p.report[1], p.stops[1] });
	}
	if (ret->init < 0)
		err_sys(e, ERR_KERNEL, errno, "cannot make namespaces of mounts, processes, names");
	close(p.go[0]);
	close(p.report[1]);
	close(p.stops[1]);
	ret->go = p.go[1];
	ret->report = p.report[0];
	ret->stops = p.stops[0];
	if (ret->init > 0)
		return 0;
	sandbox_end(ret);
	return -e->sys;
}

static void close_end(int *fd)
{
	cleanup_closep(fd);
	*fd = -1;
}

int sandbox_go(struct sandbox *s, struct err *e)
{
	int r = write(s->go, "", 1) == 1 ? 0 : -errno;

	close_end(&s->go);
	if (r < 0)
		return err_sys(e, ERR_KERNEL, -r, "the container's first process is gone");
	r = report_read(s->report, e);
	close_end(&s->report);
	return r;
}

void sandbox_end(struct sandbox *s)
{
	close_end(&s->go);
	close_end(&s->report);
	close_end(&s->stops);
	if (s->init <= 0)
		return;
	kill(s->init, SIGKILL);
	while (waitpid(s->init, NULL, 0) < 0 && errno == EINTR)
		;
	s->init = -1;
}
