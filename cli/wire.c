/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations between namespaces, and what a namespace knows of its interfaces and neighbours. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* ---- there and back ---- */

static int enter(const struct netns *ns)
{
	struct err ignored;

	return netns_enter(ns, &ignored);
}

static void back(const struct lab *lab)
{
	if (enter(&lab->host) < 0)
		abort(); /* it is held by a descriptor: cannot be refused */
}

/* ---- sockets ---- */

int wire_socket(const struct lab *lab, const struct netns *ns, int domain, int type, int protocol)
{
	const struct timeval patience = { .tv_usec = PATIENCE_MS * 1000L };
	int fd, r = enter(ns);

	if (r < 0)
		return r;
	fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	r = fd < 0 ? -errno : fd;
	back(lab);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return r;
}

struct sockaddr_in wire_sockaddr(const struct ip *ip, unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	memcpy(&at.sin_addr, ip->b, sizeof(at.sin_addr));
	return at;
}

static struct ip ip_of(const struct sockaddr_in *at)
{
	struct ip ip = { .family = AF_INET };

	memcpy(ip.b, &at->sin_addr, sizeof(at->sin_addr));
	return ip;
}

struct ip wire_ip(const char *text)
{
	struct ip ip = { .family = 0 };

	ip_parse(text, &ip);
	return ip;
}

int wire_bound(const struct lab *lab, const struct netns *ns, int type,
	       const struct sockaddr_in *at)
{
	int fd = wire_socket(lab, ns, AF_INET, type, 0), on = 1, r;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	r = bind(fd, (const struct sockaddr *)at, sizeof(*at));
	if (r == 0 && type == SOCK_STREAM)
		r = listen(fd, 8);
	if (r == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* ---- meetings ---- */

static bool comes(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, PATIENCE_MS) > 0;
}

/* Return: 0 or a negative errno. */
static int set_out(int fd, const struct sockaddr_in *to)
{
	int on = 1, r = 0;
	socklen_t len = sizeof(r);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		r = errno;
	if (r == EINPROGRESS && comes(fd, POLLOUT))
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &r, &len);
	else if (r == EINPROGRESS)
		r = ETIMEDOUT;
	return -r;
}

int wire_meet(const struct lab *lab, const struct rendezvous *where, struct meeting *ret)
{
	const struct sockaddr_in at = wire_sockaddr(&where->listen, where->port);
	const struct sockaddr_in to = wire_sockaddr(&where->to, where->port);
	cleanup_close int listener = wire_bound(lab, where->server, SOCK_STREAM, &at);
	struct sockaddr_in from = { .sin_family = 0 };
	socklen_t len = sizeof(from);
	int on = 1, r;

	*ret = (struct meeting)MEETING_NONE;
	if (listener < 0)
		return listener;
	ret->client = wire_socket(lab, where->client, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (ret->client < 0)
		return ret->client;
	ret->tried = true;
	r = set_out(ret->client, &to);
	if (r < 0)
		return r;
	/* Whoever has answered may have been somebody else. */
	if (comes(listener, POLLIN))
		ret->server = accept4(listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
	if (ret->server < 0)
		return -ETIMEDOUT;
	setsockopt(ret->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ret->seen = ip_of(&from);
	return 0;
}

void meeting_end(struct meeting *m)
{
	cleanup_closep(&m->client);
	cleanup_closep(&m->server);
	*m = (struct meeting)MEETING_NONE;
}

const char *wire_words(int r)
{
	return r == -ETIMEDOUT ? "no answer" : strerror(-r);
}

/* ---- what a namespace knows ---- */

static void note(const struct ifaddrs *i, struct nic *ret)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)i->ifa_addr;
	const struct sockaddr_in *mask = (const struct sockaddr_in *)i->ifa_netmask;
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)i->ifa_addr;

	if (in->sin_family == AF_PACKET) {
		snprintf(ret->name, sizeof(ret->name), "%s", i->ifa_name);
		ret->ifindex = (uint32_t)ll->sll_ifindex;
		memcpy(ret->mac.b, ll->sll_addr, sizeof(ret->mac.b));
	} else if (in->sin_family == AF_INET && !ret->address.ip.family) {
		ret->address.ip = ip_of(in);
		ret->address.len = (uint8_t)__builtin_popcount(mask->sin_addr.s_addr);
	}
}

