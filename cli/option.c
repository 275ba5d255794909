/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options as tables: what getopt_long() reads, what --help tells, and what the manual and the
 * completion are tested against, are the same rows.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli.h"

#define OPTIONS_MAX 32
#define LEFT        28 /* width of an option in --help */

/* The first is not for commands whose output is another's. */
static const struct opt common[] = {
	OPT(struct cli, json, 0, "json", OPT_FLAG, NULL, "The same as JSON."),
	OPT(struct cli, conf_dir, 0, "conf-dir", OPT_TEXT, "DIR",
	    "Where networks are configured: /etc/cni/net.d."),
	OPT(struct cli, bin_dir, 0, "bin-dir", OPT_TEXT, "DIR",
	    "Where the plugins are, before CNI_PATH and the usual places."),
	{ .letter = 'h', .name = "help", .help = "This text." },
	{ .name = NULL },
};

/* All rows of a subcommand, and what getopt_long() wants to know of them. */
struct rows {
	const struct opt *row[OPTIONS_MAX];
	void *values[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 4];
	int n;
};

static void add_row(struct rows *r, const struct opt *row, void *values)
{
	size_t len = strlen(r->shorts);

	r->row[r->n] = row;
	r->values[r->n] = values;
	r->longs[r->n] = (struct option){ .name = row->name, .has_arg = row->value != NULL };
	if (row->letter)
		snprintf(r->shorts + len, sizeof(r->shorts) - len, "%c%s", row->letter,
			 row->value ? ":" : "");
	r->n++;
}

static const struct opt *common_of(const struct command *command)
{
	return command->flags & COMMAND_OUTPUT ? common + 1 : common;
}

static void collect(struct rows *r, struct cli *c, void *values)
{
	*r = (struct rows){ .n = 0 };
	/* '+': stop at the first word that is none; ':': tell us what is missing. */
	snprintf(r->shorts, sizeof(r->shorts), "%s", c->command->flags & COMMAND_RUNS ? "+:" : ":");
	for (const struct opt *o = c->command->options; o && o->name && r->n < OPTIONS_MAX; o++)
		add_row(r, o, values);
	for (const struct opt *o = common_of(c->command); o->name && r->n < OPTIONS_MAX; o++)
		add_row(r, o, c);
}

static int find_letter(const struct rows *r, int letter)
{
	for (int i = 0; i < r->n; i++)
		if (r->row[i]->letter == letter)
			return i;
	return -1;
}

/* "--quiet=1", or as much of the name as getopt_long() needs: is it one that takes no value? */
static bool is_flag_with_value(const struct rows *r, const char *word)
{
	size_t len = strcspn(word, "=");

	for (int i = 0; i < r->n && word[len] && len > 2; i++)
		if (!r->row[i]->value && strncmp(word, "--", 2) == 0 &&
		    strncmp(word + 2, r->row[i]->name, len - 2) == 0)
			return true;
	return false;
}

static const char *what_is_wrong(const struct rows *r, const char *word, int found)
{
	if (found == ':')
		return "a value is missing";
	return !optopt && is_flag_with_value(r, word) ? "takes no value" : "no such option";
}

/* Options of docker and podman, and what to do here instead. @name: with its letter, if it has one.
 */
static const char *known_elsewhere(const struct cli *c, const char *word)
{
	static const struct {
		const char *letter, *name, *instead;
	} rows[] = {
		{ "-i", "--interactive", "leave it out: the command has this terminal and stdin" },
		{ "-t", "--tty", "leave it out: the command has this terminal and stdin" },
		{ "-e", "--env", "-- env NAME=VALUE COMMAND; it has this environment" },
		{ "-v", "--volume", "leave it out: a task has the host's files" },
		{ "-u", "--user", "-- setpriv --reuid USER --regid GROUP --init-groups COMMAND" },
		{ "-w", "--workdir", "cd there first: the command starts in this directory" },
		{ "", "--hostname", "the host name is the name: --name" },
		{ "-f", "--follow", "taskvpc logs -f TASK" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows) && c->command->flags & COMMAND_RUNS; i++)
		if (!strcmp(word, rows[i].letter) ||
		    !strncmp(word, rows[i].name, strlen(rows[i].name)))
			return rows[i].instead;
	return NULL;
}

