/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gc: take back what dead tasks hold. Tasks of taskvpc without a supervisor are taken down; then GC
 * is called for every network that has records, which removes those whose namespace is gone and
 * restores rules that somebody flushed. What lives is not touched, whoever started it. Networks
 * that forbid it (disableGC) are passed over.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "live.h"
#include "output.h"
#include "state.h"
#include "verbs.h"

static bool same(const json *a, const json *b, const char *key)
{
	return !strcmp(live_text(a, key), live_text(b, key));
}

/* Is the network of @row one that an earlier row has been collected for? */
static bool is_done(const json *rows, const json *row)
{
	const json *r = json_first(rows);

	while (r != row &&
	       !(same(r, row, "network") && same(r, row, "store") && same(r, row, "mode")))
		r = json_next(r);
	return r != row;
}

static int collect(const json *row, const char *path, json *restored, struct err *e)
{
	cleanup_json json *list = NULL, *words = json_array();
	struct chain chain = { .path = path };
	int r = verbs_list(row, &list, e);

	chain.list = list;
	if (r == 0)
		r = chain_find(&chain, e);
	if (r == 0)
		r = chain_gc(&chain, words, e);
	for (const json *word = json_first(words); word; word = json_next(word)) {
		json *one = json_add_object(restored, NULL);

		json_add_string(one, "network", live_text(row, "network"));
		json_add_string(one, "restored", json_string(word));
	}
	return r;
}

/* Is GC to be called for @row? @network: of this one only, NULL: of all. */
static bool is_due(const json *rows, const json *row, const char *network)
{
	return *live_text(row, "store") && !is_done(rows, row) &&
	       (!network || !strcmp(network, live_text(row, "network")));
}

static bool is_forbidden(const struct networks *all, const json *row)
{
	const char *network = live_text(row, "network");
	bool forbidden = networks_ask(all, network, NETWORK_NO_GC);

	if (forbidden)
		fprintf(stderr, "# network %s: not collected, its " NETWORK_NO_GC " is true\n",
			network);
	return forbidden;
}

/* Each failure is told at once; the first is the exit code. */
static int collect_all(const struct cli *c, const json *rows, const char *network, json *restored,
		       struct err *e)
{
	cleanup_networks struct networks all = { .n = 0 };
	char path[CHAIN_PATH];
	int first = live_networks(c, &all, e);

	if (first < 0)
		return first;
	chain_path(c, path);
	for (const json *row = json_first(rows); row; row = json_next(row)) {
		struct err why;
		int r;

		if (!is_due(rows, row, network) || is_forbidden(&all, row))
			continue;
		r = collect(row, path, restored, &why);
		if (r < 0 && !first)
			*e = why;
		first = first ? first : r;
	}
	return first;
}

static bool is_among(const json *rows, const json *row)
{
	const json *r = json_first(rows);

	while (r && !(same(r, row, "task") && same(r, row, "network") && same(r, row, "interface")))
		r = json_next(r);
	return r != NULL;
}

static const struct column columns[] = {
	{ "REMOVED", "task", cell_id }, { "NAME", "name", cell_optional }, { "MODE", "mode", NULL },
	{ "ADDRESS", "address", NULL }, { "NETWORK", "network", NULL },    { NULL, NULL, NULL },
};

static int tell(const struct cli *c, const json *before, const json *restored, struct err *e)
{
	cleanup_json json *after = NULL, *gone = json_array();
	int r = live_attachments(c, &after, e);

	if (r < 0)
		return r;
	for (const json *row = json_first(before); row; row = json_next(row))
		if (!is_among(after, row))
			json_add_copy(gone, NULL, row);
	for (const json *one = json_first(restored); one && c->json; one = json_next(one))
		json_add_copy(gone, NULL, one);
	out_list(c, gone, columns, "nothing to remove");
	for (const json *one = json_first(restored); one && !c->json; one = json_next(one))
		printf("restored (network %s): %s\n", live_text(one, "network"),
		       live_text(one, "restored"));
	return EXIT_DONE;
}

static int judge_network(const json *rows, const char *network, struct err *e)
{
	const json *row = json_first(rows);

	while (row && network && strcmp(live_text(row, "network"), network) != 0)
		row = json_next(row);
	if (row || !network)
		return 0;
	cli_error(e, EXIT_ABSENT, "no task, alive or dead, is in a network \"%s\"", network);
	err_hint(e, "`taskvpc ls` tells the networks; without a word, all are collected");
	return -ENOENT;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_json json *before = NULL, *restored = json_array();
	int rest, r = cli_options(c, argc, argv, c, &rest, e), healed;
	const char *network;
	char path[CHAIN_PATH];
	struct err second; /* not told: one is enough to begin with */
	unsigned n;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	network = rest < argc ? argv[rest] : NULL;
	r = cli_words(c, argc, argv, rest, 1, e);
	if (r == 0)
		r = live_attachments(c, &before, e);
	if (r == 0)
		r = judge_network(before, network, e);
	if (r < 0)
		return r;
	chain_path(c, path);
	healed = tasks_heal(path, &n, e);
	r = collect_all(c, before, network, restored, healed < 0 ? &second : e);
	if (healed < 0 || r < 0)
		return -EIO;
	return tell(c, before, restored, e);
}

const struct command command_gc = {
	.name = "gc",
	.synopsis = "[OPTION]... [NETWORK]",
	.help = "take back what dead tasks hold",
	.lesson =
		"A task that was killed together with its runtime leaves addresses, ports and "
		"rules\n"
		"behind. gc finds what provably is dead, by lock and by namespace, and removes it as\n"
		"its own DEL would have done. It also puts back nftables rules that somebody flushed\n"
		"and sysctls that somebody changed, and tells which.\n"
		"What lives stays, whoever started it; so it may be run at any time. Networks whose\n"
		"list says disableGC are passed over.\n",
	.examples = "  taskvpc gc\n",
	.flags = COMMAND_ROOT,
	.run = run,
};
