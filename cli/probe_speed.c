/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long, how fast. One process holds both ends and stays on one processor: what is measured is
 * the path through the kernel, not how soon a sleeping process wakes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "questions.h"
#include "wire.h"

#define MESSAGE  64
#define TRIPS    2000
#define FLOOD_NS 200000000
#define CHUNK    (128u << 10)

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void stay_on_one_cpu(void)
{
	cpu_set_t allowed, one;

	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &allowed))
			continue;
		CPU_SET(i, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

/* ---- start and stop ---- */

static void time_task(struct lab *lab, bool stop, struct answer *ret)
{
	struct lab_task t;
	struct err e;
	int r = lab_attach(lab, lab->list, "timed", 8080, &t, &e);

	if (r == 0)
		r = lab_detach(lab, &t, &e);
	else
		lab_detach(lab, &t, &(struct err){ 0 });
	if (r < 0)
		not_tried(ret, "%s", e.msg);
	else
		answer_figure(ret, (int64_t)(stop ? t.stop_us : t.start_us), "%s", "");
}

void ask_start(struct lab *lab, struct answer *ret)
{
	time_task(lab, false, ret);
}

void ask_stop(struct lab *lab, struct answer *ret)
{
	time_task(lab, true, ret);
}

/* ---- the path ---- */

static bool pass(int from, int to, char *buf)
{
	size_t got = 0;

	if (send(from, buf, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
		return false;
	while (got < MESSAGE) {
		ssize_t n = recv(to, buf, MESSAGE - got, 0);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void trips(const struct meeting *m, struct answer *ret)
{
	static int64_t ns[TRIPS];
	char buf[MESSAGE] = { 0 };

	for (unsigned i = 0; i < TRIPS; i++) {
		ns[i] = -now_ns();
		if (!pass(m->client, m->server, buf) || !pass(m->server, m->client, buf)) {
			not_tried(ret, "the connection broke: %s", strerror(errno));
			return;
		}
		ns[i] += now_ns();
	}
	qsort(ns, TRIPS, sizeof(ns[0]), ascending);
	answer_figure(ret, ns[TRIPS / 2], "%s", "");
}

/* Return: bytes that have arrived by now, or -1. */
static ssize_t pump(const struct meeting *m, char *buf)
{
	struct pollfd ready[] = { { .fd = m->client, .events = POLLOUT },
				  { .fd = m->server, .events = POLLIN } };
	ssize_t got = 0, n;

	if (poll(ready, 2, PATIENCE_MS) <= 0)
		return -1;
	if (send(m->client, buf, CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		return -1;
	while ((n = recv(m->server, buf, CHUNK, MSG_DONTWAIT)) > 0)
		got += n;
	return n < 0 && errno == EAGAIN ? got : -1;
}

static void flood(const struct meeting *m, struct answer *ret)
{
	static char buf[CHUNK];
	int64_t start = now_ns(), bytes = 0, ns;

	while ((ns = now_ns() - start) < FLOOD_NS) {
		ssize_t n = pump(m, buf);

		if (n < 0) {
			not_tried(ret, "the connection broke: %s", strerror(errno));
			return;
		}
		bytes += n;
	}
	answer_figure(ret, bytes * 8 * 1000 / ns, "%s", "");
}

typedef void measure_fn(const struct meeting *m, struct answer *ret);

static void measure(struct lab *lab, const struct netns *client, struct ip to, measure_fn *what,
		    struct answer *ret)
{
	const struct rendezvous where = {
		.client = client, .server = &lab->a.ns, .to = to, .port = TASK_PORT
	};
	struct meeting m = MEETING_NONE;
	char text[IP_TEXT];
	struct err e;
	int r = lab_route(lab, true, &e);

	stay_on_one_cpu();
	if (r == 0)
		r = wire_meet(lab, &where, &m);
	if (r < 0) {
		not_tried(ret, "no connection to %s: %s", ip_text(&to, text), wire_words(r));
		return;
	}
	fcntl(m.client, F_SETFL, 0); /* it waits again */
	what(&m, ret);
	meeting_end(&m);
}

void ask_rtt_task(struct lab *lab, struct answer *ret)
{
	measure(lab, &lab->b.ns, lab_own(&lab->a), trips, ret);
}

void ask_rtt_lan(struct lab *lab, struct answer *ret)
{
	measure(lab, &lab->lan, lab_client(lab, &lab->a), trips, ret);
}

void ask_flood_task(struct lab *lab, struct answer *ret)
{
	measure(lab, &lab->b.ns, lab_own(&lab->a), flood, ret);
}

void ask_flood_lan(struct lab *lab, struct answer *ret)
{
	measure(lab, &lab->lan, lab_client(lab, &lab->a), flood, ret);
}
