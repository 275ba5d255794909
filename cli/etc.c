/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts, hostname and resolv.conf, as container engines make them. DNS servers are those of the
 * result; without any, the host's, save those on the host's loopback, which a task cannot reach.
 */
#include "etc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ip.h"
#include "base/text.h"
#include "files.h"

#define ETC_MAX 65536
/* Where systemd-resolved writes the servers that it asks itself. */
#define RESOLVED "/run/systemd/resolve/resolv.conf"

static char *read_text(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	size_t len;

	if (fd < 0 || io_read_all(fd, ETC_MAX / 2, &text, &len) < 0)
		return NULL;
	return text;
}

/* ---- resolv.conf ---- */

static void add_words(struct text *t, const char *keyword, const json *list, bool a_line_each)
{
	for (const json *i = json_first(list); i; i = json_next(i)) {
		const char *word = json_string(i);
		bool first = i == json_first(list);

		if (first || a_line_each)
			text_add(t, "%s%s", first ? "" : "\n", keyword);
		text_add(t, " %s", word ? word : "");
	}
	text_add(t, "%s", json_count(list) ? "\n" : "");
}

static bool of_result(const json *dns, struct text *t)
{
	const char *domain = json_string(json_get(dns, "domain"));

	add_words(t, "nameserver", json_get(dns, "nameservers"), true);
	if (domain && *domain && !json_count(json_get(dns, "search")))
		text_add(t, "search %s\n", domain);
	add_words(t, "search", json_get(dns, "search"), false);
	add_words(t, "options", json_get(dns, "options"), false);
	return json_count(json_get(dns, "nameservers")) > 0;
}

/* What was asked for with --dns. Return: whether there is a server. */
static bool of_wish(const json *dns, struct text *t)
{
	add_words(t, "nameserver", json_get(dns, "servers"), true);
	return json_count(json_get(dns, "servers")) > 0;
}

static bool is_loopback_server(const char *line)
{
	char word[IP_TEXT];
	struct ip ip;

	return sscanf(line, "nameserver %47s", word) == 1 && ip_parse(word, &ip) &&
	       ip_is_loopback(&ip);
}

/* Return: whether a server is left. */
static bool of_host(const char *path, bool own_net, struct text *t)
{
	cleanup_free char *text = read_text(path);
	char *rest = text, *line;
	bool left = false;

	while ((line = strsep(&rest, "\n"))) {
		if (!*line || (own_net && is_loopback_server(line)))
			continue;
		left = left || !strncmp(line, "nameserver", 10);
		text_add(t, "%s\n", line);
	}
	return left;
}

/* Servers of the wish, of the result, of the host: the first of these that has one. */
static bool find_servers(const struct task *t, const json *wish, bool own_net, struct text *text)
{
	bool found = of_wish(wish, text);

	if (found)
		return true;
	text_init(text, text->buf, text->size);
	if (of_result(json_get(json_get(t->doc, "result"), "dns"), text))
		return true;
	text_init(text, text->buf, text->size);
	if (of_host("/etc/resolv.conf", own_net, text) || !own_net)
		return true;
	text_init(text, text->buf, text->size);
	return of_host(RESOLVED, own_net, text);
}

/* Other than on loopback, which is all that the mode none gives. */
static bool has_address(const struct task *t)
{
	const json *ips = json_get(json_get(t->doc, "result"), "ips");
	struct cidr cidr;

	for (const json *i = json_first(ips); i; i = json_next(i)) {
		const char *text = json_string(json_get(i, "address"));

		if (text && cidr_parse(text, &cidr) && !ip_is_loopback(&cidr.ip))
			return true;
	}
	return false;
}

static int write_resolv(const struct task *t, bool own_net, char *buf, struct err *e)
{
	const json *wish = json_get(json_get(t->doc, "runtimeConfig"), "dns");
	char path[PATH_MAX];
	struct text text;
	bool found;
	int r;

	text_init(&text, buf, ETC_MAX);
	found = find_servers(t, wish, own_net, &text);
	/* Of several lines the last one holds. */
	add_words(&text, "search", json_get(wish, "searches"), false);
	if (!file_path(path, t->dir, "resolv", ".conf"))
		return 0;
	r = file_write_text(path, buf, 0644, e);
	if (r < 0 || found)
		return r;
	return has_address(t) ? ETC_NO_SERVER : 0;
}

/* ---- hosts ---- */

static void add_host_lines(const struct task *t, bool own_net, struct text *text)
{
	const json *ips = json_get(json_get(t->doc, "result"), "ips");

	if (!own_net) {
		text_add(text, "127.0.1.1 %s\n", t->name);
		return;
	}
	for (const json *i = json_first(ips); i; i = json_next(i)) {
		const char *address = json_string(json_get(i, "address"));

		if (address)
			text_add(text, "%.*s %s\n", (int)strcspn(address, "/"), address, t->name);
	}
}

/*
 * The router of a task is the host, where a plugin of ours attached it by a veth pair or a bridge.
 * On a LAN (macvlan) it is another machine, and the host is out of reach.
 */
static void add_host(const struct task *t, struct text *text)
{
	const json *plugin = json_first(json_get(json_get(t->doc, "network"), "plugins"));
	const char *type = json_string(json_get(plugin, "type"));
	const char *attach = json_string(json_get(plugin, "attach"));
	const json *ips = json_get(json_get(t->doc, "result"), "ips");

	if (!type || (strcmp(type, "awsvpc") && strcmp(type, "task-bridge")) ||
	    (attach && !strcmp(attach, "macvlan")))
		return;
	for (const json *i = json_first(ips); i; i = json_next(i)) {
		const char *gateway = json_string(json_get(i, "gateway"));

		if (gateway)
			text_add(text, "%s " ETC_HOST_NAME "\n", gateway);
	}
}

static int write_hosts(const struct task *t, bool own_net, char *buf, struct err *e)
{
	cleanup_free char *host = own_net ? NULL : read_text("/etc/hosts");
	char path[PATH_MAX];
	struct text text;

	text_init(&text, buf, ETC_MAX);
	if (host)
		text_add(&text, "%s\n", host);
	else
		text_add(&text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
	add_host_lines(t, own_net, &text);
	if (own_net)
		add_host(t, &text);
	else
		text_add(&text, "127.0.0.1 " ETC_HOST_NAME "\n");
	return file_path(path, t->dir, "hosts", "") ? file_write_text(path, buf, 0644, e) : 0;
}

int etc_write(const struct task *t, bool own_net, struct err *e)
{
	cleanup_free char *buf = malloc(ETC_MAX);
	char path[PATH_MAX], name[TASK_NAME_MAX + 2];
	int r;

	if (!buf)
		return err_sys(e, ERR_IO, ENOMEM, "/etc/hosts");
	snprintf(name, sizeof(name), "%s\n", t->name);
	r = file_path(path, t->dir, "hostname", "") ? file_write_text(path, name, 0644, e) : 0;
	if (!r)
		r = write_hosts(t, own_net, buf, e);
	return r < 0 ? r : write_resolv(t, own_net, buf, e);
}
