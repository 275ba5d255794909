/* SPDX-License-Identifier: GPL-2.0-or-later */
/* taskvpc: finds the subcommand, and tells its error once, with the remedy and the exit code. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli.h"
#include "output.h"

/* In the order in which one meets them. */
static const struct {
	const char *title;
	const struct command *commands[8];
} groups[] = {
	{ "Run tasks",
	  { &command_run, &command_exec, &command_logs, &command_restart, &command_rm,
	    &command_capture } },
	{ "Look",
	  { &command_ls, &command_inspect, &command_subnets, &command_ports, &command_topology } },
	{ "Understand", { &command_explain, &command_compare } },
	{ "Keep in order", { &command_status, &command_check, &command_gc, &command_doctor } },
};

static const struct command *find(const char *name)
{
	if (!strcmp(name, "ps"))
		return &command_ls;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (const struct command *const *c = groups[i].commands; *c; c++)
			if (!strcmp((*c)->name, name))
				return *c;
	return NULL;
}

static void overview(FILE *out)
{
	fprintf(out, "taskvpc: networks as ECS tasks have them, on this host\n\n"
		     "  taskvpc COMMAND [OPTION]... [WORD]...\n"
		     "  taskvpc help [COMMAND]\n"
		     "  taskvpc version\n");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		fprintf(out, "\n%s:\n", groups[i].title);
		for (const struct command *const *c = groups[i].commands; *c; c++)
			fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->help);
	}
	fprintf(out, "\nBegin with:\n"
		     "  taskvpc run -- ip addr                 a task with an address of its own\n"
		     "  taskvpc run --mode bridge -p 8080:80 -- COMMAND\n"
		     "  taskvpc COMMAND --help                 what it does, and why so\n");
}

static int tell(const char *who, const struct err *e)
{
	const char *line = e->details;

	fflush(stdout);
	fprintf(stderr, "taskvpc%s%s: %s\n", *who ? " " : "", who, e->msg);
	while (*line) {
		int len = (int)strcspn(line, "\n");

		fprintf(stderr, "  %.*s\n", len, line);
		line += len + (line[len] == '\n');
	}
	return cli_status(e);
}

/* What docker, podman, kubectl and ip call it. */
static const char *known_elsewhere(const char *name)
{
	static const char *const rows[][2] = {
		{ "list", "ls" },          { "show", "ls" },        { "get", "ls" },
		{ "describe", "inspect" }, { "stop", "rm" },        { "kill", "rm" },
		{ "delete", "rm" },        { "del", "rm" },         { "start", "run" },
		{ "create", "run" },       { "add", "run" },        { "attach", "exec" },
		{ "shell", "exec" },       { "enter", "exec" },     { "tcpdump", "capture" },
		{ "port", "ports" },       { "network", "status" }, { "networks", "status" },
		{ "prune", "gc" },         { "info", "doctor" },    { "trace", "explain" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i][0], name))
			return rows[i][1];
	return NULL;
}

static const char *meant(const char *name)
{
	const char *word = known_elsewhere(name);

	for (size_t i = 0; i < ARRAY_SIZE(groups) && !word; i++)
		for (const struct command *const *c = groups[i].commands; *c && !word; c++)
			if (text_is_slip(name, (*c)->name))
				word = (*c)->name;
	return word;
}

static int unknown(const char *name)
{
	const char *word = meant(name);
	char shown[60];
	struct err e;

	text_printable(shown, sizeof(shown), name);
	cli_error(&e, EXIT_USAGE, "\"%s\" is no command", shown);
	if (word)
		err_hint(&e, "did you mean `taskvpc %s`? `taskvpc --help` tells them all", word);
	else
		err_hint(&e, "`taskvpc --help` tells them all");
	return tell("", &e);
}

/* Whatever was told must have been heard. */
static int finish(const char *who, int code)
{
	struct err e;

	if (fflush(stdout) == 0)
		return code;
	err_sys(&e, ERR_IO, errno, "cannot write to stdout");
	return tell(who, &e);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct cli c = { .command = command };
	struct err e = { 0 };
	int r = command->run(&c, argc, argv, &e);

	return r < 0 ? tell(command->name, &e) : finish(command->name, r);
}

static int help(const char *name)
{
	const struct command *about = name ? find(name) : NULL;

	if (name && !about)
		return unknown(name);
	if (about)
		cli_help(about);
	else
		overview(stdout);
	return finish("", EXIT_DONE);
}

/* Common options in front of the command (`taskvpc --json ls`) go behind it. */
static void put_command_first(int argc, char **argv)
{
	static const char *const with_value[] = { "--conf-dir", "--bin-dir" };
	int i = 1, n;
	char *command;

	while (i < argc && (!strncmp(argv[i], "--json", 6) || !strncmp(argv[i], "--conf-dir", 10) ||
			    !strncmp(argv[i], "--bin-dir", 9))) {
		n = 1;
		for (size_t k = 0; k < ARRAY_SIZE(with_value); k++)
			n += !strcmp(argv[i], with_value[k]);
		i += n;
	}
	if (i == 1 || i >= argc)
		return;
	command = argv[i];
	memmove(argv + 2, argv + 1, (size_t)(i - 1) * sizeof(*argv));
	argv[1] = command;
}

int main(int argc, char **argv)
{
	const char *name;

	put_command_first(argc, argv);
	name = argc > 1 ? argv[1] : "--help";
	out_open();
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
		return help(argc > 2 ? argv[2] : NULL);
	if (!strcmp(name, "--version") || !strcmp(name, "-v") || !strcmp(name, "version")) {
		printf("taskvpc %s\n", TASKVPC_VERSION);
		return finish("", EXIT_DONE);
	}
	if (!find(name))
		return unknown(name);
	return run(find(name), argc - 1, argv + 1);
}
