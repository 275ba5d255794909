/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: the networks that there are, and whether each could take one more task. */
#include <errno.h>
#include <string.h>

#include "chain.h"
#include "live.h"
#include "output.h"

static const struct column columns[] = {
	{ "NETWORK", "network", NULL },     { "MODE", "mode", NULL },
	{ "STATUS", "status", cell_state }, { "FROM", "source", NULL },
	{ "MESSAGE", "message", NULL },     { NULL, NULL, NULL },
};

static json *add_row(json *list, const char *network, const char *mode, const char *source)
{
	json *row = json_add_object(list, NULL);

	json_add_string(row, "network", network);
	json_add_string(row, "mode", mode);
	json_add_string(row, "source", source);
	return row;
}

static void add_verdict(json *row, const char *status, const struct err *e)
{
	json_add_string(row, "status", status);
	json_add_string(row, "message", e->msg);
	if (e->details[0])
		json_add_string(row, "remedy", e->details);
}

static void add_broken(void *ctx, const char *path, const struct err *why)
{
	add_verdict(add_row(ctx, "-", "-", path), "wrong", why);
}

/* A network that has no STATUS is not known to be well, nor to be ill. */
static bool ask(const struct cli *c, const struct network *n, json *list)
{
	json *row = add_row(list, n->name, network_mode(n->list), n->source);
	struct chain chain = { .list = n->list };
	cleanup_free char *warn = NULL;
	char path[CHAIN_PATH], lines[4096];
	struct err e = { 0 };
	struct text all;
	int r;

	chain_path(c, path);
	chain.path = path;
	r = chain_find(&chain, &e);
	if (r == 0)
		r = chain_status(&chain, &warn, &e);
	if (r < 0) {
		add_verdict(row, e.code == ERR_VERSION ? "unknown" : "no", &e);
		return e.code == ERR_VERSION;
	}
	json_add_string(row, "status", "ok");
	text_init(&all, lines, sizeof(lines));
	network_unknown(n->list, &all);
	if (warn)
		text_add(&all, "%s%s", all.len ? "\n" : "", warn);
	for (char *end = strchr(lines, '\n'); end; end = strchr(end, '\n'))
		*end = ';';
	if (all.len)
		json_add_string(row, "message", lines);
	return true;
}

static int ask_named(const struct cli *c, const char *name, json *list, bool *good, struct err *e)
{
	cleanup_network struct network *n = NULL;
	int r = network_find(c, name, &n, e);

	if (r == 0)
		*good &= ask(c, n, list);
	return r;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_networks struct networks all = { .n = 0 };
	cleanup_json json *list = json_array();
	int rest, r = cli_options(c, argc, argv, c, &rest, e);
	bool good = true;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	if (rest == argc)
		r = networks_load(c, &all, add_broken, list, e);
	good = !json_count(list);
	for (unsigned i = 0; i < all.n && r == 0; i++)
		good &= ask(c, all.of[i], list);
	for (int i = rest; i < argc && r == 0; i++)
		r = ask_named(c, argv[i], list, &good, e);
	if (r < 0)
		return r;
	out_list(c, list, columns, "no networks");
	return good ? EXIT_DONE : EXIT_NO;
}

const struct command command_status = {
	.name = "status",
	.synopsis = "[OPTION]... [NETWORK|FILE]...",
	.help = "list the networks: could each take one more task?",
	.lesson =
		"CNI's STATUS, for the networks of /etc/cni/net.d and the built-in ones, or for "
		"those\n"
		"named: would an ADD succeed now? It asks for addresses that are left and for what\n"
		"the kernel must offer, and warns of what would keep packets away. Nothing is made.\n"
		"Networks of a cniVersion before 1.1.0 have no STATUS; their status is unknown. The\n"
		"exit code is 1 if one of them could not take a task.\n",
	.examples = "  taskvpc status\n"
		    "  taskvpc status ./my.conflist && echo an ADD would succeed\n",
	.flags = COMMAND_ROOT,
	.run = run,
};
