/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture: tcpdump where the task is, whoever started it: no hunt for anonymous namespaces. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/netns.h"
#include "live.h"
#include "sandbox.h"

#define ARGS_OWN 4

static int refuse(const char *name, const char *why, struct err *e)
{
	cli_error(e, EXIT_ABSENT, "the task %s %s", name, why);
	err_hint(e, "`taskvpc inspect %s` tells what is left of it", name);
	return -ENOENT;
}

/* Into the task's network namespace; of a host task that is where we are. */
static int enter(const char *name, const json *row, struct err *e)
{
	struct netns host = NETNS_NONE, ns = NETNS_NONE;
	int r;

	if (strcmp(live_text(row, "state"), "up") != 0)
		return refuse(name, "is dead", e);
	if (!strcmp(live_text(row, "mode"), "host"))
		return 0;
	r = netns_self(&host, e);
	if (r == 0)
		r = live_netns(row, &host, &ns, e);
	if (r == 0)
		r = netns_enter(&ns, e);
	netns_close(&host);
	netns_close(&ns);
	return r;
}

/* tcpdump -n -l -i IFNAME, and what was asked for: of two -i the last holds. */
static int become(const char *ifname, char **words, struct err *e)
{
	const char *own[] = { "tcpdump", "-nl", "-i", ifname };
	cleanup_free char **argv = NULL;
	int n = 0;

	while (words[n])
		n++;
	argv = calloc((size_t)n + ARGS_OWN + 1, sizeof(*argv));
	if (!argv)
		return err_sys(e, ERR_IO, ENOMEM, "tcpdump");
	for (int i = 0; i < ARGS_OWN; i++)
		argv[i] = strdup(own[i]);
	memcpy(argv + ARGS_OWN, words, (size_t)n * sizeof(*words));
	execvp(argv[0], argv);
	return err_sys(e, ERR_IO, errno, "tcpdump cannot be run");
}

/* "any" for a task of the host's network. Borrowed from @row. */
static const char *interface_of(const json *row)
{
	const char *mode = live_text(row, "mode");

	if (!strcmp(mode, "host"))
		return "any";
	return strcmp(mode, "none") ? live_text(row, "interface") : "lo";
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_json json *all = NULL, *rows = NULL;
	int rest, r = cli_options(c, argc, argv, c, &rest, e);
	const char *ifname;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	if (rest == argc) {
		cli_error(e, EXIT_USAGE, "no task");
		err_hint(e, "taskvpc capture TASK [WORD]...; tasks: taskvpc ls");
		return -EINVAL;
	}
	r = command_judge("tcpdump", e);
	if (r == 0)
		r = live_attachments(c, &all, e);
	if (r == 0)
		r = live_find(all, argv[rest], &rows, e);
	if (r == 0)
		r = enter(argv[rest], json_first(rows), e);
	if (r < 0)
		return r;
	ifname = interface_of(json_first(rows));
	if (!strcmp(ifname, "any"))
		fprintf(stderr,
			"# %s is in the host's own network: what follows is of the whole host\n",
			argv[rest]);
	rest++;
	if (argv[rest] && !strcmp(argv[rest], "--"))
		rest++;
	return become(ifname, argv + rest, e);
}

const struct command command_capture = {
	.name = "capture",
	.synopsis = "TASK [WORD]...",
	.help = "watch the packets of a task: tcpdump inside of it",
	.lesson =
		"Runs the host's tcpdump in the network of the task, on its interface, whoever\n"
		"started the task; the words are tcpdump's own. What one sees is what the task\n"
		"sees: before the host translates what leaves it, and after it has translated what\n"
		"comes in. A task of the mode host has no network of its own: there it is all that\n"
		"the host sees, on all its interfaces.\n",
	.examples = "  taskvpc capture web\n"
		    "  taskvpc capture web -c 5 port 80\n"
		    "  taskvpc capture web -w - | wireshark -k -i -\n",
	.flags = COMMAND_ROOT | COMMAND_RUNS | COMMAND_OUTPUT,
	.run = run,
};