static int addresses(const struct lab *lab, const struct netns *ns, struct ifaddrs **ret)
{
	int r = enter(ns);

	if (r < 0)
		return r;
	r = getifaddrs(ret) < 0 ? -errno : 0;
	back(lab);
	return r;
}

int wire_nic(const struct lab *lab, const struct netns *ns, struct nic *ret)
{
	struct ifaddrs *all;
	int r = addresses(lab, ns, &all);

	*ret = (struct nic){ .ifindex = 0 };
	if (r < 0)
		return r;
	/* Links come first, then addresses. */
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_addr && !(i->ifa_flags & IFF_LOOPBACK) &&
		    (!*ret->name || !strcmp(ret->name, i->ifa_name)))
			note(i, ret);
	freeifaddrs(all);
	return 0;
}

bool wire_has(const struct lab *lab, const struct netns *ns, const struct ip *ip)
{
	struct ifaddrs *all;
	bool has = false;

	if (addresses(lab, ns, &all) < 0)
		return false;
	for (const struct ifaddrs *i = all; i && !has; i = i->ifa_next) {
		struct ip one;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
			continue;
		one = ip_of((const struct sockaddr_in *)i->ifa_addr);
		has = ip_equal(&one, ip);
	}
	freeifaddrs(all);
	return has;
}

unsigned wire_links(const struct lab *lab, const struct netns *ns)
{
	struct ifaddrs *all;
	unsigned n = 0;

	if (addresses(lab, ns, &all) < 0)
		return 0;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		n += i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET;
	freeifaddrs(all);
	return n;
}

/* "10.0.0.1  0x1  0x2  02:…  *  eth0": flag 2 is "complete". */
static int find_neighbour(FILE *f, const char *ip, struct mac *ret)
{
	char line[256], address[64], flags[32], mac[64];

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*s %31s %63s", address, flags, mac) == 3 &&
		    !strcmp(address, ip) && (strtoul(flags, NULL, 16) & 2) && mac_parse(mac, ret))
			return 0;
	return 1;
}

int wire_neighbour(const struct lab *lab, const struct netns *ns, const struct ip *ip,
		   struct mac *ret)
{
	char text[IP_TEXT];
	int r = enter(ns);
	FILE *f;

	if (r < 0)
		return r;
	f = fopen("/proc/thread-self/net/arp", "re");
	r = f ? 0 : -errno;
	back(lab);
	if (!f)
		return r;
	r = find_neighbour(f, ip_text(ip, text), ret);
	fclose(f);
	return r;
}

/* "destination length source length nexthop …": without colons, in hex. */
static bool find_router(FILE *f, const char *router)
{
	char line[256], next[33];

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %32s", next) == 1 && !strcmp(next, router))
			return true;
	return false;
}

bool wire_has_router(const struct lab *lab, const struct netns *ns, const struct ip *router)
{
	char text[2 * sizeof(router->b) + 1];
	bool has = false;
	FILE *f;

	for (size_t i = 0; i < sizeof(router->b); i++)
		snprintf(text + 2 * i, 3, "%02x", router->b[i]);
	if (enter(ns) < 0)
		return false;
	f = fopen("/proc/thread-self/net/ipv6_route", "re");
	back(lab);
	if (f) {
		has = find_router(f, text);
		fclose(f);
	}
	return has;
}

void wire_greet(const struct lab *lab, const struct netns *ns, const struct ip *to)
{
	const struct sockaddr_in at = wire_sockaddr(to, 9); /* discard */
	cleanup_close int fd = wire_socket(lab, ns, AF_INET, SOCK_DGRAM, 0);

	if (fd >= 0)
		sendto(fd, "", 1, 0, (const struct sockaddr *)&at, sizeof(at));
}
