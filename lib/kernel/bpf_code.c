/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program, instruction by instruction: no compiler is needed, neither here nor on the host. In
 * C it would read, for each family of which the task has an address:
 *
 *	if (skb is for this interface, untagged, of this family, a plain header, TTL > 1 &&
 *	    eth.source == our MAC && ip.source is one of ours &&
 *	    ip.destination is not the instance's metadata &&
 *	    bpf_fib_lookup() finds a route that fits the packet, with metric BPF_ROUTE_METRIC) {
 *		eth.destination = the next hop's MAC; eth.source = that of its interface;
 *		TTL--;
 *		return bpf_redirect_peer(the route's interface);
 *	}
 *	return TC_ACT_UNSPEC;
 *
 * The guard's questions come first and are asked again here, because nftables does not see what
 * this program takes. Whatever it does not take goes on to the stack as ever, and is judged there.
 *
 * bpf_redirect_peer drops what it cannot deliver, so the route must lead to a veth whose other end
 * is in another namespace. The metric says so: only our host routes to such tasks bear it.
 */
#include "kernel/bpf_asm.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* Places: in the context, in the packet, and of the question to bpf_fib_lookup on the stack. */
#define CONTEXT(member) offsetof(struct __sk_buff, member)
#define ETH(member)     offsetof(struct ethhdr, member)
#define IP4(member)     (ETH_HLEN + offsetof(struct iphdr, member))
#define IP6(member)     (ETH_HLEN + offsetof(struct ipv6hdr, member))
#define FIB_SIZE        ((int)sizeof(struct bpf_fib_lookup))
#define FIB(member)     ((int)offsetof(struct bpf_fib_lookup, member) - FIB_SIZE)

static uint64_t dword(const uint8_t *bytes)
{
	uint64_t n;

	memcpy(&n, bytes, sizeof(n));
	return n;
}

static uint32_t word(const uint8_t *bytes)
{
	uint32_t n;

	memcpy(&n, bytes, sizeof(n));
	return n;
}

static uint16_t half(const uint8_t *bytes)
{
	uint16_t n;

	memcpy(&n, bytes, sizeof(n));
	return n;
}

/* One instruction a line. */
/* clang-format off */

/* Only what is addressed to this interface, and bears no VLAN tag. */
static void begin(struct bpf_code *c)
{
	APPEND(c,
		MOVE(SKB, R1),
		LOAD(WORD, R1, SKB, CONTEXT(pkt_type)),
		IF(BPF_JNE, R1, PACKET_HOST, PASS),
		LOAD(WORD, R1, SKB, CONTEXT(vlan_present)),
		IF(BPF_JNE, R1, 0, PASS),
		LOAD(WORD, PACKET, SKB, CONTEXT(data)),
		LOAD(WORD, END, SKB, CONTEXT(data_end)));
}

/* A packet of this family, its header within reach, and the task's own MAC as its source. */
static void family(struct bpf_code *c, uint16_t protocol, size_t header, const struct mac *mac)
{
	APPEND(c,
		LOAD(WORD, R1, SKB, CONTEXT(protocol)),
		IF(BPF_JNE, R1, htons(protocol), NEXT),
		MOVE(R1, PACKET),
		ADD(R1, (int)(ETH_HLEN + header)),
		IF_REG(BPF_JGT, R1, END, PASS));
	APPEND(c,
		LOAD(WORD, R1, PACKET, ETH(h_source)),
		IF(BPF_JNE, R1, word(mac->b), PASS),
		LOAD(HALF, R1, PACKET, ETH(h_source) + 4),
		IF(BPF_JNE, R1, half(mac->b + 4), PASS));
}

/* The question to the routing table, empty: of the stack, only what was written may be read. */
static void question(struct bpf_code *c)
{
	for (int at = 0; at < FIB_SIZE; at += 8)
		APPEND(c, STORE_VALUE(DWORD, FRAME, at - FIB_SIZE, 0));
}

static void begin_question(struct bpf_code *c, int family)
{
	APPEND(c,
		STORE_VALUE(BYTE, FRAME, FIB(family), family),
		LOAD(WORD, R1, SKB, CONTEXT(ifindex)),
		STORE(WORD, FRAME, FIB(ifindex), R1));
}

/*
 * Family and index begin slots of 8 bytes, so they are written last: before Linux 6.8, without
 * CAP_PERFMON, the verifier refuses a later write into the rest of such a slot ("attempt to corrupt
 * spilled pointer"). Without a length, the kernel compares the packet itself with the MTU.
 */
static void ask(struct bpf_code *c, const struct bpf_owner *owner, int family)
{
	if (!owner->family_first)
		begin_question(c, family);
	APPEND(c,
		MOVE(R1, SKB),
		MOVE(R2, FRAME),
		ADD(R2, -FIB_SIZE),
		SET(R3, FIB_SIZE),
		SET(R4, owner->direct ? BPF_FIB_LOOKUP_DIRECT : 0),
		CALL(fib_lookup),
		IF(BPF_JNE, R0, BPF_FIB_LKUP_RET_SUCCESS, PASS),
		LOAD(WORD, R1, FRAME, FIB(rt_metric)),
		IF(BPF_JNE, R1, BPF_ROUTE_METRIC, PASS));
}

/* The frame as the host would have sent it, and into the interface behind the route's. */
static void deliver(struct bpf_code *c)
{
	APPEND(c,
		LOAD(HALF, R1, FRAME, FIB(dmac)),
		STORE(HALF, PACKET, ETH(h_dest), R1),
		LOAD(WORD, R1, FRAME, FIB(dmac) + 2),
		STORE(WORD, PACKET, ETH(h_dest) + 2, R1),
		LOAD(WORD, R1, FRAME, FIB(smac)),
		STORE(WORD, PACKET, ETH(h_source), R1),
		LOAD(HALF, R1, FRAME, FIB(smac) + 4),
		STORE(HALF, PACKET, ETH(h_source) + 4, R1));
	APPEND(c,
		LOAD(WORD, R1, FRAME, FIB(ifindex)),
		SET(R2, 0),
		CALL(redirect_peer),
		RETURN());
}

/* No options, and no TTL that ends here: the host would have to answer. */
static void ipv4_header(struct bpf_code *c)
{
	APPEND(c,
		LOAD(BYTE, R1, PACKET, ETH_HLEN),
		IF(BPF_JNE, R1, 0x45, PASS),
		LOAD(BYTE, R1, PACKET, IP4(ttl)),
		IF(BPF_JLE, R1, 1, PASS));
}

static void ipv4_source(struct bpf_code *c, const struct bpf_owner *owner)
{
	APPEND(c,
		LOAD(WORD, R1, PACKET, IP4(saddr)),
		STORE(WORD, FRAME, FIB(ipv4_src), R1));
	for (unsigned i = 0; i < owner->n_ips; i++)
		if (owner->ips[i].family == AF_INET)
			APPEND(c, IF(BPF_JEQ, R1, word(owner->ips[i].b), OWN));
	APPEND(c, GOTO(PASS));
	land(c, OWN);
}

static void ipv4_destination(struct bpf_code *c, const struct ip *metadata)
{
	APPEND(c,
		LOAD(WORD, R1, PACKET, IP4(daddr)),
		IF(BPF_JEQ, R1, word(metadata->b), PASS),
		STORE(WORD, FRAME, FIB(ipv4_dst), R1),
		LOAD(BYTE, R1, PACKET, IP4(tos)),
		STORE(BYTE, FRAME, FIB(tos), R1),
		LOAD(BYTE, R1, PACKET, IP4(protocol)),
		STORE(BYTE, FRAME, FIB(l4_protocol), R1));
}

/* RFC 1141: the checksum is added to, not reckoned again. */
static void ipv4_age(struct bpf_code *c)
{
	APPEND(c,
		LOAD(HALF, R1, PACKET, IP4(check)),
		ADD(R1, htons(0x0100)),
		IF(BPF_JLT, R1, 0xffff, 1),
		ADD(R1, 1),
		STORE(HALF, PACKET, IP4(check), R1),
		LOAD(BYTE, R1, PACKET, IP4(ttl)),
		ADD(R1, -1),
		STORE(BYTE, PACKET, IP4(ttl), R1));
}

/* No hop-by-hop options, which each router reads. */
static void ipv6_header(struct bpf_code *c)
{
	APPEND(c,
		LOAD(BYTE, R1, PACKET, ETH_HLEN),
		AND(R1, 0xf0),
		IF(BPF_JNE, R1, 0x60, PASS),
		LOAD(BYTE, R1, PACKET, IP6(nexthdr)),
		IF(BPF_JEQ, R1, IPPROTO_HOPOPTS, PASS),
		STORE(BYTE, FRAME, FIB(l4_protocol), R1),
		LOAD(BYTE, R1, PACKET, IP6(hop_limit)),
		IF(BPF_JLE, R1, 1, PASS),
		LOAD(WORD, R1, PACKET, ETH_HLEN),
		AND(R1, htonl(0x0fffffff)),
		STORE(WORD, FRAME, FIB(flowinfo), R1));
}

/* If R1 and R2 hold @ip, go to @label. */
static void if_ipv6(struct bpf_code *c, const struct ip *ip, enum label label)
{
	APPEND(c,
		SET64(R3, dword(ip->b)),
		IF_REG(BPF_JNE, R1, R3, 3),
		SET64(R3, dword(ip->b + 8)),
		IF_REG(BPF_JEQ, R2, R3, (int16_t)label));
}

static void ipv6_source(struct bpf_code *c, const struct bpf_owner *owner)
{
	APPEND(c,
		LOAD(DWORD, R1, PACKET, IP6(saddr)),
		LOAD(DWORD, R2, PACKET, IP6(saddr) + 8),
		STORE(DWORD, FRAME, FIB(ipv6_src), R1),
		STORE(DWORD, FRAME, FIB(ipv6_src) + 8, R2));
	for (unsigned i = 0; i < owner->n_ips; i++)
		if (owner->ips[i].family == AF_INET6)
			if_ipv6(c, &owner->ips[i], OWN);
	APPEND(c, GOTO(PASS));
	land(c, OWN);
}

static void ipv6_destination(struct bpf_code *c, const struct ip *metadata)
{
	APPEND(c,
		LOAD(DWORD, R1, PACKET, IP6(daddr)),
		LOAD(DWORD, R2, PACKET, IP6(daddr) + 8),
		STORE(DWORD, FRAME, FIB(ipv6_dst), R1),
		STORE(DWORD, FRAME, FIB(ipv6_dst) + 8, R2));
	if_ipv6(c, metadata, PASS);
}

/* The header has no checksum, but a card may have added up the whole packet. */
static void ipv6_age(struct bpf_code *c)
{
	APPEND(c,
		LOAD(BYTE, R1, PACKET, IP6(hop_limit)),
		ADD(R1, -1),
		STORE(BYTE, PACKET, IP6(hop_limit), R1),
		MOVE(R1, SKB),
		SET(R2, (uint16_t)~htons(0x0001)),
		CALL(csum_update));
}

/* clang-format on */

static void ipv4(struct bpf_code *c, const struct bpf_owner *owner)
{
	struct ip metadata;

	ip_parse("169.254.169.254", &metadata);
	family(c, ETH_P_IP, sizeof(struct iphdr), &owner->mac);
	ipv4_header(c);
	question(c);
	if (owner->family_first)
		begin_question(c, AF_INET);
	ipv4_source(c, owner);
	ipv4_destination(c, &metadata);
	ask(c, owner, AF_INET);
	ipv4_age(c);
	deliver(c);
}

static void ipv6(struct bpf_code *c, const struct bpf_owner *owner)
{
	struct ip metadata;

	ip_parse("fd00:ec2::254", &metadata);
	family(c, ETH_P_IPV6, sizeof(struct ipv6hdr), &owner->mac);
	question(c);
	if (owner->family_first)
		begin_question(c, AF_INET6);
	ipv6_header(c);
	ipv6_source(c, owner);
	ipv6_destination(c, &metadata);
	ask(c, owner, AF_INET6);
	ipv6_age(c);
	deliver(c);
}

static bool has_family(const struct bpf_owner *owner, uint8_t wanted)
{
	for (unsigned i = 0; i < owner->n_ips; i++)
		if (owner->ips[i].family == wanted)
			return true;
	return false;
}

void bpf_code_build(const struct bpf_owner *owner, struct bpf_code *ret)
{
	ret->n = 0;
	begin(ret);
	if (has_family(owner, AF_INET)) {
		ipv4(ret, owner);
		land(ret, NEXT);
	}
	if (has_family(owner, AF_INET6)) {
		ipv6(ret, owner);
		land(ret, NEXT);
	}
	land(ret, PASS);
	APPEND(ret, SET(R0, TC_ACT_UNSPEC), RETURN());
}