static const char *meant(const struct rows *r, const char *word)
{
	char name[64];
	size_t len = strcspn(word, "=");

	if (strncmp(word, "--", 2) != 0 || len - 2 >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(len - 2), word + 2);
	for (int i = 0; i < r->n; i++)
		if (text_is_slip(name, r->row[i]->name))
			return r->row[i]->name;
	return NULL;
}

static int refuse(const struct rows *r, const struct cli *c, char **argv, int found, struct err *e)
{
	char shown[80], word[3] = { '-', (char)optopt, '\0' };
	const char *why = what_is_wrong(r, argv[optind - 1], found);
	const char *typed = optopt ? word : argv[optind - 1], *instead = known_elsewhere(c, typed),
		   *other = meant(r, typed);

	/* After a long option getopt_long() has passed it; a letter may stand amid others. */
	text_printable(shown, sizeof(shown), typed);
	cli_error(e, EXIT_USAGE, "%s: %s", shown, why);
	if (found == '?' && instead)
		err_hint(e, "%s", instead);
	else
		err_hint(e, "%s%s%s`taskvpc %s --help` tells them all",
			 other ? "did you mean --" : "", other ? other : "", other ? "? " : "",
			 c->command->name);
	return -EINVAL;
}

static int store(const struct opt *o, void *values, struct err *e)
{
	void *at = (char *)values + o->offset;
	struct words *words = at;

	if (o->type == OPT_FLAG)
		*(bool *)at = true;
	else if (o->type == OPT_TEXT)
		*(const char **)at = optarg;
	else if (words->n == WORDS_MAX)
		return cli_error(e, EXIT_USAGE, "--%s: more than %d times", o->name, WORDS_MAX);
	else
		words->text[words->n++] = optarg;
	return 0;
}

static int judge_root(const struct cli *c, struct err *e)
{
	if (!(c->command->flags & COMMAND_ROOT) || geteuid() == 0)
		return 0;
	cli_error(e, EXIT_ROOT, "this needs root");
	err_hint(e, "sudo taskvpc %s …", c->command->name);
	return -EPERM;
}

int cli_options(struct cli *c, int argc, char **argv, void *values, int *rest, struct err *e)
{
	struct rows r;
	int found, i, rc = 0;

	collect(&r, c, values);
	optind = 1;
	opterr = 0;
	while (!rc && (found = getopt_long(argc, argv, r.shorts, r.longs, &i)) != -1) {
		if (found == '?' || found == ':')
			return refuse(&r, c, argv, found, e);
		if (found)
			i = find_letter(&r, found);
		if (!strcmp(r.row[i]->name, "help")) {
			cli_help(c->command);
			return 1;
		}
		rc = store(r.row[i], r.values[i], e);
	}
	*rest = optind;
	return rc ? rc : judge_root(c, e);
}

int cli_words(const struct cli *c, int argc, char **argv, int rest, int max, struct err *e)
{
	char shown[60];

	if (argc - rest <= max)
		return 0;
	text_printable(shown, sizeof(shown), argv[rest + max]);
	cli_error(e, EXIT_USAGE, "too many words: what is \"%s\"?", shown);
	err_hint(e, "taskvpc %s %s", c->command->name, c->command->synopsis);
	return -EINVAL;
}

static void help_row(const struct opt *o)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%c%s --%s%s%s", o->letter ? "-" : " ",
		 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, o->value ? " " : "",
		 o->value ? o->value : "");
	if (strlen(left) > LEFT)
		printf("  %s\n  %-*s %s\n", left, LEFT, "", o->help);
	else
		printf("  %-*s %s\n", LEFT, left, o->help);
}

void cli_help(const struct command *command)
{
	printf("taskvpc %s: %s\n\n  taskvpc %s %s\n\n%s\nOptions:\n", command->name, command->help,
	       command->name, command->synopsis, command->lesson);
	for (const struct opt *o = command->options; o && o->name; o++)
		help_row(o);
	for (const struct opt *o = common_of(command); o->name; o++)
		help_row(o);
	if (command->examples)
		printf("\nExamples:\n%s", command->examples);
}
