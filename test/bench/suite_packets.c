/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready means ready: a packet each way at the very moment that ADD returns. PACKETS=N rounds
 * (default 400); prints how many were lost.
 */
#include "suites.h"

#include "kernel/netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define TASKS 100
#define PORT  7

static const struct timeval patience = { .tv_usec = 300 * 1000 };

static int udp_socket(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		bench_fail("no socket: %s", strerror(errno));
	return fd;
}

static int socket_in(unsigned task)
{
	struct netns host, ns;
	char path[64];
	struct err e;
	int fd;

	snprintf(path, sizeof(path), BENCH_NETNS "/b%u", task);
	if (netns_self(&host, &e) < 0 || netns_open(path, &host, &ns, &e) < 0 ||
	    netns_enter(&ns, &e) < 0)
		bench_fail("%s", e.msg);
	fd = udp_socket();
	if (netns_enter(&host, &e) < 0)
		bench_fail("%s", e.msg);
	netns_close(&ns);
	netns_close(&host);
	return fd;
}

/* Return: 1 if the packet was lost. */
static unsigned carry(int from, int to, const struct in_addr *address)
{
	struct sockaddr_in peer = { .sin_family = AF_INET,
				    .sin_port = htons(PORT),
				    .sin_addr = *address };
	char byte = 'x';

	if (sendto(from, &byte, 1, 0, (struct sockaddr *)&peer, sizeof(peer)) != 1)
		return 1;
	return recv(to, &byte, 1, 0) != 1;
}

static void one_round(const struct contestant *c, unsigned task, int host, unsigned lost[2])
{
	struct in_addr own, gateway;
	int inside = socket_in(task);
	unsigned down, up;

	if (runtime_call(c, "ADD", task).failed)
		bench_fail("%s: ADD failed", c->name);
	runtime_addresses(task, &own, &gateway);
	down = carry(host, inside, &own);
	up = carry(inside, host, &gateway);
	lost[0] += down;
	lost[1] += up;
	if (runtime_call(c, "DEL", task).failed)
		bench_fail("%s: DEL failed", c->name);
	close(inside);
}

void suite_packets(void)
{
	static const char *const names[] = { "awsvpc veth", "task-bridge" };
	const char *text = getenv("PACKETS");
	unsigned rounds = text ? (unsigned)atoi(text) : 400;
	int host = udp_socket();

	tasks_make(0, TASKS);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		const struct contestant *c = contestant_get(all, names[i]);
		unsigned lost[2] = { 0 };

		for (unsigned k = 0; c && k < rounds; k++)
			one_round(c, k % TASKS, host, lost);
		emit_value("packets", names[i], "lost to the task", rounds, "packets", lost[0]);
		emit_value("packets", names[i], "lost from the task", rounds, "packets", lost[1]);
	}
	tasks_drop(0, TASKS);
	close(host);
}
