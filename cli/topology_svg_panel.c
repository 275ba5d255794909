/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One group: its name, what joins its tasks, and the tasks in rows along that. */
#include <stdio.h>
#include <string.h>

#include "topology_svg.h"

#define HEAD    58 /* height of the title */
#define TRUNK_X (PANEL_X + 22)
#define LEFT    (PANEL_X + 42) /* of the first card */
#define RIGHT   18
#define BOTTOM  16
#define BAR_W   120 /* of what a subnet has used */
#define DROP_X  20  /* where the wire meets a card */

/* How cards, or cells, stand in rows. */
struct rows {
	bool dense;
	int across; /* how many in a row */
	int step;   /* from one to the next */
	int wire;   /* from the bar above them down to their upper edge */
	int gap;    /* below them */
	int drop;
};

#define ACROSS_MIN 3
#define ACROSS_MAX 4

int svg_across(const json *doc)
{
	int most = ACROSS_MIN;

	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g)) {
		int n = (int)json_count(json_get(g, "tasks"));

		most = n > most ? n : most;
	}
	return most < ACROSS_MAX ? most : ACROSS_MAX;
}

int svg_panel_width(const json *doc)
{
	return LEFT - PANEL_X + svg_across(doc) * (CARD_W + CARD_GAP) - CARD_GAP + RIGHT;
}

int svg_width(const json *doc)
{
	return PANEL_X + svg_panel_width(doc) + SVG_MARGIN;
}

static bool has_wire(const json *group, const json *task)
{
	return is_kind(group, "host") || *live_text(task, "wire");
}

static bool is_joined(const json *group)
{
	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t))
		if (has_wire(group, t))
			return true;
	return false;
}

/* Cells are small enough for seven where there is room for four cards. */
static struct rows rows_of(const json *doc, const json *group)
{
	struct rows cells = { .dense = true,
			      .across = 7,
			      .step = CELL_W + CELL_GAP,
			      .wire = 11,
			      .gap = 6,
			      .drop = 11 };
	struct rows cards = { .across = svg_across(doc),
			      .step = CARD_W + CARD_GAP,
			      .wire = 26,
			      .gap = 12,
			      .drop = DROP_X };
	struct rows *rows = topology_is_dense(doc, group) ? &cells : &cards;

	if (!is_joined(group))
		rows->wire = 4;
	return *rows;
}

static int row_height(const json *doc, const struct rows *rows, const json *task)
{
	int h = rows->dense ? CELL_H : 0;

	for (int i = 0; i < rows->across && task && !rows->dense; i++, task = json_next(task)) {
		int one = card_height(doc, task);

		h = one > h ? one : h;
	}
	return h;
}

static const json *skip(const json *task, int n)
{
	while (n-- > 0 && task)
		task = json_next(task);
	return task;
}

int panel_height(const json *doc, const json *group)
{
	const struct rows rows = rows_of(doc, group);
	int h = HEAD;

	for (const json *t = json_first(json_get(group, "tasks")); t; t = skip(t, rows.across))
		h += rows.wire + row_height(doc, &rows, t) + rows.gap;
	return h + BOTTOM - rows.gap;
}

/* ---- the title ---- */

static void usage(FILE *out, const json *subnet, int x, int y)
{
	const int width = BAR_W;
	int64_t used = 0, leaked = 0, size = 0;
	char about[WORDS_TEXT];
	int a, b;

	json_integer(json_get(subnet, "used"), &used);
	json_integer(json_get(subnet, "leaked"), &leaked);
	json_integer(json_get(subnet, "size"), &size);
	if (size <= 0)
		return;
	/* None that there is gets nothing. */
	a = used ? 2 + (int)((double)used / (double)size * (width - 2)) : 0;
	b = leaked ? 2 + (int)((double)leaked / (double)size * (width - 2)) : 0;
	b = a + b > width ? width - a : b;
	fputs("<g>", out);
	svg_name(out, subnet_about(subnet, about));
	svg_rect(out, (struct svg_box){ x - width, y, width, 6, 3 }, "rest");
	if (a)
		svg_rect(out, (struct svg_box){ x - width, y, a, 6, 2 }, "node");
	if (b > 0)
		svg_rect(out, (struct svg_box){ x - width + a, y, b, 6, 2 }, "bad");
	fputs("</g>\n", out);
}

static bool is_well(const json *group)
{
	const char *state = live_text(json_get(group, "link"), "state");

	return !*state || !strcmp(state, "up");
}

static void title(FILE *out, const json *doc, const json *group, int y)
{
	const int room = svg_panel_width(doc) - (LEFT - PANEL_X) - RIGHT;
	char buf[WORDS_TEXT];
	int line = y + 18;

	svg_text(out, at(LEFT, y + 26), is_well(group) ? "h2" : "h2 bad",
		 (room - BAR_W - 20) * 10 / 88, group_name(group, buf));
	svg_text(out, at(LEFT, y + 45), "s soft", room * 10 / 64, group_about(group, " · ", buf));
	for (const json *s = json_first(json_get(group, "subnets")); s && line < y + 40;
	     s = json_next(s)) {
		usage(out, s, LEFT + room, line);
		line += 11;
	}
}

