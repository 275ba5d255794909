/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of the text share: tasks that have a line each, and crowds. */
#ifndef CLI_TOPOLOGY_TEXT_H
#define CLI_TOPOLOGY_TEXT_H

#include "pen.h"
#include "topology.h"

#define TEXT_NAME_MAX 24 /* characters of a name that are shown */

/* What is drawn with. */
struct text_glyphs {
	const char *fork, *last, *trunk, *line, *cut, *arrow, *port, *well, *bad, *unknown, *dot;
};
const struct text_glyphs *text_glyphs(void);

/* text_mark: is it well? One character, for task_tone(). */
const char *text_mark(const json *task);
/* text_is_told: has it a line of its own? Else it is one of a crowd. */
bool text_is_told(const json *doc, const json *group, const json *task);
/* text_crowd: those of @group that have none, in columns. @trunk: in front of each line. */
void text_crowd(struct pen *pen, const json *doc, const json *group, const char *trunk);

static inline int larger(int a, int b)
{
	return a > b ? a : b;
}

#endif
