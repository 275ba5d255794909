/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many tasks on a terminal: several on a line, each with what tells it from the others. */
#include <stdio.h>
#include <string.h>

#include "topology_text.h"

static const struct text_glyphs
	wide = { "├─", "└─", "│", "─", "╳", "→", "◀", "●", "✗", "?", " · " },
	plain = { "+-", "`-", "|", "-", "x", "->", "<", "*", "x", "?", ", " };

const struct text_glyphs *text_glyphs(void)
{
	return out_is_utf8() ? &wide : &plain;
}

const char *text_mark(const json *task)
{
	enum tone tone = task_tone(task);

	return tone == TONE_GOOD   ? text_glyphs()->well
	       : tone == TONE_WARN ? text_glyphs()->unknown
				   : text_glyphs()->bad;
}

bool text_is_told(const json *doc, const json *group, const json *task)
{
	return !topology_is_dense(doc, group) || *task_trouble(task);
}

/* Those that are well, side by side: the name, what is its own of the address, the first port. */
struct crowd {
	int name, address, port; /* how wide */
	unsigned n, columns;
};

static const char *first_port(const json *task, char buf[static WORDS_TEXT])
{
	const json *first = json_first(json_get(task, "ports"));
	char port[WORDS_TEXT];
	bool more = first && ports_text(first, text_glyphs()->arrow, port);

	snprintf(buf, WORDS_TEXT, "%s%.100s%s", first ? text_glyphs()->port : "", first ? port : "",
		 more ? " +" : "");
	return buf;
}

static int crowd_width(const struct crowd *c)
{
	return 2 + c->name + 1 + c->address + (c->port ? 1 + c->port : 0);
}

static struct crowd crowd_of(const json *doc, const json *group, int room)
{
	struct crowd c = { .n = 0 };
	char buf[WORDS_TEXT];

	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t)) {
		if (text_is_told(doc, group, t))
			continue;
		c.name = larger(c.name, out_width(task_name(t, buf)));
		c.address = larger(c.address, out_width(task_short_address(t, buf)));
		c.port = larger(c.port, out_width(first_port(t, buf)));
		c.n++;
	}
	c.name = c.name < TEXT_NAME_MAX ? c.name : TEXT_NAME_MAX;
	c.columns = (unsigned)larger((room + 3) / (crowd_width(&c) + 3), 1);
	return c;
}

static void put_cell(struct pen *pen, const struct crowd *c, const json *task)
{
	char buf[WORDS_TEXT];

	pen_put(pen, task_tone(task), 2, text_mark(task));
	pen_put(pen, TONE_PLAIN, c->name, task_name(task, buf));
	pen_blanks(pen, 1);
	pen_put(pen, TONE_DIM, c->address, task_short_address(task, buf));
	if (!c->port)
		return;
	pen_blanks(pen, 1);
	pen_put(pen, TONE_TITLE, c->port, first_port(task, buf));
}

void text_crowd(struct pen *pen, const json *doc, const json *group, const char *trunk)
{
	const struct crowd c = crowd_of(doc, group, pen->room - out_width(trunk) - 3);
	unsigned i = 0;
	char fork[32];

	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t)) {
		if (text_is_told(doc, group, t))
			continue;
		snprintf(fork, sizeof(fork), "%s%s ", trunk,
			 i + c.columns >= c.n ? text_glyphs()->last : text_glyphs()->fork);
		if (i % c.columns == 0)
			pen_begin(pen, fork);
		else
			pen_blanks(pen, 3);
		put_cell(pen, &c, t);
		if (++i % c.columns == 0 || i == c.n)
			pen_end(pen);
	}
}
