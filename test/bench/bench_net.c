/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of a measured path: `bench_net serve PORT` echoes over UDP and TCP and swallows what a
 * connection sends that begins with 's'; `bench_net ask WHAT ADDRESS PORT` prints one figure:
 *
 *   udp, tcp    median microseconds of a round trip of 64 bytes
 *   connect     median microseconds of a new connection and one round trip over it
 *   flood       Gbit/s of one connection over a second
 *
 * Both ends stay on processor 0: what is measured is the path, not how fast a sleeping one wakes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIPS    8000
#define CONNECTS 400
#define MESSAGE  64
#define CLIENTS  8
#define FLOOD_US 1e6

static char buf[1 << 17];

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void stay_on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* ---- server ---- */

static int bound(int type, const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
		fail("bind");
	return fd;
}

static void echo_udp(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

	if (n > 0)
		sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
}

/* Return: false at the end of the connection. */
static int echo_tcp(int fd)
{
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n <= 0)
		return 0;
	if (buf[0] != 's')
		send(fd, buf, (size_t)n, MSG_NOSIGNAL);
	return 1;
}

static void take_client(struct pollfd *fds, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (int i = 2; i < 2 + CLIENTS; i++) {
		if (fds[i].fd >= 0)
			continue;
		fds[i].fd = fd;
		return;
	}
	close(fd);
}

static void serve(unsigned short port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct pollfd fds[2 + CLIENTS];

	for (int i = 0; i < 2 + CLIENTS; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	fds[0].fd = bound(SOCK_DGRAM, &any);
	fds[1].fd = bound(SOCK_STREAM, &any);
	if (listen(fds[1].fd, 64) < 0)
		fail("listen");
	puts("ready");
	fflush(stdout);
	while (poll(fds, 2 + CLIENTS, -1) > 0) {
		if (fds[0].revents)
			echo_udp(fds[0].fd);
		if (fds[1].revents)
			take_client(fds, fds[1].fd);
		for (int i = 2; i < 2 + CLIENTS; i++) {
			if (fds[i].fd < 0 || !fds[i].revents || echo_tcp(fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
		}
	}
}

/* ---- client ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *us, size_t n)
{
	qsort(us, n, sizeof(*us), ascending);
	return us[n / 2];
}

static int connected(int type, const struct sockaddr_in *to)
{
	const struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		fail("connect");
	return fd;
}

static void trip(int fd)
{
	size_t got = 0;

	if (send(fd, buf, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
		fail("send");
	while (got < MESSAGE) {
		ssize_t n = recv(fd, buf, MESSAGE - got, 0);

		if (n <= 0)
			fail("no answer");
		got += (size_t)n;
	}
}

static double ask_trips(int type, const struct sockaddr_in *to)
{
	static double us[TRIPS];
	int fd = connected(type, to);

	for (int i = 0; i < TRIPS; i++) {
		us[i] = -now_us();
		trip(fd);
		us[i] += now_us();
	}
	close(fd);
	return median(us, TRIPS);
}

static double ask_connects(const struct sockaddr_in *to)
{
	static double us[CONNECTS];

	for (int i = 0; i < CONNECTS; i++) {
		int fd;

		us[i] = -now_us();
		fd = connected(SOCK_STREAM, to);
		trip(fd);
		us[i] += now_us();
		close(fd);
	}
	return median(us, CONNECTS);
}

static double ask_flood(const struct sockaddr_in *to)
{
	int fd = connected(SOCK_STREAM, to);
	double start = now_us(), bytes = 0;

	memset(buf, 's', sizeof(buf));
	while (now_us() - start < FLOOD_US) {
		ssize_t n = send(fd, buf, sizeof(buf), MSG_NOSIGNAL);

		if (n < 0)
			fail("send");
		bytes += (double)n;
	}
	close(fd);
	return bytes * 8 / (now_us() - start) / 1e3;
}

static double ask(const char *what, const struct sockaddr_in *to)
{
	if (strcmp(what, "udp") == 0)
		return ask_trips(SOCK_DGRAM, to);
	if (strcmp(what, "tcp") == 0)
		return ask_trips(SOCK_STREAM, to);
	if (strcmp(what, "connect") == 0)
		return ask_connects(to);
	return ask_flood(to);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	stay_on_one_cpu();
	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		serve((unsigned short)atoi(argv[2]));
		return 1;
	}
	if (argc != 5 || strcmp(argv[1], "ask") != 0 ||
	    inet_pton(AF_INET, argv[3], &to.sin_addr) != 1) {
		fprintf(stderr,
			"usage: bench_net serve PORT | ask udp|tcp|connect|flood ADDRESS PORT\n");
		return 2;
	}
	to.sin_port = htons((unsigned short)atoi(argv[4]));
	printf("%.2f\n", ask(argv[2], &to));
	return 0;
}
