/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Printing: the same plan as commands that sh runs, each in the namespace of its step. */
#include "plan/io.h"

#include <string.h>

#define STEP_TEXT 8192

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

void plan_print_step(const struct plan *p, const struct step *s, bool undo, struct text *t)
{
	char lines[STEP_TEXT];
	struct text step;
	const char *line = lines;

	text_init(&step, lines, sizeof(lines));
	s->kind->print(s, p, undo, &step);
	if (s->side == HOST) {
		text_add(t, "%s", lines);
		return;
	}
	while (*line) {
		size_t len = strcspn(line, "\n");

		print_in_task(p->a->netns, line, (int)len, t);
		line += len + (line[len] == '\n');
		text_add(t, "%s", *line ? "\n" : "");
	}
}

static void print_line(const struct plan *p, const struct step *s, bool undo, struct text *t)
{
	size_t before = t->len;

	plan_print_step(p, s, undo, t);
	if (t->len > before)
		text_add(t, "\n");
}

void plan_print(const struct plan *p, enum plan_print what, struct text *t)
{
	if (what == PLAN_PRINT_APPLY) {
		for (unsigned i = 0; i < p->n; i++)
			print_line(p, &p->steps[i], false, t);
		return;
	}
	for (unsigned i = p->n; i-- > 0;)
		if (!p->steps[i].shared && p->steps[i].dies_with < 0)
			print_line(p, &p->steps[i], true, t);
}
