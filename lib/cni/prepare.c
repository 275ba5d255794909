/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADD up to the lease. Everything that can be judged is judged before anything is changed: the
 * whole configuration, prevResult, the namespace. The plan is drawn by the store's callback, inside
 * the transaction that leases the addresses, so that record, leases and plan are one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cni/flows.h"
#include "cni/gateway.h"
#include "cni/held.h"
#include "cni/prepare.h"
#include "cni/turn.h"
#include "ipam/lease.h"
#include "mode/source.h"

/*
 * How often, and how long each time, an ADD waits for what it needs: for a call that is taking the
 * holder down (5 s), and, fifty times less, for the kernel to take its namespace apart, which a
 * descriptor may keep for good.
 */
#define PATIENCE    1000
#define PATIENCE_NS 5000000
#define DYING       50
#define USUAL_STEPS 24 /* of a plan with one address of each family */
/*
 * Of so many records a mount for one sysctl costs less than a walk (sysctl_write_apart). Ids below
 * are those of a new store (SLOTS_FIRST), which grows with the 64th.
 */
#define CROWD 96

/*
 * Each page that is touched for the first time is an exception, and in a virtual machine that costs
 * 10 us and more. Nearly all up to the first steps of the plan will be: they are asked for at once.
 */
static void touch_pages(struct add *add)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)add / page * page;
	uintptr_t to = (uintptr_t)&add->plan.steps[USUAL_STEPS] / page * page;

	/* Where that is refused, each comes when it is needed. */
	madvise((void *)from, to - from, MADV_POPULATE_WRITE);
}

struct add *prepare_new(struct call *c, struct err *e)
{
	struct add *add = calloc(1, sizeof(*add));

	if (!add) {
		err_sys(e, ERR_IO, ENOMEM, "ADD");
		return NULL;
	}
	touch_pages(add);
	add->c = c;
	add->patience = PATIENCE;
	return add;
}

void prepare_free(struct add *add)
{
	if (!add)
		return;
	if (add->io_is_open)
		plan_io_close(&add->io);
	pool_free(&add->conf.pool);
	json_free(add->given_root);
	free(add->body);
	free(add);
}

int prepare_config(struct add *add, struct err *e)
{
	static const struct result_source source = { .what = "prevResult", .code = ERR_CONFIG };
	const json *prev = json_get(add->c->root, "prevResult");
	int r;

	r = netconf_read(add->c, &add->mode, &add->conf, &add->asked, e);
	/* An IPAM plugin is given what its caller got, and answers with addresses alone. */
	if (!r && !json_is_absent(prev) && !add->c->plugin->is_ipam)
		r = result_read(prev, &source, &add->result, e);
	if (r < 0 || !add->mode->has_interface || strcmp(add->c->env.ifname, "lo") != 0)
		return r;
	err_set(e, ERR_ENVIRONMENT, 0, "CNI_IFNAME: \"lo\" is the loopback interface");
	err_hint(e, "every namespace has one already; name the new interface eth0, for example");
	return -EINVAL;
}

