/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stdin: the network configuration with `ipam`, `runtimeConfig`, `args.cni` and prevResult, and
 * behind a NUL byte, CNI_ARGS. What is accepted is leased (by taking the first address of each set)
 * and planned. The first byte chooses the mode.
 */
#include "fuzz.h"

#include "cni/netconf.h"
#include "cni/result.h"

#include <sys/mman.h>
#include <unistd.h>

static const struct verb add = { .name = "ADD", .since = SPEC_0_1_0, .env = ENV_ATTACHMENT };

static void give_stdin(const void *p, size_t len)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("stdin", 0);
	must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, p, len, 0) == (ssize_t)len);
	must(lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
}

/* As the lease would fill it in. */
static void lease(const struct pool *pool, struct attachment *a)
{
	for (unsigned i = 0; i < pool->n_sets; i++) {
		const struct pool_range *range = &pool->sets[i].ranges[0];
		struct address *to = &a->addresses[a->n_addresses++];

		must(range->capacity > 0 && span_contains(&range->usable, &range->usable.first));
		to->cidr = range->subnet;
		to->cidr.ip = range->usable.first;
		to->gateway = range->gateway;
	}
	memcpy(a->routes, pool->routes, pool->n_routes * sizeof(a->routes[0]));
	a->n_routes = pool->n_routes;
}

static void attach(const struct call *c, const struct mode *mode, const struct netconf *conf)
{
	struct attachment *a = calloc(1, sizeof(*a));
	struct err e;

	must(a);
	text_copy(a->network, sizeof(a->network), c->network);
	strcpy(a->container_id, "c1");
	strcpy(a->ifname, "eth0");
	strcpy(a->netns, "/run/netns/c1");
	text_copy(a->mode, sizeof(a->mode), mode->name);
	strcpy(a->host_ifname, "vpc0");
	memcpy(a->ports, conf->ports, conf->n_ports * sizeof(a->ports[0]));
	a->n_ports = conf->n_ports;
	a->mtu = conf->mtu;
	a->ifindex = 1000;
	lease(&conf->pool, a);
	if (!mode->accept || mode->accept(a, &e) == 0)
		fuzz_plan(mode, a);
	free(a);
}

static void read_all(struct call *c)
{
	static const struct result_source source = { .what = "prevResult", .code = ERR_CONFIG };
	struct netconf *conf = calloc(1, sizeof(*conf));
	struct result *prev = calloc(1, sizeof(*prev));
	struct asked asked = { 0 };
	const struct mode *mode;
	struct err e = { 0 };
	int r;

	must(conf && prev);
	r = netconf_read(c, &mode, conf, &asked, &e);
	if (r == 0)
		r = result_read(json_get(c->root, "prevResult"), &source, prev, &e);
	if (r == 0)
		attach(c, mode, conf);
	else
		must(e.code > 0 && e.msg[0]); /* whatever is refused is refused in words */
	pool_free(&conf->pool);
	free(prev);
	free(conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end;
	const struct mode *modes[2] = { NULL };
	const struct plugin plugin = { .name = "fuzz", .help = "", .modes = modes };
	struct call c = { .plugin = &plugin,
			  .verb = &add,
			  .spec = SPEC_NEWEST,
			  .host = NETNS_NONE,
			  .nl = NETLINK_CLOSED,
			  .turn = -1 };
	char *args = NULL;
	struct err e;

	if (!size)
		return 0;
	modes[0] = fuzz_mode(data[0]);
	data++, size--;
	end = memchr(data, 0, size);
	if (end)
		args = fuzz_text(end + 1, size - (size_t)(end + 1 - data));
	give_stdin(data, end ? (size_t)(end - data) : size);
	c.env.args = args;
	c.env.ifname = "eth0";
	c.env.container_id = "c1";
	if (config_read(&c, &e) == 0)
		read_all(&c);
	call_end(&c);
	free(args);
	return 0;
}
