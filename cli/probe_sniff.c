/* SPDX-License-Identifier: GPL-2.0-or-later */
/* b and the LAN's machine talk, and a listens. */
#include <errno.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "frame.h"
#include "questions.h"

#define PORT   7011
#define WORDS  8 /* said by b, and as many by the LAN's machine */
#define SECRET "a word between b and the LAN %02u"
#define LENGTH 40

/* In promiscuous mode, as tcpdump does it. */
static int sniffer(const struct lab *lab)
{
	const struct nic *nic = &lab->a.nic;
	const bool all = lab_shares(&lab->a.ns, &lab->host);
	const struct packet_mreq want = { .mr_ifindex = (int)nic->ifindex,
					  .mr_type = PACKET_MR_PROMISC };
	int fd = frame_socket(lab, &lab->a.ns, all ? 0 : nic->ifindex);

	if (fd >= 0)
		setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &want, sizeof(want));
	return fd;
}

/* One word of the conversation. Return: was it heard by whom it was meant for? */
static bool say(int from, int to, const struct sockaddr_in *at, unsigned number)
{
	char word[LENGTH], got[LENGTH];
	struct sockaddr_in who;
	socklen_t len = sizeof(who);

	snprintf(word, sizeof(word), SECRET, number);
	if (sendto(from, word, sizeof(word), 0, (const struct sockaddr *)at, sizeof(*at)) < 0 ||
	    recvfrom(to, got, sizeof(got), 0, (struct sockaddr *)&who, &len) <= 0)
		return false;
	snprintf(word, sizeof(word), SECRET, number + WORDS);
	return sendto(to, word, sizeof(word), 0, (struct sockaddr *)&who, len) > 0 &&
	       recv(from, got, sizeof(got), 0) > 0;
}

/* Which words are among the frames that a was given? */
static unsigned heard(int fd)
{
	bool seen[2 * WORDS] = { false };
	unsigned n = 0;
	char frame[2048];
	ssize_t len;

	while ((len = recv(fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0)
		for (unsigned i = 0; i < 2 * WORDS; i++) {
			char word[LENGTH];
			int size = snprintf(word, sizeof(word), SECRET, i);

			if (seen[i] || !memmem(frame, (size_t)len, word, (size_t)size))
				continue;
			seen[i] = true;
			n++;
		}
	return n;
}

static bool converse(const struct lab *lab, const struct lab_task *t)
{
	const struct ip lan = wire_ip(LAN_OTHER), any = { .family = AF_INET };
	const struct sockaddr_in at = wire_sockaddr(&lan, PORT), here = wire_sockaddr(&any, 0);
	cleanup_close int server = wire_bound(lab, &lab->lan, SOCK_DGRAM, &at);
	cleanup_close int client = wire_bound(lab, &t->ns, SOCK_DGRAM, &here);

	if (server < 0 || client < 0)
		return false;
	for (unsigned i = 0; i < WORDS; i++)
		if (!say(client, server, &at, i))
			return false;
	return true;
}

void ask_sniffing(struct lab *lab, struct answer *ret)
{
	cleanup_close int fd = -1;
	unsigned n;

	if (!*lab->a.nic.name) {
		not_tried(ret, "a has no interface to listen at");
		return;
	}
	fd = sniffer(lab);
	if (fd < 0) {
		not_tried(ret, "no socket: %s", wire_words(fd));
		return;
	}
	/* Only an ear that hears its own words says something by its silence. */
	if (!converse(lab, &lab->a) || heard(fd) == 0) {
		not_tried(ret, "a did not even hear itself");
		return;
	}
	if (!converse(lab, &lab->b)) {
		not_tried(ret, "b and the LAN's machine could not talk");
		return;
	}
	n = heard(fd);
	if (n)
		answer_no(ret, "%u of %u datagrams heard", n, 2 * WORDS);
	else
		answer_yes(ret, "none of %u datagrams heard", 2 * WORDS);
}
