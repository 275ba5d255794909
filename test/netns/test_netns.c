/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces known again by their cookie: what a path leads to, and what it does not tell. */
#include "fixture.h"

#include "../refuse.h"
#include "kernel/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ONE "/run/netns/one"

static struct netns host = NETNS_NONE;
static uint64_t cookie; /* of ONE */

static int reopen(const char *path, uint64_t wanted)
{
	struct netns ns;
	struct err e;
	int r = netns_reopen(path, wanted, &ns, &e);

	assert_int_equal(r == 0, ns.fd >= 0);
	netns_close(&ns);
	return r;
}

static void test_where_a_path_leads(void **state)
{
	(void)state;
	assert_int_equal(reopen(ONE, cookie), 0);
	assert_int_equal(reopen(ONE, cookie + 1), 1);
	assert_int_equal(reopen(ONE, 0), 1);
	assert_int_equal(reopen("", cookie), 1);
	assert_int_equal(reopen("run/netns/one", cookie), 1);
	assert_int_equal(reopen("/run/netns/another", cookie), 1);
	assert_int_equal(reopen("/run/netns", cookie), 1);
	assert_int_equal(reopen("/proc/self/ns/mnt", cookie), 1);
}

/* Whatever a record says: nobody may take down what is the host's. */
static void test_never_the_host(void **state)
{
	(void)state;
	assert_int_equal(reopen("/proc/self/ns/net", host.cookie), 1);
	assert_int_equal(reopen("/proc/self/ns/net", cookie), 1);
}

static int find(uint64_t wanted)
{
	struct netns ns;
	struct err e;
	int r = netns_find(wanted, &ns, &e);

	assert_int_equal(r == 0, ns.fd >= 0);
	if (r == 0)
		assert_true(ns.cookie == wanted);
	netns_close(&ns);
	return r;
}

/* By its name, and by whoever is in it; not when it is gone. */
static void test_found_without_its_path(void **state)
{
	struct netns two = NETNS_NONE;
	pid_t pid;
	struct err e;

	(void)state;
	assert_int_equal(find(cookie), 0);
	assert_int_equal(find(host.cookie), 1);
	assert_int_equal(find(0), 1);
	assert_int_equal(netns_new(&host, &two, &e), 0);
	assert_int_equal(find(two.cookie), 1); /* nothing but our descriptor holds it */
	pid = fork();
	if (pid == 0) {
		netns_enter(&two, &e);
		pause();
		_exit(1);
	}
	while (find(two.cookie) != 0)
		usleep(1000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(find(two.cookie), 1);
	netns_close(&two);
}

static void test_short_of_descriptors(void **state)
{
	struct rlimit before, now;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	close(next);
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	for (int more = 0; more < 3; more++) {
		now.rlim_cur = (rlim_t)(next + more);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		assert_int_equal(reopen(ONE, cookie), -EMFILE);
	}
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(reopen(ONE, cookie), 0);
}

static bool tells_of_the_socket(void)
{
	return reopen(ONE, cookie) == -EACCES;
}

/* A socket that is refused says nothing of the path, even by an error that a path has too. */
static void test_refused_a_socket(void **state)
{
	int status = refused(SYS_socket, EACCES, tells_of_the_socket);

	(void)state;
	if (status == REFUSE_SKIPPED)
		skip(); /* a kernel without seccomp */
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_a_path_leads),
		cmocka_unit_test(test_never_the_host),
		cmocka_unit_test(test_found_without_its_path),
		cmocka_unit_test(test_short_of_descriptors),
		cmocka_unit_test(test_refused_a_socket),
	};
	struct netns one = NETNS_NONE;
	struct err e;

	fixture_enter();
	fixture_run("ip netns add one");
	if (netns_self(&host, &e) < 0 || netns_open(ONE, &host, &one, &e) < 0)
		return 1;
	cookie = one.cookie;
	netns_close(&one);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
