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
	  { &command_run, &command_exec, &command_logs, &command_rm, &command_capture } },
	{ "Look",
	  { &command_ls, &command_inspect, &command_subnets, &command_ports, &command_topology } },
	{ "Understand", { &command_explain, &command_compare } },
	{ "Keep in order", { &command_status, &command_check, &command_gc, &command_doctor } },
};

static const struct command *find(const char *name)
{
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

static int unknown(const char *name)
{
	char shown[60];
	struct err e;

	text_printable(shown, sizeof(shown), name);
	cli_error(&e, EXIT_USAGE, "\"%s\" is no command", shown);
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

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	out_open();
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
		return help(argc > 2 ? argv[2] : NULL);
	if (!strcmp(name, "--version") || !strcmp(name, "version")) {
		printf("taskvpc %s\n", TASKVPC_VERSION);
		return finish("", EXIT_DONE);
	}
	if (!find(name))
		return unknown(name);
	return run(find(name), argc - 1, argv + 1);
}
