/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logs: what a container in the background has said. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ended.h"
#include "files.h"
#include "log.h"
#include "state.h"

static int refuse_absent(const char *word, struct err *e)
{
	cleanup_json json *all = logs_json();
	char list[400], shown[80];
	struct text t;

	text_init(&t, list, sizeof(list));
	for (const json *name = json_first(all); name; name = json_next(name))
		text_add(&t, " %s", json_string(name));
	text_printable(shown, sizeof(shown), word);
	cli_error(e, EXIT_ABSENT, "nothing that \"%s\" has said was kept", shown);
	err_hint(e, t.len ? "there is%s" : "`taskvpc run -d` keeps what its command says%s", list);
	return -ENOENT;
}

/* Does it say so elsewhere? @path: where it would be kept. */
static int judge(const char *task, const char *container, const char *path, struct err *e)
{
	cleanup_json json *all = containers_json(task);
	const json *one = json_first(all);
	const char *log;

	while (one && strcmp(json_string(json_get(one, "name")), container) != 0)
		one = json_next(one);
	if (!one)
		return 0;
	log = json_string(json_get(one, "log"));
	if (log && !strcmp(log, path))
		return 0;
	if (log)
		return cli_error(e, EXIT_ABSENT, "what %s/%s says goes to %s", task, container,
				 log);
	return cli_error(e, EXIT_ABSENT,
			 "%s/%s was not started with -d: what it says goes to who started it", task,
			 container);
}

struct reading {
	bool follow;
	const char *tail;
	long lines;
};

static const struct opt options[] = {
	OPT(struct reading, follow, 'f', "follow", OPT_FLAG, NULL,
	    "Go on with what it says, until it ends."),
	OPT(struct reading, tail, 'n', "tail", OPT_TEXT, "LINES", "Only the last lines."),
	{ .name = NULL },
};

static int read_tail(struct reading *v, struct err *e)
{
	char *end, shown[40];

	v->lines = v->tail && strcmp(v->tail, "all") ? strtol(v->tail, &end, 10) : -1;
	if (!v->tail || !strcmp(v->tail, "all") || (end != v->tail && !*end && v->lines >= 0))
		return 0;
	text_printable(shown, sizeof(shown), v->tail);
	return cli_error(e, EXIT_USAGE, "--tail: \"%s\" is no number of lines", shown);
}

static int print(const struct reading *v, const char *task, const char *container, const char *path,
		 struct err *e)
{
	char lock[PATH_MAX], name[CONTAINER_WORD + TASK_NAME_MAX];
	cleanup_json json *ended = NULL;
	int64_t code;
	int r;

	snprintf(name, sizeof(name), "%s/%s", task, container);
	if (v->follow && file_path(lock, STATE_DIR, name, CONTAINER_SUFFIX))
		r = log_follow(path, lock, v->lines, e);
	else
		r = log_print(path, v->lines, e);
	ended = r == 0 ? ended_find(task, container) : NULL;
	if (json_integer(json_get(ended, "exitCode"), &code) && code)
		fprintf(stderr, "# %s ended with exit code %d\n", task, (int)code);
	return r;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	char task[CONTAINER_WORD], path[PATH_MAX];
	struct reading v = { .follow = false };
	const char *container;
	int rest, r = cli_options(c, argc, argv, &v, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = cli_words(c, argc, argv, rest, 1, e);
	if (r == 0 && rest == argc) {
		cli_error(e, EXIT_USAGE, "no task");
		err_hint(e, "taskvpc logs TASK[/CONTAINER]; tasks: taskvpc ls");
		return -EINVAL;
	}
	if (r == 0)
		r = read_tail(&v, e);
	if (r < 0)
		return r;
	container = container_split(argv[rest], task);
	container = container ? container : CONTAINER_FIRST;
	if (!log_path(path, task, container))
		return refuse_absent(argv[rest], e);
	r = judge(task, container, path, e);
	if (r == 0)
		r = print(&v, task, container, path, e);
	return r == -ENOENT && !e->code ? refuse_absent(argv[rest], e) : r;
}

const struct command command_logs = {
	.name = "logs",
	.synopsis = "[OPTION]... TASK[/CONTAINER]",
	.help = "tell what a task in the background has said",
	.lesson = "What a command of `run -d` writes to its stdout and stderr is kept in memory: "
		  "the\n"
		  "last 64 KiB at least. It is there as long as the command runs, and afterwards, "
		  "so\n"
		  "that one can read why it ended, until another of that name begins or 32 others\n"
		  "have ended. To keep all of it, give it a file: `run -d --log FILE`.\n",
	.examples = "  taskvpc logs web\n"
		    "  taskvpc logs web/c2                    of its second container\n"
		    "  taskvpc logs -f -n 20 web              its last lines, and what comes\n",
	.flags = COMMAND_ROOT | COMMAND_OUTPUT,
	.options = options,
	.run = run,
};
