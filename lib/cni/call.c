/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs share of one call: its key, the host's namespace and store, the foreign IPAM
 * plugin, and the one way to stdout and the one way to stderr.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cni/call.h"
#include "ipam/delegate.h"

struct store_key call_key(const struct call *c)
{
	return (struct store_key){
		.network = c->network,
		.container_id = c->env.container_id,
		.ifname = c->env.ifname,
	};
}

int call_host(struct call *c, struct err *e)
{
	return c->host.fd >= 0 ? 0 : netns_self(&c->host, e);
}

int call_task(const struct call *c, const struct mode *mode, struct netns *ret, struct err *e)
{
	int r;

	if (!mode->host_namespace)
		return netns_open(c->env.netns, &c->host, ret, e);
	r = netns_open_host(c->env.netns, &c->host, ret, e);
	if (r == -EXDEV)
		err_hint(e,
			 "a container of the mode %s has no namespace of its own: start it with "
			 "`--network host` (podman, nerdctl, docker) or `hostNetwork: true` "
			 "(Kubernetes); by hand, CNI_NETNS=/proc/1/ns/net",
			 mode->name);
	return r;
}

int call_netlink(struct call *c, struct err *e)
{
	int r = call_host(c, e);

	if (r < 0 || c->nl.fd >= 0)
		return r;
	return netlink_open(NETLINK_ROUTE, &c->host, &c->host, &c->nl, e);
}

int call_store(struct call *c, enum store_access access, struct err *e)
{
	char warn[512] = "";
	int r;

	store_close(c->store);
	c->store = NULL;
	r = store_open(c->data_dir, access, &c->store, warn, sizeof(warn), e);
	if (warn[0])
		call_warn(c, "%s", warn);
	return r;
}

int call_answer(struct call *c, const char *text, struct err *e)
{
	int r;

	c->answered = true;
	r = io_write_all(STDOUT_FILENO, text, strlen(text));
	if (!r)
		r = io_write_all(STDOUT_FILENO, "\n", 1);
	return r < 0 ? err_sys(e, ERR_IO, -r, "stdout: cannot write the answer") : 0;
}

bool call_names_itself(const struct call *c)
{
	return c->foreign && !strcmp(c->foreign, c->plugin->name);
}

int call_delegate(struct call *c, const char *verb, char **ret_out, struct err *e)
{
	const struct delegate_call d = { .type = c->foreign,
					 .verb = verb,
					 .cni_path = c->env.path,
					 .config = c->config,
					 .config_len = c->config_len };

	return d.type && !call_names_itself(c) ? delegate_run(&d, ret_out, e) : 0;
}

void call_warn(const struct call *c, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: warning: %s\n", c->plugin->name, line);
}

void call_end(struct call *c)
{
	if (c->turn >= 0)
		close(c->turn); /* and its locks with it */
	store_close(c->store);
	netlink_close(&c->nl);
	netns_close(&c->host);
	json_free(c->root);
	free(c->config);
}
