/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet, IPv4, UDP, ARP and a router advertisement, written by hand. */
#include "frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct mac everybody = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static void put(struct frame *f, const void *p, size_t len)
{
	memcpy(f->bytes + f->len, p, len);
	f->len += len;
}

static void put_ethernet(struct frame *f, const struct mac *from, const struct mac *to,
			 uint16_t type)
{
	struct ether_header h = { .ether_type = htons(type) };

	memcpy(h.ether_shost, from->b, ETH_ALEN);
	memcpy(h.ether_dhost, to->b, ETH_ALEN);
	f->len = 0;
	put(f, &h, sizeof(h));
}

static uint16_t checksum(const void *p, size_t len)
{
	const unsigned char *bytes = p;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2) {
		uint16_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

void frame_udp(struct frame *ret, const struct frame_end *from, const struct frame_end *to,
	       unsigned port, uint32_t mark)
{
	const size_t size = sizeof(struct udphdr) + sizeof(mark);
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .tot_len = htons((uint16_t)(sizeof(ip) + size)),
			    .ttl = 64,
			    .protocol = IPPROTO_UDP };
	/* A checksum of 0 says that there is none. */
	const struct udphdr udp = { .source = htons(7010),
				    .dest = htons((uint16_t)port),
				    .len = htons((uint16_t)size) };

	memcpy(&ip.saddr, from->ip.b, sizeof(ip.saddr));
	memcpy(&ip.daddr, to->ip.b, sizeof(ip.daddr));
	ip.check = checksum(&ip, sizeof(ip));
	put_ethernet(ret, &from->mac, &to->mac, ETHERTYPE_IP);
	put(ret, &ip, sizeof(ip));
	put(ret, &udp, sizeof(udp));
	put(ret, &mark, sizeof(mark));
}

void frame_arp(struct frame *ret, const struct frame_end *claim, const struct frame_end *to,
	       bool answer)
{
	struct ether_arp arp = { .ea_hdr = {
					 .ar_hrd = htons(ARPHRD_ETHER),
					 .ar_pro = htons(ETHERTYPE_IP),
					 .ar_hln = ETH_ALEN,
					 .ar_pln = 4,
					 .ar_op = htons(answer ? ARPOP_REPLY : ARPOP_REQUEST) } };

	memcpy(arp.arp_sha, claim->mac.b, ETH_ALEN);
	memcpy(arp.arp_spa, claim->ip.b, 4);
	memcpy(arp.arp_tha, to->mac.b, ETH_ALEN);
	/* Who asks for its own address announces it: "gratuitous" ARP. */
	memcpy(arp.arp_tpa, answer ? to->ip.b : claim->ip.b, 4);
	put_ethernet(ret, &claim->mac, answer ? &to->mac : &everybody, ETHERTYPE_ARP);
	put(ret, &arp, sizeof(arp));
}

/* The sum over what stands in front of it is that of a header which is not sent. */
static uint16_t checksum6(const struct ip6_hdr *ip, const void *p, size_t len)
{
	struct {
		struct in6_addr src, dst;
		uint32_t len, next;
		unsigned char payload[64];
	} all = { ip->ip6_src, ip->ip6_dst, htonl((uint32_t)len), htonl(IPPROTO_ICMPV6), { 0 } };

	memcpy(all.payload, p, len);
	return checksum(&all, offsetof(typeof(all), payload) + len);
}

void frame_router(struct frame *ret, const struct frame_end *from, uint16_t lifetime)
{
	static const struct mac all_nodes = { { 0x33, 0x33, 0, 0, 0, 1 } };
	struct nd_router_advert ra = { .nd_ra_hdr = { .icmp6_type = ND_ROUTER_ADVERT } };
	struct ip6_hdr ip = { .ip6_plen = htons(sizeof(ra)), .ip6_nxt = IPPROTO_ICMPV6 };

	ip.ip6_vfc = 6 << 4;
	ip.ip6_hlim = 255; /* it has passed no router */
	memcpy(&ip.ip6_src, from->ip.b, sizeof(ip.ip6_src));
	inet_pton(AF_INET6, "ff02::1", &ip.ip6_dst);
	ra.nd_ra_router_lifetime = htons(lifetime);
	ra.nd_ra_cksum = checksum6(&ip, &ra, sizeof(ra));
	put_ethernet(ret, &from->mac, &all_nodes, ETHERTYPE_IPV6);
	put(ret, &ip, sizeof(ip));
	put(ret, &ra, sizeof(ra));
}

int frame_socket(const struct lab *lab, const struct netns *ns, uint32_t ifindex)
{
	const struct sockaddr_ll at = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_ALL),
					.sll_ifindex = (int)ifindex };
	int fd = wire_socket(lab, ns, AF_PACKET, SOCK_RAW, 0), r;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

int frame_send(int fd, const struct frame *f)
{
	return send(fd, f->bytes, f->len, 0) == (ssize_t)f->len ? 0 : -errno;
}
