/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture as SVG: the host at the left as a trunk, at its right a panel for each group, in it a
 * card for each task. All sizes are pixels of the viewBox. Private to cli/topology_svg*.c.
 */
#ifndef CLI_TOPOLOGY_SVG_H
#define CLI_TOPOLOGY_SVG_H

#include "topology.h"

#define SVG_MARGIN 28
#define HOST_WIDTH 262
#define PANEL_X    342

/* svg_across: how many cards stand side by side at most; so the width of all. */
int svg_across(const json *doc);
int svg_panel_width(const json *doc);
int svg_width(const json *doc);

/* ---- marks: topology_svg_mark.c ---- */

struct svg_point {
	int x, y;
};
static inline struct svg_point at(int x, int y)
{
	return (struct svg_point){ x, y };
}
struct svg_box {
	int x, y, w, h, radius;
};

/* svg_cut: @text printable, and cut to @max characters with an ellipsis. */
const char *svg_cut(const char *text, int max, char buf[static WORDS_TEXT]);
/* svg_text: @text as svg_cut has it, escaped. */
void svg_text(FILE *out, struct svg_point p, const char *class_name, int max, const char *text);
/* svg_mono: in a fixed-width font; squeezed into @width instead of cut. */
void svg_mono(FILE *out, struct svg_point p, const char *class_name, int width, const char *text);
void svg_rect(FILE *out, struct svg_box box, const char *class_name);
/* svg_line: horizontal, then vertical. */
void svg_line(FILE *out, struct svg_point from, struct svg_point to, const char *class_name);
void svg_dot(FILE *out, struct svg_point p, int radius, const char *class_name);
/* svg_name: what a reader hears of the element that was begun: its <title>. */
void svg_name(FILE *out, const char *text);
const char *svg_tone(enum tone tone); /* the class of a tone */

extern const char svg_style[];

/* ---- parts. Each height is also what the drawing takes ---- */

int panel_height(const json *doc, const json *group);
/* svg_panel: @y: its upper edge. */
void svg_panel(FILE *out, const json *doc, const json *group, int y);

int card_height(const json *doc, const json *task);
/* svg_card: @p: its upper left corner; @h: as high as its neighbours. */
void svg_card(FILE *out, const json *doc, const json *task, struct svg_point p, int h);
/*
 * svg_fit: text in the proportional face, no wider than @width: cut to @max characters, and
 * squeezed where its letters may be wider than the room.
 */
void svg_fit(FILE *out, struct svg_box room, const char *class_name, int max, const char *text);

#define CARD_W   192
#define CARD_GAP 14
void svg_cell(FILE *out, const json *task, struct svg_point p);
#define CELL_W   108
#define CELL_GAP 9
#define CELL_H   38

int host_height(const json *doc);
void svg_host(FILE *out, const json *doc, int y, int h);

#endif
