/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a host has that is not for tasks: services at its loopback, which published ports must not
 * open; and on EC2 its credentials, at 169.254.169.254, which here the LAN's machine plays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "frame.h"
#include "kernel/route.h"
#include "questions.h"

#define LOOPBACK_PORT 7013
#define HONEST_PORT   7014
#define METADATA_PORT 80

/* ---- loopback ---- */

static bool hears(int fd, int flags)
{
	uint32_t mark;

	return recv(fd, &mark, sizeof(mark), flags) > 0;
}

/* As any process in @ns would. Return: 0 or a negative errno. */
static int say(const struct lab *lab, const struct netns *ns, const struct sockaddr_in *to)
{
	cleanup_close int fd = wire_socket(lab, ns, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	return sendto(fd, "word", 4, 0, (const struct sockaddr *)to, sizeof(*to)) < 0 ? -errno : 0;
}

/* From a, in its own name, to whoever has @mac on its link. */
static int send_frame(const struct lab *lab, int raw, const struct mac *mac, const struct ip *ip,
		      unsigned port)
{
	const struct frame_end from = { .mac = lab->a.nic.mac, .ip = lab->a.nic.address.ip };
	const struct frame_end to = { .mac = *mac, .ip = *ip };
	struct frame f;

	frame_udp(&f, &from, &to, port, 1);
	return frame_send(raw, &f);
}

/* The host on the link of a: its gateway; where the LAN has that, the host's card. */
static struct ip host_on_link(const struct lab *lab, struct mac *ret)
{
	struct nic nic = { .ifindex = 0 };

	wire_greet(lab, &lab->a.ns, &lab->a.gateway);
	if (!wire_has(lab, &lab->lan, &lab->a.gateway) &&
	    wire_neighbour(lab, &lab->a.ns, &lab->a.gateway, ret) == 0)
		return lab->a.gateway;
	wire_nic(lab, &lab->host, &nic);
	*ret = nic.mac;
	return wire_ip(LAN_HOST);
}

/* The honest frame comes last: once it is there, the other has had its time. */
static void knock(const struct lab *lab, int raw, int server, int honest, struct answer *ret)
{
	const struct ip loopback = wire_ip("127.0.0.1");
	struct mac mac;
	const struct ip host = host_on_link(lab, &mac);
	int r = send_frame(lab, raw, &mac, &loopback, LOOPBACK_PORT);
	bool arrived;

	if (r == 0)
		r = send_frame(lab, raw, &mac, &host, HONEST_PORT);
	if (r < 0) {
		not_tried(ret, "a cannot send: %s", wire_words(r));
		return;
	}
	arrived = hears(honest, 0);
	if (hears(server, MSG_DONTWAIT))
		answer_no(ret, "a frame of a to 127.0.0.1 arrived");
	else if (arrived)
		answer_yes(ret, "of two frames of a, that to 127.0.0.1 did not arrive");
	else if (ip_equal(&host, &lab->a.gateway))
		not_tried(ret, "an honest frame to the host did not arrive either");
	else
		answer_yes(ret, "no frame of a gets to the host at all");
}

static void try_frames(struct lab *lab, int server, int honest, struct answer *ret)
{
	cleanup_close int raw = frame_socket(lab, &lab->a.ns, lab->a.nic.ifindex);

	if (raw < 0)
		not_tried(ret, "no socket: %s", wire_words(raw));
	else
		knock(lab, raw, server, honest, ret);
}

static void try_loopback(struct lab *lab, int server, int honest, struct answer *ret)
{
	const struct ip loopback = wire_ip("127.0.0.1");
	const struct sockaddr_in at = wire_sockaddr(&loopback, LOOPBACK_PORT);

	if (say(lab, &lab->host, &at) < 0 || !hears(server, 0))
		not_tried(ret, "not even the host reaches it");
	else if (!lab_shares(&lab->a.ns, &lab->host))
		try_frames(lab, server, honest, ret);
	else if (say(lab, &lab->a.ns, &at) == 0 && hears(server, 0))
		answer_no(ret, "a reaches it as the host does");
	else
		answer_yes(ret, "nothing arrived");
}

void ask_loopback_service(struct lab *lab, struct answer *ret)
{
	const struct ip loopback = wire_ip("127.0.0.1"), any = { .family = AF_INET };
	const struct sockaddr_in at = wire_sockaddr(&loopback, LOOPBACK_PORT);
	const struct sockaddr_in there = wire_sockaddr(&any, HONEST_PORT);
	cleanup_close int server = wire_bound(lab, &lab->host, SOCK_DGRAM, &at);
	cleanup_close int honest = wire_bound(lab, &lab->host, SOCK_DGRAM, &there);

	if (!lab->a.nic.address.ip.family)
		not_tried(ret, "a has no interface to attack by");
	else if (server < 0 || honest < 0)
		not_tried(ret, "no socket: %s", wire_words(server < 0 ? server : honest));
	else
		try_loopback(lab, server, honest, ret);
}

/* ---- instance metadata ---- */

/* The network once more, with the key. */
static json *guarded(const struct lab *lab)
{
	json *list = json_copy(lab->list), *plugins = json_array();

	for (const json *p = json_first(json_get(list, "plugins")); p; p = json_next(p)) {
		json *one = json_add_copy(plugins, NULL, p);

		json_add_bool(one, "blockInstanceMetadata", true);
	}
	json_remove(list, "plugins");
	json_add_copy(list, "plugins", plugins);
	json_free(plugins);
	return list;
}

/* A blackhole in the task is but a courtesy: root in there removes it, and so does our attacker. */
static int remove_courtesy(struct lab *lab, const struct netns *ns, struct err *e)
{
	const struct ip ip = wire_ip(LAN_METADATA);
	const struct route_spec route = { .dst = cidr_host(&ip), .type = ROUTE_BLACKHOLE };
	cleanup_free struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return err_sys(e, ERR_IO, ENOMEM, "a route");
	route_del(b, &route, TOLERATE_ABSENT);
	return lab_send(lab, ns, b, e);
}

static int reach_metadata(const struct lab *lab, const struct netns *client)
{
	const struct rendezvous where = { .client = client,
					  .server = &lab->lan,
					  .to = wire_ip(LAN_METADATA),
					  .port = METADATA_PORT };
	struct meeting met;
	int r = wire_meet(lab, &where, &met);

	meeting_end(&met);
	return r;
}

static void try_metadata(struct lab *lab, const struct lab_task *t, struct answer *ret)
{
	struct err e;
	int r;

	if (remove_courtesy(lab, &t->ns, &e) < 0) {
		not_tried(ret, "%s", e.msg);
		return;
	}
	r = reach_metadata(lab, &t->ns);
	if (r == 0)
		answer_no(ret, "%s:%d reached, with blockInstanceMetadata", LAN_METADATA,
			  METADATA_PORT);
	else
		answer_yes(ret, "%s:%d: %s", LAN_METADATA, METADATA_PORT, wire_words(r));
}

static bool knows_guard(const struct lab *lab)
{
	const json *plugin = json_first(json_get(lab->list, "plugins"));
	const char *type = json_string(json_get(plugin, "type"));

	return type && !strcmp(type, "awsvpc");
}

void ask_metadata(struct lab *lab, struct answer *ret)
{
	cleanup_json json *list = guarded(lab);
	struct lab_task t;
	struct err e, ignored;
	int r = reach_metadata(lab, &lab->a.ns);

	/* Only where a task without the wish gets there does silence say anything. */
	if (r < 0) {
		not_tried(ret, "a does not reach it without that either: %s", wire_words(r));
		return;
	}
	if (!knows_guard(lab)) {
		answer_word(ret, "no such key",
			    "%s:%d reached; blockInstanceMetadata is a key of awsvpc", LAN_METADATA,
			    METADATA_PORT);
		return;
	}
	if (lab_attach(lab, list, "guarded", 0, &t, &e) < 0)
		not_tried(ret, "%s", e.msg);
	else
		try_metadata(lab, &t, ret);
	lab_detach(lab, &t, &ignored);
}
