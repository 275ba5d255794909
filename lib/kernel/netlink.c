/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink: sockets in a given namespace, batches, questions, and the kernel's own words. libnl
 * builds the messages; sending is done here, because libnl sends one at a time and keeps no
 * extended ACK.
 */
#include "kernel/netlink.h"

#include "base/text.h"
#include "kernel/link.h"
#include "kernel/message.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_S 20 /* the kernel answers at once; this only bounds a hang */
#define DUMP_TRIES       16
#define ERRNO_MAX        4095 /* MAX_ERRNO of include/linux/err.h */
#define ANSWER_END       8
#define DUMP_BYTES       8192 /* the kernel makes a dump's parts as long as what they are read into */
/* of a batch: an error with the kernel's words. Longer is only what tells of a link: that is cut
 * off, and passed over. */
#define ANSWER_BYTES (2048 + ANSWER_END)

static int socket_options(int fd)
{
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	struct timeval limit = { .tv_sec = ANSWER_TIMEOUT_S };
	int one = 1;

	/* NFNETLINK knows no strict checking: an option that is refused is only a nicety lost. */
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		setsockopt(fd, SOL_NETLINK, options[i], &one, sizeof(one));
	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

int netlink_open(int protocol, const struct netns *ns, const struct netns *host,
		 struct netlink *ret, struct err *e)
{
	bool away = ns->cookie != host->cookie;
	int r = away ? netns_enter(ns, e) : 0;

	ret->fd = -1;
	ret->seq = 0;
	if (r < 0)
		return r;
	ret->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (ret->fd < 0 || socket_options(ret->fd) < 0)
		r = err_sys(e, ERR_KERNEL, errno, "cannot open a netlink socket (protocol %d)",
			    protocol);
	if (away)
		netns_return(host);
	if (r < 0)
		netlink_close(ret);
	return r;
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	nl->fd = -1;
}

void batch_reset(struct batch *b)
{
	b->len = 0;
	b->n = 0;
	b->error = 0;
	b->ack = 0;
	b->transaction = false;
}

/* More than any step has, and the commit of a transaction. */
#define STEP_REQUESTS 8
#define STEP_BYTES    2048

bool batch_has_room(const struct batch *b)
{
	return b->n + STEP_REQUESTS <= BATCH_REQUESTS && b->len + STEP_BYTES <= BATCH_BYTES;
}

void batch_add(struct batch *b, struct nl_msg *msg, uint32_t tolerate)
{
	struct nlmsghdr *h = msg ? nlmsg_hdr(msg) : NULL;
	size_t len = h ? NLMSG_ALIGN(h->nlmsg_len) : 0;

	if (!h) {
		b->error = b->error ? b->error : -ENOMEM;
		return;
	}
	if (b->n == BATCH_REQUESTS || b->len + len > BATCH_BYTES) {
		b->error = b->error ? b->error : -EMSGSIZE;
	} else {
		memset(b->bytes + b->len, 0, len);
		memcpy(b->bytes + b->len, h, h->nlmsg_len);
		b->owners[b->n] = b->owner;
		b->tolerate[b->n] = tolerate;
		b->ack = b->n++;
		b->len += len;
	}
	nlmsg_free(msg);
}

static bool tolerated(uint32_t tolerate, int error)
{
	switch (error) {
	case 0:
		return true;
	case EEXIST:
		return tolerate & TOLERATE_EXISTS;
	case ENOENT:
	case ENODEV:
	case ESRCH:
	case EADDRNOTAVAIL:
	case ENXIO:
		return tolerate & TOLERATE_ABSENT;
	default:
		return false;
	}
}

/* The kernel's sentence behind an error message (NLMSGERR_ATTR_MSG), or the empty string. */
static void extended_ack(const struct nlmsghdr *h, char *ret, size_t size)
{
	const struct nlmsgerr *error = message_data(h);
	size_t skip = sizeof(*error);
	const struct nlattr *a;

	ret[0] = '\0';
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || h->nlmsg_len < NLMSG_HDRLEN + skip)
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof(error->msg);
	if (h->nlmsg_len < NLMSG_HDRLEN + skip)
		return;
	a = nla_find((const struct nlattr *)((const char *)error + skip),
		     (int)(h->nlmsg_len - NLMSG_HDRLEN - skip), NLMSGERR_ATTR_MSG);
	if (a && nla_len(a) > 0 && ((const char *)nla_data(a))[nla_len(a) - 1] == '\0')
		text_printable(ret, size, nla_data(a));
}

