/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Printing: the same plan as commands that sh runs, each in the namespace of its step. */
#include "plan/io.h"

#include <string.h>

#define STEP_TEXT 8192
#define WHY_WIDTH 78 /* of a comment */

/* `ip -n NAME …` where the namespace has a name; else any command behind nsenter. */
static void print_in_task(const char *netns, const char *line, int len, struct text *t)
{
	const char *name = netns_name(netns);

	if (name && strncmp(line, "ip ", 3) == 0) {
		text_add(t, "ip -n ");
		text_add_shell(t, name);
		text_add(t, "%.*s", len - 2, line + 2);
	} else if (name) {
		text_add(t, "ip netns exec ");
		text_add_shell(t, name);
		text_add(t, " %.*s", len, line);
	} else {
		text_add(t, "nsenter --net=");
		text_add_shell(t, netns);
		text_add(t, " %.*s", len, line);
	}
}

/* Apart, for each ADD prints steps of the host, and would touch two pages of stack for nothing. */
__attribute__((noinline)) static void print_task_step(const struct plan *p, const struct step *s,
						      bool undo, struct text *t)
{
	char lines[STEP_TEXT];
	struct text step;
	const char *line = lines;

	text_init(&step, lines, sizeof(lines));
	s->kind->print(s, p, undo, &step);
	while (*line) {
		size_t len = strcspn(line, "\n");

		print_in_task(p->a->netns, line, (int)len, t);
		line += len + (line[len] == '\n');
		text_add(t, "%s", *line ? "\n" : "");
	}
}

void plan_print_step(const struct plan *p, const struct step *s, bool undo, struct text *t)
{
	if (s->side == TASK)
		print_task_step(p, s, undo, t);
	else
		s->kind->print(s, p, undo, t);
}

void plan_hint_command(const struct plan *p, enum side side, const char *line, struct err *e)
{
	char command[512];
	struct text t;

	text_init(&t, command, sizeof(command));
	if (side == TASK)
		print_in_task(p->a->netns, line, (int)strlen(line), &t);
	else
		text_add(&t, "%s", line);
	err_hint(e, "to repair it: %s", command);
}

void plan_hint_link(const struct plan *p, enum side side, const char *ifname, const char *key,
		    const char *value, struct err *e)
{
	char line[128];
	struct text t;

	text_init(&t, line, sizeof(line));
	text_add(&t, "ip link set dev ");
	text_add_shell(&t, ifname);
	text_add(&t, " %s ", key);
	text_add_shell(&t, value);
	plan_hint_command(p, side, line, e);
}

/* What is printed, and what was last said, which need not be said twice. */
struct printing {
	const struct plan *plan;
	unsigned what;
	const char *said;
	struct text *t;
};

/* The longest piece of @text that ends before a space and fits a line. */
static int line_length(const char *text)
{
	int len = (int)strcspn(text, " "), more;

	while (text[len]) {
		more = len + 1 + (int)strcspn(text + len + 1, " ");
		if (more > WHY_WIDTH)
			break;
		len = more;
	}
	return len;
}

static void print_why(struct printing *p, const char *why)
{
	if (!why || (p->said && strcmp(why, p->said) == 0))
		return;
	p->said = why;
	text_add(p->t, "\n");
	while (*why) {
		int len = line_length(why);

		text_add(p->t, "# %.*s\n", len, why);
		why += len + (why[len] == ' ');
	}
}

static void print_line(struct printing *p, const struct step *s)
{
	char line[STEP_TEXT];
	struct text t;

	text_init(&t, line, sizeof(line));
	plan_print_step(p->plan, s, p->what & PLAN_PRINT_UNDO, &t);
	if (!t.len)
		return;
	if (p->what & PLAN_PRINT_WHY)
		print_why(p, plan_why(s, p->what & PLAN_PRINT_UNDO));
	text_add(p->t, "%s\n", line);
}

void plan_print(const struct plan *p, unsigned what, struct text *t)
{
	struct printing printing = { .plan = p, .what = what, .t = t };

	for (unsigned i = 0; i < p->n && !(what & PLAN_PRINT_UNDO); i++)
		print_line(&printing, &p->steps[i]);
	for (unsigned i = p->n; i-- > 0 && (what & PLAN_PRINT_UNDO);)
		if (!p->steps[i].shared && p->steps[i].dies_with < 0)
			print_line(&printing, &p->steps[i]);
}
