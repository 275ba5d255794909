/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare: the same questions to all modes, tried now and here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "chain.h"
#include "compare.h"
#include "report_file.h"

struct values {
	const char *html;
	bool why;
};

static const struct opt options[] = {
	OPT(struct values, html, 0, "html", OPT_TEXT, "FILE",
	    "Write a report as well: one HTML file, with charts."),
	OPT(struct values, why, 'w', "why", OPT_FLAG, NULL,
	    "Tell how each was tried, and what was seen."),
	{ .name = NULL },
};

struct comparison {
	struct worker workers[MODES_MAX];
	unsigned n;
	json *doc, *questions; /* the second is within the first */
};

static void comparison_end(struct comparison *all)
{
	while (all->n)
		worker_end(&all->workers[--all->n]);
	json_free(all->doc);
}

/* ---- which modes ---- */

static const struct mode *find_mode(const char *word)
{
	for (const struct mode *m = lab_modes; m->key; m++)
		if (!strcmp(m->key, word))
			return m;
	return NULL;
}

static int judge_words(int n, char **words, struct err *e)
{
	char shown[60], list[200];
	struct text t;

	for (int i = 0; i < n; i++) {
		if (find_mode(words[i]))
			continue;
		text_init(&t, list, sizeof(list));
		for (const struct mode *m = lab_modes; m->key; m++)
			text_add(&t, "%s%s", m == lab_modes ? "" : ", ", m->key);
		text_printable(shown, sizeof(shown), words[i]);
		cli_error(e, EXIT_USAGE, "\"%s\" is no mode to compare", shown);
		err_hint(e, "there are %s; without a word, all", list);
		return -EINVAL;
	}
	return 0;
}

static bool is_wanted(const struct mode *m, int n, char **words)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(m->key, words[i]))
			return true;
	return n == 0;
}

/* Said beforehand in words that help: in a lab, each mode would find out for itself. */
static int judge_plugins(const struct cli *c, struct err *e)
{
	static const char *const types[] = { "awsvpc", "task-bridge", "task-host", "task-none",
					     "task-ipam" };
	cleanup_json json *list = json_object();
	json *plugins = json_add_array(list, "plugins");
	char path[CHAIN_PATH];
	const struct chain chain = { .list = list, .path = path };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		json_add_string(json_add_object(plugins, NULL), "type", types[i]);
	chain_path(c, path);
	return chain_find(&chain, e);
}

/* ---- progress: one line of a terminal, which vanishes ---- */

static void progress(unsigned done, unsigned total, const char *what, const char *mode)
{
	const unsigned width = 24, filled = total ? done * width / total : 0;
	static const char bar[] = "########################........................";

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r[%.*s] %3u%%  %s: %s\033[K", (int)width, bar + width - filled,
			total ? done * 100 / total : 0, mode, what);
}

static void progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

/* ---- asking ---- */

static unsigned count_asked(unsigned modes)
{
	unsigned n = 0;

	for (const struct question *q = questions; q->key; q++)
		n += q->rounds * modes;
	return n;
}

static int ask_one(struct comparison *all, const struct question *q, unsigned *done, struct err *e)
{
	struct samples samples[MODES_MAX] = { 0 };
	const unsigned total = count_asked(all->n);
	json *cells;

	for (unsigned round = 0; round < q->rounds; round++) {
		for (unsigned i = 0; i < all->n; i++) {
			struct samples *s = &samples[i];
			int r;

			progress((*done)++, total, q->heading, all->workers[i].mode->key);
			r = worker_ask(&all->workers[i], q, &s->of[s->n++], e);
			if (r < 0)
				return r;
		}
	}
	cells = doc_question(all->questions, q);
	for (unsigned i = 0; i < all->n; i++)
		doc_cell(cells, all->workers[i].mode, &samples[i]);
	return 0;
}

static int ask_all(struct comparison *all, struct err *e)
{
	unsigned done = 0;
	int r = 0;

	for (const struct question *q = questions; q->key && r == 0; q++)
		r = ask_one(all, q, &done, e);
	return r;
}

/* ---- the command ---- */

static int start_all(const struct cli *c, struct comparison *all, int n, char **words,
		     struct err *e)
{
	int r = 0;

	for (const struct mode *m = lab_modes; m->key && r == 0; m++) {
		if (!is_wanted(m, n, words))
			continue;
		progress(0, 0, "a lab is made", m->key);
		r = worker_start(c, m, &all->workers[all->n], e);
		all->n += r == 0;
	}
	return r;
}

static int compare(const struct cli *c, struct comparison *all, int n, char **words, struct err *e)
{
	int64_t start = io_clock_ms();
	int r = start_all(c, all, n, words, e);

	if (r == 0) {
		all->doc = doc_new(all->workers, all->n, &all->questions);
		r = ask_all(all, e);
	}
	progress_end();
	if (r == 0)
		json_add_integer(all->doc, "milliseconds", io_clock_ms() - start);
	return r;
}

static int tell(const struct cli *c, const struct values *v, const json *doc, struct err *e)
{
	int r = v->html ? report_file_write(v->html, report_page, doc, e) : 0;

	if (r < 0)
		return r;
	if (c->json)
		out_json(doc);
	else
		report_table(c, doc, v->why);
	return 0;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	struct comparison all = { .n = 0 };
	struct values v = { .html = NULL };
	int rest, r = cli_options(c, argc, argv, &v, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = judge_words(argc - rest, argv + rest, e);
	if (r == 0 && v.html)
		r = report_file_judge("html", v.html, e);
	if (r == 0)
		r = judge_plugins(c, e);
	if (r == 0)
		r = compare(c, &all, argc - rest, argv + rest, e);
	if (r == 0)
		r = tell(c, &v, all.doc, e);
	comparison_end(&all);
	return r < 0 ? r : EXIT_DONE;
}

const struct command command_compare = {
	.name = "compare",
	.synopsis = "[OPTION]... [MODE]...",
	.help = "try all modes side by side, and tell what each trades",
	.lesson =
		"What does a task gain by an address of its own, and what does a port of the host\n"
		"cost? Each mode gets a lab: a host of its own in namespaces, with a machine "
		"beside\n"
		"it on a LAN, and two tasks that the plugins attach as for any runtime. There the\n"
		"same is tried in each: who reaches whom and under which address, what an "
		"attacker\n"
		"in a task can forge and overhear, how fast it is, how many tasks fit. Every cell "
		"is\n"
		"seen in this run, or says why it could not be tried. This host is not touched.\n"
		"The modes: awsvpc-veth, awsvpc-macvlan, bridge, host, none; without a word, all.\n",
	.examples = "  taskvpc compare\n"
		    "  taskvpc compare --why bridge host\n"
		    "  taskvpc compare --html report.html\n",
	.flags = COMMAND_ROOT,
	.options = options,
	.run = run,
};
