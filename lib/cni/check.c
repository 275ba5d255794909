/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CHECK: prevResult against the record, the record's plan against the kernel. What later plugins of
 * the chain added or changed lawfully (more addresses and routes, the task's routes in another
 * table, another MAC, told by prevResult) is no difference.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cni/held.h"
#include "cni/result.h"

static int check_error(struct err *e, const char *hint)
{
	e->code = ERR_CHECK;
	err_hint(e, "%s", hint);
	return -EUCLEAN;
}

static int read_prev(struct call *c, struct result *ret, struct err *e)
{
	static const struct result_source source = { .what = "prevResult", .code = ERR_CONFIG };
	const json *prev = json_get(c->root, "prevResult");

	if (!json_is_absent(prev))
		return result_read(prev, &source, ret, e);
	err_set(e, ERR_CONFIG, 0, "prevResult: missing, CHECK needs it");
	err_hint(e, "it is the result of the last plugin's ADD");
	return -EINVAL;
}

static int find_record(struct call *c, struct held *h, struct err *e)
{
	const struct store_key key = call_key(c);
	int r = call_store(c, STORE_READ, e);

	if (!r)
		r = held_get(c, &key, h, e);
	if (r == STORE_ABSENT) {
		err_set(e, ERR_CHECK, EUCLEAN,
			"no record of container %s, interface %s, network %s", key.container_id,
			key.ifname, key.network);
		return check_error(e, "its addresses are not reserved: DEL and ADD it again");
	}
	return r < 0 ? r : held_needs_mode(c, h, e);
}

/* A mode without records: its plan needs nothing but the namespace. */
static int draw_stateless(const struct call *c, struct held *h)
{
	memset(&h->a, 0, sizeof(h->a));
	text_copy(h->a.netns, sizeof(h->a.netns), c->env.netns);
	h->mode = c->plugin->modes[0];
	h->mode->plan(&h->a, &h->plan);
	return 0;
}

static bool has_address(const struct result *r, const struct cidr *address)
{
	for (unsigned i = 0; i < r->n_ips; i++)
		if (cidr_equal(&r->ips[i].address, address))
			return true;
	return false;
}

static int judge_addresses(const struct result *prev, const struct attachment *a, struct err *e)
{
	char text[IP_TEXT], list[256];
	struct text t;

	for (unsigned i = 0; i < a->n_addresses; i++) {
		if (has_address(prev, &a->addresses[i].cidr))
			continue;
		text_init(&t, list, sizeof(list));
		for (unsigned k = 0; k < prev->n_ips; k++)
			text_add(&t, " %s", cidr_text(&prev->ips[k].address, text));
		err_set(e, ERR_CHECK, EUCLEAN,
			"prevResult: lacks %s, an address of the attachment; it has%s",
			cidr_text(&a->addresses[i].cidr, text), t.len ? list : " none");
		return check_error(e, "the result is of another attachment: DEL and ADD it again");
	}
	return 0;
}

/* The MAC that prevResult tells of our interface. Return: whether there is one. */
static bool prev_mac(const struct result *prev, const char *ifname, struct mac *ret)
{
	for (unsigned i = 0; i < prev->n_interfaces; i++) {
		const struct result_interface *f = &prev->interfaces[i];

		if (f->sandbox && *f->sandbox && !strcmp(f->name, ifname))
			return f->mac && mac_parse(f->mac, ret);
	}
	return false;
}

static int check_plan(struct call *c, struct held *h, const struct result *prev, struct err *e)
{
	struct netns task = NETNS_NONE;
	struct plan_io io;
	struct mac mac;
	int r;

	r = call_host(c, e);
	if (!r)
		r = call_task(c, h->mode, &task, e);
	if (r < 0)
		return r;
	if (!h->mode->stateless && task.cookie != h->a.netns_cookie) {
		netns_close(&task);
		err_set(e, ERR_CHECK, EUCLEAN,
			"CNI_NETNS: %s is not the namespace of the attachment", c->env.netns);
		return check_error(e, "the container has a new namespace: DEL and ADD it again");
	}
	r = plan_io_open(&io, &c->host, &task, e);
	if (r < 0) {
		netns_close(&task);
		return r;
	}
	r = plan_check(&h->plan, &io, prev_mac(prev, h->a.ifname, &mac) ? &mac : NULL, e);
	plan_io_close(&io);
	return r;
}

/* The link was made before its addresses were known: prevResult tells them. */
static void take_addresses(struct held *h, const struct result *prev)
{
	struct attachment *a = &h->a;

	if (!a->ipam[0] || !h->mode->link_first || !h->mode->link_first(a))
		return;
	for (unsigned i = 0; i < prev->n_ips && a->n_addresses < STORE_ADDRESSES; i++) {
		int n = prev->ips[i].interface;

		if (n >= 0 && (unsigned)n < prev->n_interfaces && prev->interfaces[n].sandbox &&
		    strcmp(prev->interfaces[n].name, a->ifname) == 0)
			a->addresses[a->n_addresses++].cidr = prev->ips[i].address;
	}
	h->mode->plan(a, &h->plan);
}

static int check_own(struct call *c, struct held *h, struct result *prev, struct err *e)
{
	int r = read_prev(c, prev, e);

	if (!r)
		r = c->plugin->modes[0]->stateless ? draw_stateless(c, h) : find_record(c, h, e);
	if (!r) {
		take_addresses(h, prev);
		r = judge_addresses(prev, &h->a, e);
	}
	return r < 0 ? r : check_plan(c, h, prev, e);
}

int check_run(struct call *c, struct err *e)
{
	cleanup_held struct held *h = held_new(e);
	struct result *prev = h ? calloc(1, sizeof(*prev)) : NULL;
	int r;

	if (!prev)
		return err_sys(e, ERR_IO, ENOMEM, "CHECK");
	r = check_own(c, h, prev, e);
	free(prev);
	return r < 0 ? r : call_delegate(c, "CHECK", NULL, e);
}
