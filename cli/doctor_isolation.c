/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lets a task do more to the host than its link allows. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "doctor.h"

#define STATUS_MAX    16384
#define CAP_NET_ADMIN 12
#define NAMES         5

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define cleanup_dir CLEANUP(close_dir)

/* The next process of /proc; NULL at the end. */
static const char *next_process(DIR *d)
{
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strtol(entry->d_name, NULL, 10) > 0)
			return entry->d_name;
	return NULL;
}

/* ---- CAP_NET_ADMIN of the host in a task ---- */

static bool same_file(const char *a, const char *b)
{
	struct stat one, two;

	return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_ino == two.st_ino &&
	       one.st_dev == two.st_dev;
}

/* The effective capabilities of a process, 0 if they cannot be read. */
static uint64_t capabilities(const char *pid)
{
	cleanup_free char *text = NULL;
	cleanup_close int fd = -1;
	uint64_t caps = 0;
	char path[64];
	size_t len;
	const char *line;

	snprintf(path, sizeof(path), "/proc/%.16s/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || io_read_all(fd, STATUS_MAX, &text, &len) < 0)
		return 0;
	line = strstr(text, "\nCapEff:");
	return line && sscanf(line, "\nCapEff: %" SCNx64, &caps) == 1 ? caps : 0;
}

static bool rules_host(const char *pid, const char *netns)
{
	char net[64], user[64];

	snprintf(net, sizeof(net), "/proc/%.16s/ns/net", pid);
	snprintf(user, sizeof(user), "/proc/%.16s/ns/user", pid);
	return same_file(net, netns) && same_file(user, "/proc/self/ns/user") &&
	       capabilities(pid) >> CAP_NET_ADMIN & 1;
}

/* The first such process of the task. */
static bool find_ruler(const char *netns, char ret[static 16])
{
	cleanup_dir DIR *d = opendir("/proc");

	for (const char *pid; (pid = next_process(d));) {
		if (!rules_host(pid, netns))
			continue;
		snprintf(ret, 16, "%.15s", pid);
		return true;
	}
	return false;
}

struct rulers {
	char names[400];
	struct text t;
	unsigned n;
};

static void add_ruler(struct rulers *r, const json *row, const char *pid)
{
	if (r->n++ < NAMES)
		text_add(&r->t, "%s%.63s (process %s)", r->n > 1 ? ", " : "", live_short(row), pid);
}

static void tell_rulers(struct doctor *d, const struct rulers *r, enum verdict verdict,
			const char *fix)
{
	if (r->n)
		doctor_tell(d, verdict, fix,
			    "%u with CAP_NET_ADMIN in the host's user namespace, which can change "
			    "the host's own network by the other end of a veth: %s%s",
			    r->n, r->names, r->n > NAMES ? ", …" : "");
}

/* One finding for all. `taskvpc run` starts a command as who calls it: that is no surprise. */
void doctor_capabilities(struct doctor *d)
{
	struct rulers ours = { .n = 0 }, theirs = { .n = 0 };
	char pid[16];

	text_init(&ours.t, ours.names, sizeof(ours.names));
	text_init(&theirs.t, theirs.names, sizeof(theirs.names));
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row))) {
		bool own = !strcmp(live_text(row, "runtime"), "taskvpc");
		const char *netns = live_text(row, "netns");

		if (strcmp(live_text(row, "mode"), "host") != 0 && *netns && find_ruler(netns, pid))
			add_ruler(own ? &ours : &theirs, row, pid);
	}
	tell_rulers(d, &theirs, DOCTOR_WARN,
		    "start what is not trusted without CAP_NET_ADMIN (--cap-drop NET_ADMIN, no "
		    "--privileged), or in a user namespace");
	tell_rulers(d, &ours, DOCTOR_OK, NULL);
}
