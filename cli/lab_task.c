/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task of the lab: a namespace and an ADD, timed; a DEL, timed, and the namespace is gone. */
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "chain.h"
#include "kernel/link.h"
#include "lab.h"
#include "network.h"
#include "wire.h"

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool uses_host(const struct lab *lab)
{
	return !strcmp(network_mode(lab->list), "host");
}

static struct chain chain_of(const struct lab *lab, const struct lab_task *t, char *path)
{
	snprintf(path, PATH_MAX, NETNS_DIR "/%s", t->name);
	return (struct chain){ .list = t->list,
			       .runtime = t->runtime,
			       .container_id = t->name,
			       .netns = uses_host(lab) ? "/proc/self/ns/net" : path,
			       .ifname = "eth0",
			       .path = lab->path };
}

static json *ports(unsigned port)
{
	json *runtime = json_object(), *one;

	if (!port)
		return runtime;
	one = json_add_object(json_add_array(runtime, "portMappings"), NULL);
	json_add_integer(one, "hostPort", port);
	json_add_integer(one, "containerPort", port);
	json_add_string(one, "protocol", "tcp");
	return runtime;
}

static int make_namespace(const struct lab *lab, const char *path, struct netns *ret, struct err *e)
{
	int r;

	if (uses_host(lab))
		return netns_self(ret, e);
	r = netns_new(&lab->host, ret, e);
	if (r == 0)
		r = netns_bind(ret, path, e);
	return r < 0 ? r : link_raise_loopback(ret, &lab->host, e);
}

static void read_gateway(struct lab_task *t)
{
	const json *ip = json_first(json_get(t->result, "ips"));
	const char *text = json_string(json_get(ip, "gateway"));

	t->gateway = text ? wire_ip(text) : (struct ip){ .family = 0 };
}

int lab_attach(struct lab *lab, const json *list, const char *name, unsigned port,
	       struct lab_task *ret, struct err *e)
{
	struct lab_task t = { .ns = NETNS_NONE, .list = json_copy(list) };
	char path[PATH_MAX];
	struct chain chain;
	double start;
	int r;

	snprintf(t.name, sizeof(t.name), "%s", name);
	t.runtime = ports(lab->mode->publishes ? port : 0);
	chain = chain_of(lab, &t, path);
	start = now_us();
	r = make_namespace(lab, path, &t.ns, e);
	if (r == 0)
		r = chain_add(&chain, &t.result, NULL, e);
	t.start_us = now_us() - start;
	if (r == 0)
		read_gateway(&t);
	if (r == 0 && wire_nic(lab, &t.ns, &t.nic) < 0)
		r = err_set(e, ERR_KERNEL, EIO, "cannot look into the namespace of %s", name);
	*ret = t;
	return r;
}

int lab_detach(struct lab *lab, struct lab_task *t, struct err *e)
{
	char path[PATH_MAX];
	const struct chain chain = chain_of(lab, t, path);
	struct err ignored;
	double start = now_us();
	int r = chain_del(&chain, t->result, CHAIN_UNKNOWN, e);

	if (t->ns.fd >= 0 && !uses_host(lab))
		netns_unbind(path, t->ns.cookie, &ignored);
	netns_close(&t->ns);
	t->stop_us = now_us() - start;
	json_free(t->list);
	json_free(t->runtime);
	json_free(t->result);
	t->list = t->runtime = t->result = NULL;
	return r;
}

/* a as well: on a bridge with hairpin ports it hears its own lies, and believes them. */
void lab_again(struct lab *lab)
{
	struct err *e = &lab->broken;

	if (lab_detach(lab, &lab->a, e) == 0 && lab_detach(lab, &lab->b, e) == 0 &&
	    lab_attach(lab, lab->list, "a", TASK_PORT, &lab->a, e) == 0)
		lab_attach(lab, lab->list, "b", 0, &lab->b, e);
}
