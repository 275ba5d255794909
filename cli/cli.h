/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command `taskvpc`. A subcommand is a row of a table: a name, words that teach, options, and a
 * function in a file of its own. What it shows is one JSON document; the table on the terminal and
 * --json are two readings of it, so the two cannot differ.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

/*
 * Exit codes: of taskvpc(1), constant. Those above 63 are sysexits(3), so that the exit code of a
 * command that `run` or `exec` passes on is seldom mistaken for one of ours; 126 and up are sh's.
 */
enum cli_exit {
	EXIT_DONE = 0,
	EXIT_NO = 1,             /* the answer is no: of check, status, doctor and explain */
	EXIT_USAGE = 64,         /* no such subcommand or option, or a value that cannot be */
	EXIT_CONFIG = 65,        /* the network configuration is wrong */
	EXIT_ABSENT = 66,        /* no such task, network or plugin */
	EXIT_FAILED = 69,        /* a plugin or the kernel refused */
	EXIT_TAKEN = 73,         /* a name, address or port that another has, or none is left */
	EXIT_ROOT = 77,          /* needs root */
	EXIT_NOT_RUNNABLE = 126, /* run, exec: the command cannot be started */
	EXIT_NO_COMMAND = 127,   /* run, exec: there is no such command */
	EXIT_SIGNAL = 128,       /* run, exec: plus the signal that the command died of */
};

/* cli_error: as err_set, for an error that is known by its exit code. Return: -EINVAL. */
int cli_error(struct err *e, enum cli_exit status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* cli_status: the exit code of an error, whoever set it. */
int cli_status(const struct err *e);

struct command;

/* What every subcommand has: who it is, and the options that are common to all. */
struct cli {
	const struct command *command;
	bool json;
	const char *bin_dir;  /* NULL: the usual places */
	const char *conf_dir; /* NULL: the usual one */
};

/* ---- options ---- */

enum opt_type {
	OPT_FLAG, /* bool */
	OPT_TEXT, /* const char *; given twice, the last one holds */
	OPT_LIST, /* struct words */
};

#define WORDS_MAX 64

struct words {
	const char *text[WORDS_MAX];
	unsigned n;
};

struct opt {
	char letter; /* 0: it has only the long form */
	const char *name;
	enum opt_type type;
	size_t offset;     /* in the subcommand's own struct */
	const char *value; /* what --help calls it: "NAME"; NULL for a flag */
	const char *help;
};
#define OPT(s, m, l, n, t, ...)                                                                    \
	{                                                                                          \
		(l), (n), (t), offsetof(s, m), __VA_ARGS__                                         \
	}
/* A table ends with a row whose name is NULL. */

/* ---- subcommands ---- */

enum {
	COMMAND_ROOT = 1,   /* needs root */
	COMMAND_RUNS = 2,   /* options end where the command that it runs begins */
	COMMAND_OUTPUT = 4, /* what is told is that command's: no --json */
};

struct command {
	const char *name, *synopsis;
	const char *help;   /* one line, for the overview */
	const char *lesson; /* what it does and why so, for --help */
	const char *examples;
	unsigned flags;
	const struct opt *options; /* NULL: only the common ones */
	/* Return: an exit code, or a negative errno with *e. */
	int (*run)(struct cli *c, int argc, char **argv, struct err *e);
};

extern const struct command command_capture, command_check, command_compare, command_doctor,
	command_exec, command_explain, command_gc, command_inspect, command_logs, command_ls,
	command_ports, command_restart, command_rm, command_run, command_status, command_subnets,
	command_topology;

/*
 * cli_options: read the options of c->command into @values, and the common ones into @c.
 * @rest: index of the first word that is no option.
 * Return: 0, 1 (--help was told: nothing is left to do), or a negative errno: also where the
 * subcommand needs root, and we are not.
 */
int cli_options(struct cli *c, int argc, char **argv, void *values, int *rest, struct err *e);
/* cli_words: no more than @max words may be left. Return: 0 or -EINVAL. */
int cli_words(const struct cli *c, int argc, char **argv, int rest, int max, struct err *e);
void cli_help(const struct command *command);

#endif
