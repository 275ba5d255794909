/* SPDX-License-Identifier: GPL-2.0-or-later */
/* topology: what is there now as a picture: for a terminal, as SVG, as DOT. */
#include "topology.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report_file.h"
#include "subnets.h"

struct values {
	const char *net, *svg, *dot;
};

static const struct opt options[] = {
	OPT(struct values, net, 'n', "net", OPT_TEXT, "NAME", "Only the tasks of this network."),
	OPT(struct values, svg, 0, "svg", OPT_TEXT, "FILE",
	    "Draw it into FILE, which needs nothing else; - is stdout."),
	OPT(struct values, dot, 0, "dot", OPT_TEXT, "FILE",
	    "Write it for graphviz into FILE; - is stdout."),
	{ .name = NULL },
};

/* ---- what is wanted ---- */

static bool is_stdout(const char *file)
{
	return file && !strcmp(file, "-");
}

static int judge_file(const char *option, const char *file, struct err *e)
{
	return !file || is_stdout(file) ? 0 : report_file_judge(option, file, e);
}

static int judge_files(const struct cli *c, const struct values *v, struct err *e)
{
	int r = judge_file("svg", v->svg, e);

	if (r == 0)
		r = judge_file("dot", v->dot, e);
	if (r == 0 && is_stdout(v->svg) + is_stdout(v->dot) + c->json > 1) {
		cli_error(e, EXIT_USAGE, "only one of --svg -, --dot - and --json can have stdout");
		err_hint(e, "name a file for the others: --svg host.svg");
		return -EINVAL;
	}
	return r;
}

/* ---- of which tasks? ---- */

static json *of_network(const json *rows, const char *network)
{
	json *list = json_array();

	for (const json *row = json_first(rows); row; row = json_next(row))
		if (!strcmp(live_text(row, "network"), network))
			json_add_copy(list, NULL, row);
	return list;
}

static int refuse_network(const struct cli *c, const char *name, struct err *e)
{
	cleanup_networks struct networks all = { .n = 0 };
	char shown[80], list[400];
	struct err ignored;
	struct text t;

	text_init(&t, list, sizeof(list));
	live_networks(c, &all, &ignored);
	for (unsigned i = 0; i < all.n; i++)
		text_add(&t, " %.63s", all.of[i]->name);
	text_printable(shown, sizeof(shown), name);
	cli_error(e, EXIT_ABSENT, "there is no network \"%s\"", shown);
	err_hint(e, "there is%s", list);
	return -ENOENT;
}

/* A network is known by its configuration, or by what is attached to it. */
static int only_network(const struct cli *c, const char *name, json **rows, json **subnets,
			struct err *e)
{
	cleanup_networks struct networks all = { .n = 0 };
	json *some = of_network(*rows, name);
	int r = live_networks(c, &all, e);

	json_free(*rows);
	*rows = some;
	if (r < 0)
		return r;
	if (!json_count(some) && !networks_get(&all, name))
		return refuse_network(c, name, e);
	some = of_network(*subnets, name);
	json_free(*subnets);
	*subnets = some;
	return 0;
}

static int only_tasks(int n, char **names, json **rows, struct err *e)
{
	cleanup_json json *list = json_array();
	int r = 0;

	for (int i = 0; i < n && r == 0; i++) {
		cleanup_json json *found = NULL;

		r = live_find(*rows, names[i], &found, e);
		for (const json *row = json_first(found); row; row = json_next(row))
			json_add_copy(list, NULL, row);
	}
	if (r < 0 || !n)
		return r;
	json_free(*rows);
	*rows = list;
	list = NULL;
	return 0;
}

/* ---- telling ---- */

static int write_picture(const char *file, report_fn *report, const json *doc, struct err *e)
{
	if (!file)
		return 0;
	if (!is_stdout(file))
		return report_file_write(file, report, doc, e);
	report(stdout, doc);
	return 0;
}

static int tell(const struct cli *c, const struct values *v, const json *doc, struct err *e)
{
	int r = write_picture(v->svg, topology_svg, doc, e);

	if (r == 0)
		r = write_picture(v->dot, topology_dot, doc, e);
	if (r == 0 && c->json)
		out_json(doc);
	else if (r == 0 && !v->svg && !v->dot)
		topology_text(doc);
	return r;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_json json *rows = NULL, *subnets = NULL, *doc = NULL;
	struct values v = { .net = NULL };
	int rest, r = cli_options(c, argc, argv, &v, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = judge_files(c, &v, e);
	if (r == 0)
		r = live_attachments(c, &rows, e);
	if (r == 0)
		r = subnets_json(c, rows, &subnets, e);
	if (r == 0 && v.net)
		r = only_network(c, v.net, &rows, &subnets, e);
	if (r == 0)
		r = only_tasks(argc - rest, argv + rest, &rows, e);
	if (r == 0)
		r = topology_doc(rows, subnets, &doc, e);
	if (r == 0)
		r = tell(c, &v, doc, e);
	return r < 0 ? r : EXIT_DONE;
}

const struct command command_topology = {
	.name = "topology",
	.synopsis = "[OPTION]... [TASK]...",
	.help = "draw the host, its tasks, and what joins them",
	.lesson =
		"The network of this host as it is now: the host with its addresses and its "
		"default\n"
		"route, and its tasks in groups, each by what joins it:\n\n"
		"  subnet  awsvpc: each task has a wire of its own to the host, its router\n"
		"  bridge  the wires end in a switch of the host\n"
		"  LAN     awsvpc by macvlan: a further MAC address on an interface of the host\n"
		"  host    the host's own interfaces\n"
		"  alone   loopback only\n\n"
		"Both ends of each wire are looked at in the kernel: what is down, gone or leads\n"
		"elsewhere is drawn so, and told below with its remedy. A port of the host stands\n"
		"at the task that it leads to: 8080 -> 80. Many tasks are drawn small, and those\n"
		"that are not well in full.\n",
	.examples = "  taskvpc topology\n"
		    "  taskvpc topology --net lab-bridge\n"
		    "  taskvpc topology --svg host.svg        for a browser, or to print\n"
		    "  taskvpc topology --dot - | dot -Tpdf >host.pdf\n",
	.flags = COMMAND_ROOT,
	.options = options,
	.run = run,
};
