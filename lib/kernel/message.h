/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building netlink messages with libnl: for lib/kernel only. */
#ifndef KERNEL_MESSAGE_H
#define KERNEL_MESSAGE_H

#include "base/ip.h"

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

/*
 * message_new: a message of @type with the family's fixed header @header in front.
 * NULL if there is no memory; every later call accepts NULL, so that builders need no checks and
 * batch_add tells.
 */
static inline struct nl_msg *message_new(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *m;
	void *copy;

	nl_debug = 0; /* or whoever sets NLDBG in our environment has our stderr full of it */
	m = nlmsg_alloc_simple(type, flags);
	copy = m ? nlmsg_reserve(m, len, NLMSG_ALIGNTO) : NULL;
	if (m && copy)
		__builtin_memcpy(copy, header, len);
	return m;
}

/* message_data: what stands behind the netlink header (NLMSG_DATA drops const). */
static inline const void *message_data(const struct nlmsghdr *h)
{
	return (const unsigned char *)h + NLMSG_HDRLEN;
}

static inline void message_put(struct nl_msg *m, int type, const void *data, size_t len)
{
	if (m)
		nla_put(m, type, (int)len, data);
}

static inline void message_put_u32(struct nl_msg *m, int type, uint32_t value)
{
	message_put(m, type, &value, sizeof(value));
}

static inline void message_put_u8(struct nl_msg *m, int type, uint8_t value)
{
	message_put(m, type, &value, sizeof(value));
}

static inline void message_put_text(struct nl_msg *m, int type, const char *text)
{
	message_put(m, type, text, __builtin_strlen(text) + 1);
}

static inline void message_put_ip(struct nl_msg *m, int type, const struct ip *a)
{
	if (ip_is_set(a))
		message_put(m, type, a->b, ip_size(a));
}

/* A nested attribute: open, put, end. */
static inline struct nlattr *message_nest(struct nl_msg *m, int type)
{
	return m ? nla_nest_start(m, type) : NULL;
}

static inline void message_nest_end(struct nl_msg *m, struct nlattr *nest)
{
	if (m && nest)
		nla_nest_end(m, nest);
}

/* Value of an attribute, 0 where it is absent or too short. */
static inline uint32_t attr_u32(const struct nlattr *a)
{
	return a && nla_len(a) >= (int)sizeof(uint32_t) ? nla_get_u32(a) : 0;
}

/* The address in @a, or one of family 0 if it is absent or of another length. */
static inline struct ip attr_ip(const struct nlattr *a, uint8_t family)
{
	struct ip ip = { .family = family };

	if (!a || nla_len(a) != (int)ip_size(&ip))
		return (struct ip){ .family = 0 };
	__builtin_memcpy(ip.b, nla_data(a), ip_size(&ip));
	return ip;
}

#endif