/* The errno that an answer tells, positive; what is none, or is cut off, is EPROTO. */
static int answer_error(const struct nlmsghdr *h)
{
	const struct nlmsgerr *answer = message_data(h);

	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(answer->error))
		return h->nlmsg_type == NLMSG_DONE ? 0 : EPROTO;
	return answer->error > 0 || answer->error < -ERRNO_MAX ? EPROTO : -answer->error;
}

static int kernel_error(struct err *e, int error, const char *text)
{
	/* as strerror(), without its search for a translation: that a link is absent is no rare
	 * answer */
	const char *word = strerrordesc_np(error);

	return err_set(e, ERR_KERNEL, error, "%s%s%s", text, text[0] ? ": " : "",
		       word ? word : strerror(error));
}

/* Number the requests and ask for one acknowledgement, of the last that can be acknowledged. */
static void stamp(struct batch *b, struct netlink *nl)
{
	unsigned i = 0;

	for (size_t at = 0; at < b->len; i++) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)(b->bytes + at);

		h->nlmsg_seq = nl->seq + i;
		h->nlmsg_flags |= NLM_F_REQUEST | (i == b->ack ? NLM_F_ACK : 0);
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
}

static int send_all(struct netlink *nl, const void *bytes, size_t len, struct err *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do
		n = sendto(nl->fd, bytes, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot send to the kernel");
	return 0;
}

ssize_t netlink_receive(int fd, void *buf, size_t size, int flags)
{
	for (;;) {
		struct sockaddr_nl from = { .nl_pid = 0 };
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, size, flags, (struct sockaddr *)&from, &len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || from.nl_pid == 0)
			return n;
		if (flags & MSG_PEEK)
			recvfrom(fd, buf, 0, MSG_DONTWAIT, NULL, NULL);
	}
}

/*
 * What the kernel has sent, or with MSG_PEEK | MSG_TRUNC and no @buf how long it is. The last
 * ANSWER_END bytes of @buf are kept free: what is received ends in zeros, so that who reads a
 * number or a text out of an attribute that was cut off stays within the buffer.
 */
static ssize_t receive(struct netlink *nl, char *buf, size_t size, int flags, struct err *e)
{
	ssize_t n = netlink_receive(nl->fd, buf, buf ? size - ANSWER_END : 0, flags);

	if (n < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot receive from the kernel");
	if (buf)
		memset(buf + n, 0, ANSWER_END);
	return n;
}

/* One answer of a batch. Return: 1 if it is the last. What comes after it has an old number. */
static int take_answer(const struct batch *b, uint32_t first, const struct nlmsghdr *h,
		       struct batch_failure *f)
{
	uint32_t i = h->nlmsg_seq - first;
	int error;

	if (h->nlmsg_type != NLMSG_ERROR || i >= b->n)
		return 0;
	error = answer_error(h);
	if (error && tolerated(b->tolerate[i], error))
		f->tolerated = true;
	else if (error && !f->error) {
		f->error = error;
		f->owner = b->owners[i];
		extended_ack(h, f->text, sizeof(f->text));
	}
	return i == b->ack || (b->transaction && i == 0 && error);
}

/* An answer to link_sync(). It may be cut off, its header is not. */
static void take_link(const struct nlmsghdr *h, ssize_t n, struct batch_failure *f)
{
	const struct ifinfomsg *link = message_data(h);

	if (n >= (ssize_t)(NLMSG_HDRLEN + sizeof(*link)) && h->nlmsg_type == RTM_NEWLINK)
		f->carrier_pending |= link_carrier_pending(link->ifi_flags);
}

/* What answers a question is handed on. */
struct reader {
	netlink_reply_fn *reply; /* NULL: nothing was asked */
	void *ctx;
};

static void take_reply(const struct batch *b, uint32_t first, const struct nlmsghdr *h,
		       const struct reader *to)
{
	if (to->reply && h->nlmsg_type != NLMSG_ERROR && h->nlmsg_seq - first < b->n)
		to->reply(to->ctx, h);
}

static int collect(const struct batch *b, struct netlink *nl, const struct reader *to,
		   struct batch_failure *f, struct err *e)
{
	_Alignas(8) char buf[ANSWER_BYTES];

	for (;;) {
		ssize_t n = receive(nl, buf, sizeof(buf), 0, e);
		int left = (int)n;

		if (n < 0)
			return (int)n;
		take_link((void *)buf, n, f);
		for (struct nlmsghdr *h = (void *)buf; nlmsg_ok(h, left);
		     h = nlmsg_next(h, &left)) {
			take_reply(b, nl->seq, h, to);
			if (take_answer(b, nl->seq, h, f) == 1)
				return 0;
		}
	}
}

static int send_and_collect(struct batch *b, struct netlink *nl, const struct reader *to,
			    struct batch_failure *failure, struct err *e)
{
	int r;

	memset(failure, 0, sizeof(*failure));
	if (b->error)
		r = err_sys(e, ERR_KERNEL, -b->error, "cannot build the netlink requests");
	else if (b->n == 0)
		r = 0;
	else {
		stamp(b, nl);
		r = send_all(nl, b->bytes, b->len, e);
		if (r == 0)
			r = collect(b, nl, to, failure, e);
		if (r == 0 && failure->error)
			r = kernel_error(e, failure->error, failure->text);
	}
	nl->seq += b->n;
	batch_reset(b);
	return r;
}

int batch_send(struct batch *b, struct netlink *nl, struct batch_failure *failure, struct err *e)
{
	const struct reader none = { .reply = NULL };

	return send_and_collect(b, nl, &none, failure, e);
}

int netlink_ask_all(struct netlink *nl, struct batch *b, netlink_reply_fn *reply, void *ctx,
		    struct err *e)
{
	const struct reader to = { reply, ctx };
	struct batch_failure failure;

	return send_and_collect(b, nl, &to, &failure, e);
}

struct ask {
	netlink_reply_fn *reply;
	void *ctx;
	uint32_t seq;
	bool interrupted, done;
};

/* Return: 0, or the error that the kernel or @reply gave. */
static int ask_take(struct ask *a, const struct nlmsghdr *h, struct err *e)
{
	if (h->nlmsg_seq != a->seq) /* NOLINT(clang-analyzer-core.*): the kernel has written it */
		return 0;
	a->interrupted |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		int error = answer_error(h);
		char text[192] = "";

		a->done = true;
		if (error == 0)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR)
			extended_ack(h, text, sizeof(text));
		return kernel_error(e, error, text);
	}
	return a->reply ? a->reply(a->ctx, h) : 0;
}