/* ---- what joins them ---- */

/*
 * Along the rows, from the trunk at the left. What it looks like says what it is: a bundle of wires
 * that a router keeps apart, a switch, a cable that all are on.
 */
static void bar(FILE *out, const json *doc, const json *group, int y, const char *class_name)
{
	const struct rows rows = rows_of(doc, group);
	int line = y + HEAD;

	fprintf(out, "<path class=\"%s%s\" d=\"M%d %d", class_name, rows.dense ? " thin" : "",
		TRUNK_X, y + 27);
	for (const json *t = json_first(json_get(group, "tasks")); t; t = skip(t, rows.across)) {
		int n = 0;

		for (const json *i = t; i && n < rows.across; i = json_next(i))
			n++;
		fprintf(out, "V%dH%dM%d %d", line, LEFT + rows.drop + (n - 1) * rows.step, TRUNK_X,
			line);
		line += rows.wire + row_height(doc, &rows, t) + rows.gap;
	}
	fputs("\"/>\n", out);
}

static void bars(FILE *out, const json *doc, const json *group, int y)
{
	bool routed = is_kind(group, "routed");

	if (!is_well(group))
		bar(out, doc, group, y, "wire cut");
	else
		bar(out, doc, group, y, routed || is_kind(group, "bridge") ? "bar" : "wire");
	if (routed)
		bar(out, doc, group, y, "bore");
}

static void joint(FILE *out, const json *group, int y)
{
	const int h = 27;

	svg_line(out, at(SVG_MARGIN + HOST_WIDTH, y + h), at(TRUNK_X, y + h),
		 is_well(group) ? "wire" : "wire cut");
	svg_dot(out, at(TRUNK_X, y + h), 10, "node");
	if (is_kind(group, "routed")) /* four ways: a router */
		fprintf(out,
			"<path class=\"hole\" d=\"M%d %dm-6 0l3.5-3v2h5v-2l3.5 3-3.5 3v-2h-5v2z\"/>\n",
			TRUNK_X, y + h);
	else if (is_kind(group, "bridge"))
		fprintf(out, "<path class=\"hole\" d=\"M%d %dm-6-3h12v2h-12zm0 4h12v2h-12z\"/>\n",
			TRUNK_X, y + h);
	else
		svg_dot(out, at(TRUNK_X, y + h), 4, "hole");
}

/* From the bar at @y down to each task of a row. */
static void wires(FILE *out, const json *group, const struct rows *rows, const json *task, int y)
{
	int x = LEFT + rows->drop;

	for (int i = 0; i < rows->across && task; i++, task = json_next(task), x += rows->step) {
		const char *wire = live_text(task, "wire");
		bool cut = *wire && strcmp(wire, "up") != 0;

		if (!has_wire(group, task))
			continue;
		svg_line(out, at(x, y), at(x, y + rows->wire), cut ? "wire cut" : "wire");
		if (!is_kind(group, "bridge"))
			svg_dot(out, at(x, y), rows->dense ? 2 : 3, "node");
		if (rows->dense)
			continue;
		svg_mono(out, at(x + 8, y + rows->wire - 6), "xs soft", 110,
			 live_text(task, "hostInterface"));
		svg_dot(out, at(x, y + rows->wire), 4, cut ? "bad" : "node");
	}
}

/* ---- all of it ---- */

static int row(FILE *out, const json *doc, const json *group, const json *task, int y)
{
	const struct rows rows = rows_of(doc, group);
	int h = row_height(doc, &rows, task), x = LEFT;
	const json *first = task;

	for (int i = 0; i < rows.across && task; i++, task = json_next(task), x += rows.step) {
		if (rows.dense)
			svg_cell(out, task, at(x, y + rows.wire));
		else
			svg_card(out, doc, task, at(x, y + rows.wire), h);
	}
	if (is_joined(group))
		wires(out, group, &rows, first, y);
	return rows.wire + h + rows.gap;
}

void svg_panel(FILE *out, const json *doc, const json *group, int y)
{
	const struct rows rows = rows_of(doc, group);
	int line = y + HEAD;
	char buf[WORDS_TEXT];

	fprintf(out, "<g class=\"%s\">", live_text(group, "kind"));
	svg_name(out, group_name(group, buf));
	svg_rect(out,
		 (struct svg_box){ PANEL_X, y, svg_panel_width(doc), panel_height(doc, group), 10 },
		 is_joined(group) ? "panel" : "panel open");
	title(out, doc, group, y);
	if (is_joined(group))
		bars(out, doc, group, y);
	for (const json *t = json_first(json_get(group, "tasks")); t; t = skip(t, rows.across))
		line += row(out, doc, group, t, line);
	if (is_joined(group))
		joint(out, group, y);
	fputs("</g>\n", out);
}
