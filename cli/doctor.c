/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what commonly keeps tasks from working, looked for one by one, each with its fix. */
#include "doctor.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/sysctl.h"
#include "output.h"

static const struct {
	const char *name;
	void (*look)(struct doctor *d);
	const char *fine; /* what is said where nothing was found */
} checks[] = {
	{ "kernel", doctor_kernel, "all that tasks need was tried and works" },
	{ "plugins", doctor_plugins, "those of every network are there" },
	{ "networks", doctor_networks, "can be read, have addresses, overlap with no LAN" },
	{ "store", doctor_store, "readable, and in agreement with itself" },
	{ "leftovers", doctor_leftovers, "none of dead tasks" },
	{ "forwarding", doctor_forwarding, "on, or not needed yet" },
	{ "firewall", doctor_firewall, "nobody drops what the host forwards" },
	{ "flows", doctor_flows,
	  "no task is near its bound, no service within the masquerade range" },
	{ "rp_filter", doctor_rp_filter, "keeps no packet of a task away" },
	{ "host ends", doctor_ends, "have no address that another program gave them" },
	{ "privilege", doctor_capabilities, "no task rules the host's network" },
	{ "MAC", doctor_mac, "the interfaces have those that they were given" },
	{ "MTU", doctor_mtu, "no task sends more than its way takes" },
};

void doctor_tell(struct doctor *d, enum verdict verdict, const char *fix, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	json *one = json_add_object(d->list, NULL);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_add_string(one, "check", d->about);
	json_add_string(one, "verdict", words[verdict]);
	json_add_string(one, "finding", text);
	if (fix && *fix)
		json_add_string(one, "fix", fix);
	d->told++;
	d->failed |= verdict == DOCTOR_FAIL;
}

const json *doctor_next_up(const json *row)
{
	while (row && strcmp(live_text(row, "state"), "up") != 0)
		row = json_next(row);
	return row;
}

long doctor_sysctl(const char *path, long fallback)
{
	struct err ignored;
	char text[32];

	return sysctl_read(path, text, sizeof(text), &ignored) == 0 ? strtol(text, NULL, 10)
								    : fallback;
}

/* The store's own check says why it cannot be read; the others then know of no tasks. */
static int open_all(struct doctor *d, const struct cli *c, struct err *e)
{
	struct err ignored;
	int r;

	*d = (struct doctor){ .cli = c,
			      .host = NETNS_NONE,
			      .route = NETLINK_CLOSED,
			      .nft = NETLINK_CLOSED,
			      .list = json_array() };
	r = live_networks(c, &d->all, e);
	if (r == 0)
		r = netns_self(&d->host, e);
	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &d->host, &d->host, &d->route, e);
	if (r == 0)
		r = netlink_open(NETLINK_NETFILTER, &d->host, &d->host, &d->nft, e);
	if (r == 0)
		doctor_stores_first(d);
	if (r == 0 && live_attachments(c, &d->attachments, &ignored) < 0)
		d->attachments = json_array();
	return r;
}

static void close_all(struct doctor *d)
{
	networks_free(&d->all);
	json_free(d->attachments);
	json_free(d->stores);
	json_free(d->list);
	netlink_close(&d->route);
	netlink_close(&d->nft);
	netns_close(&d->host);
}

/* The fix stands below its finding: it is to be copied. */
static void show(const struct cli *c, const json *list)
{
	static const struct column verdict = { "", "verdict", cell_state };

	if (c->json) {
		out_json(list);
		return;
	}
	for (const json *row = json_first(list); row; row = json_next(row)) {
		struct cell cell = { .tone = TONE_PLAIN };

		cell_state(row, &verdict, &cell);
		printf("%s%-5s%s %s%-11s%s %s\n", out_tone(cell.tone), cell.text,
		       out_tone(TONE_PLAIN), out_tone(TONE_TITLE), live_text(row, "check"),
		       out_tone(TONE_PLAIN), live_text(row, "finding"));
		if (*live_text(row, "fix"))
			printf("%-17s fix: %s\n", "", live_text(row, "fix"));
	}
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	struct doctor d;
	int rest, r = cli_options(c, argc, argv, c, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = cli_words(c, argc, argv, rest, 0, e);
	if (r < 0)
		return r;
	r = open_all(&d, c, e);
	for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++) {
		d.about = checks[i].name;
		d.told = 0;
		checks[i].look(&d);
		if (!d.told)
			doctor_tell(&d, DOCTOR_OK, NULL, "%s", checks[i].fine);
	}
	if (r == 0)
		show(c, d.list);
	close_all(&d);
	return r < 0 ? r : d.failed ? EXIT_NO : EXIT_DONE;
}

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "[OPTION]...",
	.help = "find what keeps tasks from working, and tell the fix",
	.lesson =
		"Looks at what commonly breaks: missing kernel features (tried for real, in a\n"
		"namespace that is thrown away), missing plugins, networks that cannot be read or\n"
		"overlap with a LAN of the host, a broken store, what dead tasks left, forwarding\n"
		"that is off, firewalls that drop what is forwarded, tasks that have nearly all the\n"
		"flows they may, strict rp_filter, addresses that a DHCP client gave to the host's\n"
		"ends of tasks, MAC addresses that systemd changed, MTUs that do not fit. Nothing is\n"
		"changed.\n\n"
		"  ok    nothing to do\n"
		"  warn  works, but not as one might expect\n"
		"  fail  breaks tasks; the exit code is 1 if there is one\n",
	.examples = "  taskvpc doctor\n"
		    "  taskvpc doctor --json | jq -r '.[] | select(.verdict == \"fail\") | .fix'\n",
	.flags = COMMAND_ROOT,
	.run = run,
};
