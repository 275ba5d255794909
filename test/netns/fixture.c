/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct netns host = NETNS_NONE;

void fixture_enter(void)
{
	if (geteuid() != 0) {
		puts("skip: needs root\n0 passed, 0 failed, 1 skipped");
		exit(0);
	}
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0) {
		perror("cannot make a private host");
		exit(1);
	}
	mkdir("/run/netns", 0755);
	fixture_run("ip link set lo up");
}

void fixture_run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

char *fixture_state(const char *tasks)
{
	char command[1024];
	size_t len;
	char *ret;
	FILE *f;

	/* What changes by itself (counters, lifetimes, states of a link that is waking) is not
	 * state. */
	snprintf(command, sizeof(command),
		 "show() { ip $1 -o link; ip $1 -o addr; ip $1 route show table all; "
		 "ip $1 -6 route show table all; ip $1 rule; ip $1 -6 rule; ip $1 neigh; } 2>&1; "
		 "{ show ''; nft list ruleset; for t in %s; do echo \"== $t\"; "
		 "test -e /run/netns/$t && show \"-n $t\"; done; } | "
		 "sed -E 's/expires [0-9.a-z]+//; s/qdisc [a-z_]+//; s/ valid_lft.*//; "
		 "s/NO-CARRIER,//; s/,LOWER_UP//; s/ linkdown//; s/ state [A-Z]+//'",
		 tasks);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(io_read_all(fileno(f), 1 << 20, &ret, &len), 0);
	pclose(f);
	return ret;
}

void fixture_same(char *before, char *after, const char *what)
{
	const char *b = before, *a = after;

	while (*b && *a == *b && strcspn(a, "\n") == strcspn(b, "\n") &&
	       strncmp(a, b, strcspn(a, "\n")) == 0) {
		b += strcspn(b, "\n") + 1;
		a += strcspn(a, "\n") + 1;
	}
	if (strcmp(before, after) != 0)
		fail_msg("%s: was \"%.*s\", is \"%.*s\"", what, (int)strcspn(b, "\n"), b,
			 (int)strcspn(a, "\n"), a);
	free(before);
	free(after);
}

void fixture_open(struct plan_io *io, const char *name, struct attachment *a)
{
	struct netns task = NETNS_NONE;
	char path[64];
	struct err e;

	if (host.fd < 0)
		assert_int_equal(netns_self(&host, &e), 0);
	if (name) {
		snprintf(path, sizeof(path), "/run/netns/%s", name);
		assert_true(text_copy(a->netns, sizeof(a->netns), path));
		if (access(path, F_OK) == 0)
			assert_int_equal(netns_open(path, &host, &task, &e), 0);
	}
	if (task.fd < 0)
		assert_int_equal(netns_new(&host, &task, &e), 0);
	a->netns_cookie = task.cookie;
	assert_int_equal(plan_io_open(io, &host, &task, &e), 0);
}
