/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An element of a map of published ports that another attachment of the same container may have
 * already. It is added if the key is free, and left out if the key leads to the same port of the
 * container by another network. Restoring after a DEL of that one adds it.
 */
#include "plan/io.h"

#include <errno.h>
#include <string.h>

#define LINE 256

/* Where the key leads now. @ret: a copy of the element. Return: 0, 1 if it is free, or -errno. */
static int look(const struct step *s, struct plan_io *io, struct nft_element *ret, struct err *e)
{
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	*ret = s->element.element;
	return r < 0 ? r : nft_map_get(nl, s->element.table, ret, e);
}

static bool is_ours(const struct step *s, const struct nft_element *now)
{
	return ip_equal(&now->data[0].net.ip, &s->element.element.data[0].net.ip) &&
	       now->data[1].number == s->element.element.data[1].number;
}

/* A transaction of one element. */
static int send(const struct step *s, struct plan_io *io,
		void (*put)(struct batch *b, const char *table, const struct nft_element *el),
		struct err *e)
{
	struct batch_failure failure = { .owner = 0 };
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	if (r < 0)
		return r;
	nft_begin(io->batch);
	put(io->batch, s->element.table, &s->element.element);
	nft_commit(io->batch);
	return batch_send(io->batch, nl, &failure, e);
}

static int add_if_free(const struct step *s, struct plan_io *io, struct err *e)
{
	struct nft_element now;
	int r = look(s, io, &now, e);

	if (r == 1)
		return send(s, io, nft_element_add, e);
	if (r == 0 && now.data[1].number != s->element.element.data[1].number)
		return err_set(e, ERR_KERNEL, EEXIST, "the host port leads to port %u already",
			       now.data[1].number);
	return r;
}

/* A key that was dropped a moment ago is taken until it has expired. */
static int join_apply(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	int r = add_if_free(s, io, e);

	(void)p;
	if (r != -EEXIST)
		return r;
	nft_wait_expired();
	return add_if_free(s, io, e);
}

static int join_undo(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	struct nft_element now;
	int r = look(s, io, &now, e);

	(void)p;
	if (r != 0 || !is_ours(s, &now))
		return r < 0 ? r : 0;
	io->expiring = true;
	return send(s, io, nft_element_drop, e);
}

static int join_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	struct nft_element now;
	char line[LINE];
	struct text t;
	int r = look(s, io, &now, e);

	(void)p;
	if (r < 0 || (r == 0 && now.data[1].number == s->element.element.data[1].number))
		return r;
	text_init(&t, line, sizeof(line));
	nft_element_print("get", s->element.table, &s->element.element, &t);
	err_set(e, ERR_CHECK, 0, "an nftables element of the task %s: %s",
		r ? "is gone" : "leads to another port", line);
	return 1;
}

static void print_key(const char *verb, const struct step *s, struct text *t)
{
	struct nft_element key = s->element.element;

	key.n_data = 0;
	nft_element_print(verb, s->element.table, &key, t);
}

static void join_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	char ip[IP_TEXT];

	(void)p;
	print_key("get", s, t);
	if (undo)
		text_add(t, " | grep -qF ' : %s . %u ' && ",
			 ip_text(&s->element.element.data[0].net.ip, ip),
			 s->element.element.data[1].number);
	else
		text_add(t, " >/dev/null 2>&1 || ");
	nft_element_print(undo ? "delete" : "add", s->element.table, &s->element.element, t);
}

const struct step_kind step_join = {
	.name = "join",
	.via = VIA_CALL,
	.apply = join_apply,
	.undo = join_undo,
	.check = join_check,
	.print = join_print,
};
