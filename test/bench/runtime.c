/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A runtime in small: the chain of a network, as libcni calls it. */
#include "bench.h"

#include "base/io.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TASKS_MAX  8192
#define FIRST_PORT 20000

static const char *directory[2]; /* of the peers, of ours */
static char *results[TASKS_MAX]; /* of the last ADD */

static char *program_of(const struct contestant *c, const json *plugin)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", directory[c->ours], json_string(json_get(plugin, "type"))) < 0)
		bench_fail("no memory");
	return path;
}

static bool is_complete(const struct contestant *c)
{
	bool complete = true;

	for (const json *p = json_first(c->chain); p && complete; p = json_next(p)) {
		cleanup_free char *path = program_of(c, p);

		complete = access(path, X_OK) == 0;
		if (!complete)
			fprintf(stderr, "bench: without %s: there is no %s\n", c->name, path);
	}
	return complete;
}

const struct contestants *contestants_load(const char *file, const char *own_dir,
					   const char *peer_dir)
{
	static struct contestants all;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	json *root = NULL;
	char *text = NULL;
	struct err e;
	size_t len;

	directory[0] = peer_dir;
	directory[1] = own_dir;
	if (fd < 0 || io_read_all(fd, 1 << 20, &text, &len) < 0)
		bench_fail("cannot read %s", file);
	close(fd);
	if (json_parse(text, len, file, &root, &e) < 0)
		bench_fail("%s", e.msg);
	free(text);
	for (const json *j = json_first(root); j && all.n < CONTESTANTS; j = json_next(j)) {
		int64_t ports = 0;
		struct contestant c = {
			.name = json_string(json_get(j, "name")),
			.peer = json_string(json_get(j, "peer")),
			.floor = json_string(json_get(j, "floor")),
			.ours = json_bool(json_get(j, "ours"), false),
			.chain = json_get(j, "plugins"),
		};

		if (json_integer(json_get(j, "ports"), &ports))
			c.ports = (unsigned)ports;
		if (is_complete(&c))
			all.list[all.n++] = c;
	}
	return &all;
}

const struct contestant *contestant_get(const struct contestants *all, const char *name)
{
	for (unsigned i = 0; i < all->n; i++)
		if (strcmp(all->list[i].name, name) == 0)
			return &all->list[i];
	return NULL;
}

static void add_ports(json *conf, unsigned n, unsigned task)
{
	json *list = json_add_array(json_add_object(conf, "runtimeConfig"), "portMappings");

	for (unsigned i = 0; i < n; i++) {
		json *port = json_add_object(list, NULL);

		json_add_integer(port, "hostPort", FIRST_PORT + task * n + i);
		json_add_integer(port, "containerPort", 80 + i);
		json_add_string(port, "protocol", "tcp");
	}
}

/* What libcni hands to one plugin: name and version, the runtime's wishes, the result so far. */
static char *conf_of(const struct contestant *c, const json *plugin, const char *verb,
		     const char *prev, unsigned task)
{
	bool gc = strcmp(verb, "GC") == 0;
	json *conf = json_copy(plugin), *before = NULL;
	char name[64], *text;
	struct err e;

	snprintf(name, sizeof(name), "bench-%s", c->name);
	for (char *p = name; *p; p++)
		if (*p == ' ' || *p == ',' || *p == '+')
			*p = '-';
	json_add_string(conf, "cniVersion", gc ? "1.1.0" : "1.0.0");
	if (gc)
		json_add_array(conf, "cni.dev/valid-attachments"); /* none is */
	json_add_string(conf, "name", name);
	if (c->ports)
		add_ports(conf, c->ports, task);
	if (prev && json_parse(prev, strlen(prev), "prevResult", &before, &e) == 0)
		json_add_copy(conf, "prevResult", before);
	json_free(before);
	text = json_print(conf);
	json_free(conf);
	return text;
}

struct call {
	char id[24], netns[64];
	char command[24], path[256], ifname[16], search[40];
	char *env[8];
};

static void call_prepare(struct call *call, const struct contestant *c, const char *verb,
			 unsigned task)
{
	snprintf(call->command, sizeof(call->command), "CNI_COMMAND=%s", verb);
	snprintf(call->id, sizeof(call->id), "CNI_CONTAINERID=b%u", task);
	snprintf(call->netns, sizeof(call->netns), "CNI_NETNS=" BENCH_NETNS "/b%u", task);
	snprintf(call->path, sizeof(call->path), "CNI_PATH=%s:%s", directory[c->ours],
		 directory[0]);
	call->env[0] = call->command;
	call->env[1] = call->id;
	call->env[2] = call->netns;
	strcpy(call->ifname, "CNI_IFNAME=eth0");
	strcpy(call->search, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	call->env[3] = call->ifname;
	call->env[4] = call->path;
	call->env[5] = call->search;
	call->env[6] = NULL;
}

static const json *plugin_at(const struct contestant *c, unsigned n)
{
	const json *p = json_first(c->chain);

	while (n--)
		p = json_next(p);
	return p;
}

struct run runtime_call(const struct contestant *c, const char *verb, unsigned task)
{
	bool add = strcmp(verb, "ADD") == 0, del = strcmp(verb, "DEL") == 0;
	struct run whole = { 0 };
	unsigned n = json_count(c->chain);
	char *result = NULL;
	struct call call;

	if (task >= TASKS_MAX)
		bench_fail("task %u is one too many", task);
	call_prepare(&call, c, verb, task);
	for (unsigned i = 0; i < n; i++) {
		const json *plugin = plugin_at(c, del ? n - 1 - i : i);
		cleanup_free char *program = program_of(c, plugin);
		cleanup_free char *conf =
			conf_of(c, plugin, verb, add ? result : results[task], task);
		char *const argv[] = { program, NULL };
		char *output = NULL;
		struct run run = bench_spawn(argv, call.env, conf, &output);

		whole.failed |= run.failed;
		whole.us += run.us;
		whole.cpu_us += run.cpu_us;
		free(result);
		result = output;
	}
	if (add) {
		free(results[task]);
		results[task] = result;
	} else {
		free(result);
	}
	if (del) {
		free(results[task]);
		results[task] = NULL;
	}
	return whole;
}

void runtime_addresses(unsigned task, struct in_addr *ret_own, struct in_addr *ret_gateway)
{
	const json *ip;
	json *result;
	struct err e;
	char own[64];

	if (!results[task] ||
	    json_parse(results[task], strlen(results[task]), "result", &result, &e) < 0)
		bench_fail("task %u has no result", task);
	ip = json_first(json_get(result, "ips"));
	snprintf(own, sizeof(own), "%s", json_string(json_get(ip, "address")));
	own[strcspn(own, "/")] = '\0';
	if (inet_pton(AF_INET, own, ret_own) != 1 ||
	    inet_pton(AF_INET, json_string(json_get(ip, "gateway")), ret_gateway) != 1)
		bench_fail("no IPv4 address in %s", results[task]);
	json_free(result);
}

long runtime_peak_kb(const struct contestant *c, const char *verb, unsigned task)
{
	cleanup_free char *program = program_of(c, plugin_at(c, 0));
	cleanup_free char *conf = conf_of(c, plugin_at(c, 0), verb, results[task], task);
	char *const argv[] = { program, NULL };
	struct call call;

	call_prepare(&call, c, verb, task);
	return bench_peak_kb(argv, call.env, conf);
}
