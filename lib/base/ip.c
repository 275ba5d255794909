/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, prefixes and MACs: text and arithmetic. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned ip_bits(const struct ip *a)
{
	return a->family == AF_INET6 ? 128 : 32;
}

size_t ip_size(const struct ip *a)
{
	return a->family == AF_INET6 ? 16 : 4;
}

bool ip_is_set(const struct ip *a)
{
	return a->family != 0;
}

ip_num ip_to_num(const struct ip *a)
{
	ip_num n = 0;

	for (size_t i = 0; i < ip_size(a); i++)
		n = n << 8 | a->b[i];
	return n;
}

struct ip ip_from_num(uint8_t family, ip_num n)
{
	struct ip a = { .family = family };

	for (size_t i = ip_size(&a); i-- > 0; n >>= 8)
		a.b[i] = (uint8_t)n;
	return a;
}

struct ip ip_add(const struct ip *a, ip_num n)
{
	return ip_from_num(a->family, ip_to_num(a) + n);
}

int ip_cmp(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_cmp(a, b) == 0;
}

bool ip_is_multicast(const struct ip *a)
{
	return a->family == AF_INET6 ? a->b[0] == 0xff : a->b[0] >> 4 == 14;
}

bool ip_is_loopback(const struct ip *a)
{
	struct ip v6 = { .family = AF_INET6, .b = { [15] = 1 } };

	return a->family == AF_INET6 ? ip_equal(a, &v6) : a->b[0] == 127;
}

bool ip_is_unspecified(const struct ip *a)
{
	return a->family != 0 && ip_to_num(a) == 0;
}

bool ip_is_link_local(const struct ip *a)
{
	if (a->family == AF_INET6)
		return a->b[0] == 0xfe && a->b[1] >> 6 == 2;
	return a->b[0] == 169 && a->b[1] == 254;
}

void ip_unmap(struct ip *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip v4 = { .family = AF_INET };

	if (a->family != AF_INET6 || memcmp(a->b, mapped, sizeof(mapped)) != 0)
		return;
	memcpy(v4.b, a->b + sizeof(mapped), 4);
	*a = v4;
}

bool ip_parse(const char *text, struct ip *ret)
{
	struct ip a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(a.family, text, a.b) != 1)
		return false;
	*ret = a;
	return true;
}

/* A decimal number without sign or leading zeros, at most @max. */
static bool length_parse(const char *text, unsigned max, uint8_t *ret)
{
	unsigned n = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (unsigned)(*text - '0');
		if (n > max)
			return false;
	}
	*ret = (uint8_t)n;
	return true;
}

bool cidr_parse(const char *text, struct cidr *ret)
{
	char head[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	struct cidr c;

	if (!slash || (size_t)(slash - text) >= sizeof(head))
		return false;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	if (!ip_parse(head, &c.ip) || !length_parse(slash + 1, ip_bits(&c.ip), &c.len))
		return false;
	*ret = c;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool mac_parse(const char *text, struct mac *ret)
{
	struct mac m;

	if (strlen(text) != 17)
		return false;
	for (int i = 0; i < 6; i++) {
		int hi = hex_digit(text[0]), lo = hex_digit(text[1]);

		if (hi < 0 || lo < 0 || (i < 5 && text[2] != ':'))
			return false;
		m.b[i] = (uint8_t)(hi << 4 | lo);
		text += 3;
	}
	*ret = m;
	return true;
}

const char *ip_text(const struct ip *a, char buf[static IP_TEXT])
{
	if (!a->family || !inet_ntop(a->family, a->b, buf, IP_TEXT))
		snprintf(buf, IP_TEXT, "none");
	return buf;
}

const char *cidr_text(const struct cidr *c, char buf[static IP_TEXT])
{
	size_t len;

	ip_text(&c->ip, buf);
	len = strlen(buf);
	snprintf(buf + len, IP_TEXT - len, "/%u", c->len);
	return buf;
}

const char *mac_text(const struct mac *m, char buf[static MAC_TEXT])
{
	snprintf(buf, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2], m->b[3],
		 m->b[4], m->b[5]);
	return buf;
}

struct cidr cidr_host(const struct ip *a)
{
	return (struct cidr){ .ip = *a, .len = (uint8_t)ip_bits(a) };
}

/* The host part as a number with all bits set. */
static ip_num host_mask(const struct cidr *c)
{
	unsigned bits = ip_bits(&c->ip) - c->len;

	return bits == 128 ? ~(ip_num)0 : ((ip_num)1 << bits) - 1;
}

struct ip cidr_first(const struct cidr *c)
{
	return ip_from_num(c->ip.family, ip_to_num(&c->ip) & ~host_mask(c));
}

struct ip cidr_last(const struct cidr *c)
{
	return ip_from_num(c->ip.family, ip_to_num(&c->ip) | host_mask(c));
}

bool cidr_has_host_bits(const struct cidr *c)
{
	return (ip_to_num(&c->ip) & host_mask(c)) != 0;
}

bool cidr_contains(const struct cidr *c, const struct ip *a)
{
	struct ip_span s = cidr_span(c);

	return span_contains(&s, a);
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->len == b->len && ip_equal(&a->ip, &b->ip);
}

bool cidr_overlap(const struct cidr *a, const struct cidr *b)
{
	struct ip first_a = cidr_first(a), first_b = cidr_first(b);

	return cidr_contains(a, &first_b) || cidr_contains(b, &first_a);
}

struct ip_span cidr_span(const struct cidr *c)
{
	return (struct ip_span){ .first = cidr_first(c), .last = cidr_last(c) };
}

bool span_contains(const struct ip_span *s, const struct ip *a)
{
	return a->family == s->first.family && ip_cmp(a, &s->first) >= 0 &&
	       ip_cmp(a, &s->last) <= 0;
}

uint64_t span_size(const struct ip_span *s)
{
	ip_num n = ip_to_num(&s->last) - ip_to_num(&s->first);

	return n >= UINT64_MAX ? UINT64_MAX : (uint64_t)n + 1;
}

bool mac_is_unicast(const struct mac *m)
{
	return !(m->b[0] & 1);
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool mac_is_set(const struct mac *m)
{
	static const struct mac none;

	return !mac_equal(m, &none);
}
