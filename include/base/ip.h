/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and prefixes as values, and the little arithmetic on them. IPv4 and IPv6 alike; an
 * address of family 0 is "none". No allocation, no errors in words: callers know the field's name.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_TEXT  48 /* longest text of an address with its prefix, and NUL */
#define MAC_TEXT 18

struct ip {
	uint8_t family; /* AF_INET, AF_INET6, or 0 = none */
	uint8_t b[16];  /* network byte order; IPv4 uses the first 4, the rest is 0 */
};

struct cidr {
	struct ip ip; /* host bits are kept: 10.0.1.4/24 stays 10.0.1.4 */
	uint8_t len;  /* prefix length */
};

struct mac {
	uint8_t b[6];
};

/* An inclusive interval of addresses of one family. */
struct ip_span {
	struct ip first;
	struct ip last;
};

typedef unsigned __int128 ip_num; /* an address as a number, for arithmetic */

unsigned ip_bits(const struct ip *a); /* 32 or 128 */
size_t ip_size(const struct ip *a);   /* 4 or 16 bytes */
bool ip_is_set(const struct ip *a);
ip_num ip_to_num(const struct ip *a);
struct ip ip_from_num(uint8_t family, ip_num n);
struct ip ip_add(const struct ip *a, ip_num n); /* wraps at the end of the family */
/* <0, 0, >0; IPv4 sorts before IPv6. */
int ip_cmp(const struct ip *a, const struct ip *b);
bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_is_multicast(const struct ip *a);
bool ip_is_loopback(const struct ip *a);
bool ip_is_unspecified(const struct ip *a); /* 0.0.0.0 or :: (family set) */
bool ip_is_link_local(const struct ip *a);
void ip_unmap(struct ip *a); /* ::ffff:192.0.2.1 becomes 192.0.2.1; any other stays */

/* ip_parse: strict dotted quad or RFC 4291 text, nothing before or after. Return: success. */
bool ip_parse(const char *text, struct ip *ret);
/* cidr_parse: "ADDRESS/LEN", host bits kept; no default for a missing length. Return: success. */
bool cidr_parse(const char *text, struct cidr *ret);
bool mac_parse(const char *text, struct mac *ret);

/* Each returns @buf. */
const char *ip_text(const struct ip *a, char buf[static IP_TEXT]);
const char *cidr_text(const struct cidr *c, char buf[static IP_TEXT]);
const char *mac_text(const struct mac *m, char buf[static MAC_TEXT]);

struct cidr cidr_host(const struct ip *a);  /* the /32 or /128 of an address */
struct ip cidr_first(const struct cidr *c); /* the network address */
struct ip cidr_last(const struct cidr *c);
bool cidr_has_host_bits(const struct cidr *c);
bool cidr_contains(const struct cidr *c, const struct ip *a);
bool cidr_equal(const struct cidr *a, const struct cidr *b);
bool cidr_overlap(const struct cidr *a, const struct cidr *b);
struct ip_span cidr_span(const struct cidr *c);

bool span_contains(const struct ip_span *s, const struct ip *a);
/* Number of addresses, capped at UINT64_MAX. */
uint64_t span_size(const struct ip_span *s);

bool mac_is_unicast(const struct mac *m);
bool mac_equal(const struct mac *a, const struct mac *b);
bool mac_is_set(const struct mac *m); /* not all zeros */

#endif