/* Room for one answer, as long as the longest yet. On the heap, which is in use already: the stack
 * would be new pages. */
struct room {
	void *p;
	size_t size;
};

static bool make_room(struct room *room, size_t size)
{
	void *p;

	if (size <= room->size)
		return true;
	p = realloc(room->p, size);
	if (!p)
		return false;
	room->p = p;
	room->size = size;
	return true;
}

/* One answer may be longer than any other: a link tells of all its names. What does not fit is
 * lost, so its length is asked for first. */
static ssize_t receive_whole(struct netlink *nl, struct room *room, struct err *e)
{
	ssize_t n = receive(nl, NULL, 0, MSG_PEEK | MSG_TRUNC, e);

	if (n < 0)
		return n;
	if (!make_room(room, (size_t)n + ANSWER_END))
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot receive from the kernel");
	return receive(nl, room->p, room->size, 0, e);
}

static int ask_once(struct netlink *nl, struct nlmsghdr *h, struct room *room, struct ask *a,
		    struct err *e)
{
	int r;

	a->seq = h->nlmsg_seq = nl->seq++;
	r = send_all(nl, h, h->nlmsg_len, e);
	while (r == 0 && !a->done) {
		ssize_t n = receive_whole(nl, room, e);
		int left = (int)n;

		if (n < 0)
			return (int)n;
		for (struct nlmsghdr *m = room->p; r == 0 && nlmsg_ok(m, left);
		     m = nlmsg_next(m, &left))
			r = ask_take(a, m, e);
	}
	return r;
}

int netlink_ask(struct netlink *nl, struct nl_msg *msg, netlink_reply_fn *reply,
		void (*begin)(void *ctx), void *ctx, struct err *e)
{
	struct room room = { .p = NULL };
	struct nlmsghdr *h;
	bool dump;
	int r = 0;

	if (!msg)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot build a netlink request");
	h = nlmsg_hdr(msg);
	dump = h->nlmsg_flags & NLM_F_DUMP;
	h->nlmsg_flags |= NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK);
	if (dump)
		make_room(&room, DUMP_BYTES);
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct ask a = { .reply = reply, .ctx = ctx };

		if (begin)
			begin(ctx);
		r = ask_once(nl, h, &room, &a, e);
		if (r < 0 || !a.interrupted)
			break;
		r = err_sys(e, ERR_KERNEL, EAGAIN, "the kernel's tables kept changing while read");
	}
	free(room.p);
	nlmsg_free(msg);
	return r;
}