static bool is_missing(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

/*
 * createNamespace makes what is missing; a namespace that exists is used as it is. An ADD that was
 * killed may have left its file, which goes with the record of that ADD.
 */
static bool must_make_namespace(const struct add *add)
{
	const char *path = add->c->env.netns;

	return add->conf.create_namespace && netns_name(path) &&
	       (is_missing(path) || netns_is_bare(path));
}

int prepare_task(struct add *add, struct err *e)
{
	struct netns task = NETNS_NONE;
	struct call *c = add->c;
	int r = call_host(c, e);

	if (r < 0)
		return r;
	add->a.netns_created = must_make_namespace(add);
	r = add->a.netns_created ? netns_new(&c->host, &task, e)
				 : call_task(c, add->mode, &task, e);
	if (r < 0)
		return r;
	add->a.netns_cookie = task.cookie;
	r = plan_io_open(&add->io, &c->host, &task, e);
	if (r < 0)
		netns_close(&task);
	else
		add->io_is_open = true;
	return r;
}

int prepare_name_bearers(struct add *add, uint64_t *ret, struct err *e)
{
	uint64_t tag;

	*ret = 0;
	plan_init(&add->plan, &add->a);
	plan_netns(&add->plan);
	plan_tags(&add->plan, &tag, 1);
	return add->c->store ? store_tag_count(add->c->store, tag, ret, e) : 0;
}

/*
 * A namespace that an ADD of ours made is borne by all attachments in it, or it would lose its name
 * under those that stay.
 */
static int bear_namespace(struct add *add, struct err *e)
{
	uint64_t bearers;
	int r;

	if (add->a.netns_created || !add->mode->has_interface || !netns_name(add->a.netns))
		return 0;
	r = prepare_name_bearers(add, &bearers, e);
	add->a.netns_created = bearers > 0;
	return r;
}

int prepare_attachment(struct add *add, struct err *e)
{
	struct attachment *a = &add->a;
	const struct call *c = add->c;
	const char *odd;
	int r;

	text_copy(a->network, sizeof(a->network), c->network);
	text_copy(a->container_id, sizeof(a->container_id), c->env.container_id);
	text_copy(a->ifname, sizeof(a->ifname), c->env.ifname);
	odd = args_owner(c->env.args, &a->owner);
	if (odd)
		call_warn(c, "CNI_ARGS: %s is not recorded: too long, or not printable", odd);
	text_copy(a->mode, sizeof(a->mode), add->mode->name);
	text_copy(a->netns, sizeof(a->netns), c->env.netns);
	if (c->foreign && !text_copy(a->ipam, sizeof(a->ipam), c->foreign))
		return err_set(e, ERR_CONFIG, 0, "ipam.type: \"%.80s\" is too long", c->foreign);
	memcpy(a->ports, add->conf.ports, add->conf.n_ports * sizeof(a->ports[0]));
	a->n_ports = add->conf.n_ports;
	if (add->mode->has_interface) {
		id_eni_new(a->eni_id);
		a->mac = mac_is_set(&add->conf.mac) ? add->conf.mac : id_eni_mac(a->eni_id);
	}
	r = bear_namespace(add, e);
	if (!r && add->mode->has_interface && !add->mode->host_namespace)
		r = source_find(&add->io, a, e);
	if (!r && add->mode->resolve)
		r = add->mode->resolve(&add->conf, &add->io, a, e);
	if (!r && add->mode->has_interface)
		r = result_judge_ifname(&add->result, a, e);
	return !r && add->mode->leases_ports ? ports_judge(a, e) : r;
}

/* ---- the lease ---- */

static int compose(void *ctx, struct attachment *a, const struct store_grant *grant,
		   struct store_body *ret, struct err *e)
{
	struct add *add = ctx;
	int r;

	a->ifindex = grant->boot_base + grant->id;
	a->store_mark = grant->boot_base;
	for (unsigned i = 0; i < a->n_ports; i++)
		a->ports[i].joined = add->joins[i];
	add->io.crowded = grant->id >= CROWD;
	/* Somebody may be waiting already for an address that was asked for. */
	a->new_addresses = grant->never_held && !add->c->foreign && !add->asked.n_ips;
	r = gateway_use(a, &add->asked.gateway, e);
	a->source_routed |= source_needs_table(a);
	if (!r && add->mode->accept)
		r = add->mode->accept(a, e);
	if (r < 0)
		return r;
	plan_init(&add->plan, a);
	add->mode->plan(a, &add->plan);
	ret->n_tags = plan_tags(&add->plan, ret->tags, STORE_TAGS);
	if (ret->n_tags > STORE_TAGS)
		return err_set(e, ERR_CONFIG, E2BIG,
			       "the task would share %u objects with others, at most %d are "
			       "possible: use fewer subnets or blocks of vpc.cidr",
			       ret->n_tags, STORE_TAGS);
	free(add->body);
	add->body = NULL;
	r = attachment_encode(a, &add->body, &ret->len, e);
	ret->text = add->body;
	ret->schema = ATTACHMENT_SCHEMA;
	return r;
}

/* Return: 1 if the holder is gone, 0 if it lives, HELD_UNCERTAIN or HELD_BUSY, or -errno. */
static int reclaim_once(struct add *add, const struct store_key *key, struct held *h, struct err *e)
{
	int r = held_seize(add->c, key, false, h, e);

	if (r)
		return r == STORE_ABSENT ? 1 : r;
	r = h->mode ? held_fate(add->c, h, e) : HELD_ALIVE;
	if (r == HELD_DEAD) {
		r = held_take_down(add->c, h, 0, e);
		return r < 0 ? r : 1;
	}
	return r == HELD_ALIVE ? 0 : r;
}

/*
 * A holder that stands in the way: take it down if it is dead. With a little patience for a
 * namespace that may be dying right now, and for a call that may be taking it down.
 */
static int reclaim(void *ctx, const struct store_holder *holder, struct err *e)
{
	const struct store_key key = { holder->network, holder->container_id, holder->ifname };
	const struct timespec pause = { .tv_nsec = PATIENCE_NS };
	struct add *add = ctx;
	cleanup_held struct held *h = held_new(e);
	int r;

	if (!h)
		return -ENOMEM;
	while ((r = reclaim_once(add, &key, h, e)) > 1 && add->patience > 0) {
		turn_key_end(add->c, &key);
		add->patience -= r == HELD_BUSY ? 1 : DYING;
		nanosleep(&pause, NULL);
	}
	turn_key_end(add->c, &key);
	return r > 1 ? 0 : r;
}

int prepare_gateways(struct add *add, bool dry_run, struct err *e)
{
	struct store_holder holder;
	struct ip gateway;
	int r;

	do {
		r = gateway_find_holder(add->c->store, &add->a, &holder, &gateway, e);
		if (r)
			return r == STORE_ABSENT ? 0 : r;
		r = dry_run ? 0 : reclaim(add, &holder, e);
	} while (r == 1);
	return r < 0 ? r : lease_refuse_gateway(add->c->store, &holder, &gateway, e);
}

static int clear(void *ctx, struct err *e)
{
	const struct add *add = ctx;

	return flows_clear(add->c, e);
}

static int judge(void *ctx, const struct ip *address, struct err *e)
{
	return prepare_judge(ctx, address, e);
}

int prepare_judge(struct add *add, const struct ip *address, struct err *e)
{
	const struct attachment *a = &add->a;
	uint32_t lan = a->bridge_foreign ? a->bridge_ifindex : a->master_ifindex;

	return host_address_judge(&add->io, &add->routers, lan, address, e);
}

int prepare_lease(struct add *add, bool dry_run, struct err *e)
{
	const struct lease_calls calls = { .compose = compose,
					   .judge = judge,
					   .reclaim = reclaim,
					   .join = ports_join,
					   .clear = clear,
					   .ctx = add };
	struct store_port ports[STORE_PORTS];
	struct lease_wish wish = {
		.n_statics = add->c->foreign ? 0 : add->asked.n_ips,
		.delegated = add->c->foreign,
		.dry_run = dry_run,
	};
	int r = add->mode->leases_ports ? ports_wish(add, ports, &wish, e) : 0;

	if (r < 0)
		return r;
	wish.joins = add->joins;
	memcpy(wish.statics, add->asked.ips, sizeof(wish.statics));
	memcpy(wish.sources, add->asked.ip_sources, sizeof(wish.sources));
	return lease_take(add->c->store, &add->conf.pool, &wish, &add->a, &calls, e);
}
