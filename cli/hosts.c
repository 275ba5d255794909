/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files are mounted in containers, so they are written in place: a rename would not be seen. */
#include "hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/ip.h"
#include "base/text.h"
#include "files.h"

#define MARK       "# tasks of the network (taskvpc writes what follows)\n"
#define HOSTS_SIZE (128u << 10)
#define LOCK       STATE_DIR "/.hosts"

struct tasks {
	const char *network;
	json *list; /* of {name, dir, addresses} */
};

/* A task of that name would hide what every host has. */
static bool is_kept_name(const char *name)
{
	static const char *const kept[] = { "localhost", "ip6-", "broadcasthost", "host." };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (!strncasecmp(name, kept[i], strlen(kept[i])))
			return true;
	return false;
}

static int gather_task(void *ctx, const char *name, struct err *e)
{
	struct tasks *all = ctx;
	cleanup_task struct task t = TASK_NONE;
	const char *network, *mode;
	json *one, *addresses;

	if (task_open(name, &t, e) < 0)
		return 0;
	network = json_string(json_get(json_get(t.doc, "network"), "name"));
	mode = json_string(json_get(t.doc, "mode"));
	if (!network || strcmp(network, all->network) != 0 || !mode || !strcmp(mode, "host"))
		return 0;
	one = json_add_object(all->list, NULL);
	json_add_string(one, "name", name);
	json_add_string(one, "dir", t.dir);
	addresses = json_add_array(one, "addresses");
	for (const json *i = json_first(json_get(json_get(t.doc, "result"), "ips")); i;
	     i = json_next(i)) {
		const char *text = json_string(json_get(i, "address"));
		struct cidr cidr;

		if (text && cidr_parse(text, &cidr) && !ip_is_loopback(&cidr.ip))
			json_add_string(addresses, NULL, text);
	}
	return json_count(all->list) > HOSTS_TASKS; /* enough to know that none is named */
}

static void add_names(const json *list, const char *but, struct text *t)
{
	char text[IP_TEXT];
	struct cidr cidr;

	for (const json *one = json_first(list); one; one = json_next(one)) {
		const char *name = json_string(json_get(one, "name"));

		if (!strcmp(name, but) || is_kept_name(name))
			continue;
		for (const json *a = json_first(json_get(one, "addresses")); a; a = json_next(a))
			if (cidr_parse(json_string(a), &cidr))
				text_add(t, "%s %s\n", ip_text(&cidr.ip, text), name);
	}
}

static void rewrite(const char *path, const json *list, const char *name)
{
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	cleanup_free char *old = NULL, *buf = malloc(HOSTS_SIZE);
	struct text t;
	char *mark;
	size_t len;

	if (fd < 0 || !buf || io_read_all(fd, HOSTS_SIZE / 2, &old, &len) < 0)
		return;
	mark = strstr(old, MARK);
	text_init(&t, buf, HOSTS_SIZE);
	text_add(&t, "%.*s", (int)(mark ? mark - old : (ptrdiff_t)len), old);
	text_add(&t, MARK);
	if (json_count(list) <= HOSTS_TASKS)
		add_names(list, name, &t);
	if (t.overflow || !strcmp(buf, old))
		return;
	/* Longer first, then cut: who reads meanwhile sees no less than before. */
	if (pwrite(fd, buf, t.len, 0) == (ssize_t)t.len)
		(void)!ftruncate(fd, (off_t)t.len);
}

void hosts_update(const char *network)
{
	cleanup_close int lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	cleanup_json json *list = json_array();
	struct tasks all = { .network = network, .list = list };
	char path[PATH_MAX];
	struct err ignored;

	if (lock < 0)
		return;
	while (flock(lock, LOCK_EX) < 0 && errno == EINTR)
		;
	tasks_each(gather_task, &all, &ignored);
	for (const json *one = json_first(list); one; one = json_next(one))
		if (file_path(path, json_string(json_get(one, "dir")), "hosts", ""))
			rewrite(path, list, json_string(json_get(one, "name")));
}
