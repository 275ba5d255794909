/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that another program has given to the host's ends of tasks: a DHCP client that takes
 * each new interface for a card lets a task become the host's router.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "doctor.h"
#include "kernel/link.h"
#include "kernel/route.h"

#define ADDRESSES 16

/* How each of them is told to leave the interfaces alone. */
static const struct culprit {
	const char *comm, *name, *cure;
} culprits[] = {
	{ "dhcpcd", "dhcpcd", "echo 'denyinterfaces vpc*' >>/etc/dhcpcd.conf && dhcpcd -n" },
	{ "systemd-network", "systemd-networkd",
	  "printf '[Match]\\nName=vpc*\\n[Link]\\nUnmanaged=yes\\n' "
	  ">/etc/systemd/network/05-taskvpc.network && networkctl reload" },
	{ "NetworkManager", "NetworkManager",
	  "printf '[keyfile]\\nunmanaged-devices=interface-name:vpc*\\n' "
	  ">/etc/NetworkManager/conf.d/taskvpc.conf && nmcli general reload" },
	{ "dhclient", "dhclient", NULL },
	{ "connmand", "connman", NULL },
};

static const struct culprit *find_process(const char *comm)
{
	for (size_t i = 0; i < ARRAY_SIZE(culprits); i++)
		if (!strcmp(comm, culprits[i].comm))
			return &culprits[i];
	return NULL;
}

/* A program that runs here and configures interfaces; NULL: none that is known. */
static const struct culprit *find_culprit(void)
{
	const struct culprit *found = NULL;
	DIR *proc = opendir("/proc");
	const struct dirent *d;

	while (proc && !found && (d = readdir(proc))) {
		char path[300], comm[64];

		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		if (io_read_text(path, comm, sizeof(comm)) == 0) {
			comm[strcspn(comm, "\n")] = '\0';
			found = find_process(comm);
		}
	}
	if (proc)
		closedir(proc);
	return found;
}

static void tell(struct doctor *d, const json *row, const char *ifname, const struct cidr *c)
{
	const struct culprit *who = find_culprit();
	char text[IP_TEXT], commands[400];
	struct text fix;

	text_init(&fix, commands, sizeof(commands));
	if (who && who->cure)
		text_add(&fix, "%s; ", who->cure);
	text_add(&fix, "ip addr del %s dev ", cidr_text(c, text));
	text_add_shell(&fix, ifname);
	doctor_tell(d, DOCTOR_FAIL, commands,
		    "%.63s: its end at the host, %s, has the address %s, which %s%s gave it: what "
		    "the task sends may change the routes of the host",
		    live_text(row, "task"), ifname, text, who ? "perhaps " : "",
		    who ? who->name : "another program");
}

void doctor_ends(struct doctor *d)
{
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row))) {
		const char *ifname = live_text(row, "hostInterface");
		struct cidr list[ADDRESSES];
		struct link_info link;
		struct err ignored;
		unsigned n = 0;

		if (!*ifname || link_by_name(&d->route, ifname, &link, &ignored) != 0 ||
		    addr_list(&d->route, link.ifindex, list, ADDRESSES, &n, &ignored) < 0)
			continue;
		for (unsigned i = 0; i < n; i++)
			tell(d, row, ifname, &list[i]);
	}
}
