/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lab lives in a process of its own, the first of a pid namespace: whatever happens, to it or to
 * us, the kernel ends it with all of its namespaces, mounts and processes. Questions come by a
 * socket, answers go back.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "chain.h"
#include "lab.h"
#include "sandbox.h"

#define NAMESPACES (CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID)
#define ANSWER_S   30 /* no question takes a third of it */

struct greeting { /* what a lab says first */
	int r;
	struct err e;
	struct lab_facts facts;
};

/* ---- the lab's side ---- */

/* The host's /run, with its stores and namespaces, is not the lab's; its processes neither. */
static int own_mounts(struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0 ||
	    mkdir("/run/netns", 0755) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make a /run for the lab");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot mount a /proc for the lab");
	return 0;
}

static void tell_facts(const struct lab *lab, struct lab_facts *ret)
{
	const struct cidr *a = &lab->a.nic.address, *b = &lab->b.nic.address;

	*ret = (struct lab_facts){ .host = LAN_HOST, .lan = LAN_OTHER };
	if (a->ip.family)
		ip_text(&a->ip, ret->a);
	if (b->ip.family)
		ip_text(&b->ip, ret->b);
}

static void __attribute__((noreturn)) lab_main(const struct cli *c, const struct mode *mode, int fd)
{
	struct lab lab = { .mode = mode,
			   .cli = *c,
			   .host = NETNS_NONE,
			   .lan = NETNS_NONE,
			   .a = { .ns = NETNS_NONE },
			   .b = { .ns = NETNS_NONE } };
	struct greeting hello = { .r = 0 };
	char path[CHAIN_PATH];
	unsigned n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	chain_path(c, path);
	lab.path = path;
	lab.cli.conf_dir = NETNS_DIR; /* networks of this host are not the lab's */
	hello.r = own_mounts(&hello.e);
	if (hello.r == 0)
		hello.r = lab_open(&lab, &hello.e);
	tell_facts(&lab, &hello.facts);
	(void)!send(fd, &hello, sizeof(hello), 0);
	/* If we were late to ask for a signal at our parent's end, this ends as well. */
	while (hello.r == 0 && recv(fd, &n, sizeof(n), 0) == sizeof(n)) {
		struct answer answer = { .verdict = NOT_TRIED };

		if (lab.broken.code)
			not_tried(&answer, "%s", lab.broken.msg);
		else
			questions[n].ask(&lab, &answer);
		(void)!send(fd, &answer, sizeof(answer), 0);
	}
	_exit(0);
}

/* ---- our side ---- */

static int broken(const struct worker *w, struct err *e)
{
	err_set(e, ERR_KERNEL, EIO, "the lab of the mode %s does not answer", w->mode->key);
	err_hint(e, "try it alone: taskvpc compare %s", w->mode->key);
	return -EIO;
}

static int greet(struct worker *w, struct err *e)
{
	struct greeting hello;

	if (recv(w->fd, &hello, sizeof(hello), 0) != sizeof(hello))
		return broken(w, e);
	w->facts = hello.facts;
	if (hello.r == 0)
		return 0;
	*e = hello.e;
	err_prefix(e, "the lab of the mode %s", w->mode->key);
	return hello.r;
}

int worker_start(const struct cli *c, const struct mode *mode, struct worker *ret, struct err *e)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	int pair[2], r;

	*ret = (struct worker){ .mode = mode, .pid = -1, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make a socket");
	ret->pid = fork_into(NAMESPACES);
	if (ret->pid == 0) {
		close(pair[0]);
		lab_main(c, mode, pair[1]);
	}
	close(pair[1]);
	ret->fd = pair[0];
	if (ret->pid < 0)
		r = err_sys(e, ERR_KERNEL, errno, "cannot make namespaces for a lab");
	else
		r = 0;
	setsockopt(ret->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (r == 0)
		r = greet(ret, e);
	if (r < 0)
		worker_end(ret);
	return r;
}

int worker_ask(struct worker *w, const struct question *q, struct answer *ret, struct err *e)
{
	unsigned n = (unsigned)(q - questions);

	if (send(w->fd, &n, sizeof(n), MSG_NOSIGNAL) != sizeof(n) ||
	    recv(w->fd, ret, sizeof(*ret), 0) != sizeof(*ret))
		return broken(w, e);
	return 0;
}

void worker_end(struct worker *w)
{
	cleanup_closep(&w->fd);
	w->fd = -1;
	if (w->pid <= 0)
		return;
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
	w->pid = -1;
}
