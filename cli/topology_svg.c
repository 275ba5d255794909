/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page: title, the world, the host, the panels, and below what is not well. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "topology_svg.h"

#define TOP          168 /* of the host and the first panel */
#define GAP          16
#define PROBLEMS_MAX 20
#define LINE         19
#define NOTE         52 /* above the lines of a note: its title, and air */

/* ---- measures ---- */

static int panels_height(const json *doc)
{
	int h = 0;

	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		h += panel_height(doc, g) + GAP;
	return h ? h - GAP : 0;
}

static int middle_height(const json *doc)
{
	int panels = panels_height(doc), host = host_height(doc);

	return panels > host ? panels : host;
}

static int lines_of(const json *list, int max)
{
	int n = (int)json_count(list);

	return n > max ? max + 1 : n;
}

static int notes_height(const json *doc)
{
	int problems = lines_of(json_get(doc, "problems"), PROBLEMS_MAX),
	    unused = lines_of(json_get(doc, "unused"), PROBLEMS_MAX);

	return (problems ? NOTE + problems * LINE : 0) + (unused ? NOTE + unused * LINE : 0);
}

/* ---- title ---- */

static void legend(FILE *out, int right)
{
	static const struct {
		const char *words;
		enum tone tone;
		int x; /* from the right edge */
	} rows[] = {
		{ "well", TONE_GOOD, 224 },
		{ "broken, or dead and leaked", TONE_BAD, 172 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		svg_dot(out, at(right - rows[i].x, 44), 4, svg_tone(rows[i].tone));
		svg_text(out, at(right - rows[i].x + 10, 48), "s soft", 40, rows[i].words);
	}
}

static void head(FILE *out, const json *doc)
{
	const json *host = json_get(doc, "host");
	const unsigned tasks = topology_count(doc);
	char line[2 * WORDS_TEXT], name[WORDS_TEXT];

	svg_text(out, at(SVG_MARGIN, 48), "h1", 60, shown_text(host, "name", name));
	snprintf(line, sizeof(line), "%u task%s  ·  Linux %.60s  ·  taskvpc %s, %s", tasks,
		 tasks == 1 ? "" : "s", live_text(host, "kernel"), live_text(doc, "taskvpc"),
		 live_text(doc, "date"));
	svg_text(out, at(SVG_MARGIN, 72), "s soft", 140, line);
	legend(out, svg_width(doc) - SVG_MARGIN);
}

static void world(FILE *out, const json *doc)
{
	bool exits = false;

	for (const json *i = json_first(json_get(json_get(doc, "host"), "interfaces")); i;
	     i = json_next(i))
		exits |= json_count(json_get(i, "gateways")) != 0;
	svg_rect(out, (struct svg_box){ SVG_MARGIN, 100, HOST_WIDTH, 32, 16 },
		 exits ? "box" : "box open");
	svg_text(out, at(SVG_MARGIN + 24, 121), "", 40,
		 exits ? "outside" : "outside: no default route");
}

/* ---- notes ---- */

static int put_problems(FILE *out, const json *doc, int y)
{
	const json *list = json_get(doc, "problems");
	const int half = svg_width(doc) / 2;
	char line[2 * WORDS_TEXT], name[WORDS_TEXT], more[40];
	int n = 0;

	if (!json_count(list))
		return y;
	svg_text(out, at(SVG_MARGIN, y + NOTE - 12), "h2 bad", 40, "not well");
	y += NOTE - 6 + LINE;
	for (const json *p = json_first(list); p && n < PROBLEMS_MAX;
	     p = json_next(p), n++, y += LINE) {
		bool of_task = json_get(p, "task") != NULL;

		snprintf(line, sizeof(line), "%s%s%.300s", of_task ? task_name(p, name) : "",
			 of_task ? ": " : "", live_text(p, "finding"));
		svg_text(out, at(SVG_MARGIN, y), "", (half - SVG_MARGIN) / 7, line);
		svg_mono(out, at(half + 12, y), "s soft", half - SVG_MARGIN - 12,
			 live_text(p, "fix"));
	}
	if (json_count(list) > PROBLEMS_MAX) {
		snprintf(more, sizeof(more), "and %u more", json_count(list) - PROBLEMS_MAX);
		svg_text(out, at(SVG_MARGIN, y), "soft", 40, more);
		y += LINE;
	}
	return y - LINE + 6;
}

static void put_unused(FILE *out, const json *doc, int y)
{
	const json *list = json_get(doc, "unused");
	char line[WORDS_TEXT];
	int n = 0;

	if (!json_count(list))
		return;
	svg_text(out, at(SVG_MARGIN, y + NOTE - 12), "h2", 40, "subnets without a task");
	y += NOTE - 6 + LINE;
	for (const json *s = json_first(list); s && n < PROBLEMS_MAX;
	     s = json_next(s), n++, y += LINE)
		svg_text(out, at(SVG_MARGIN, y), "s soft", 160, subnet_about(s, line));
	if (json_count(list) > PROBLEMS_MAX)
		svg_text(out, at(SVG_MARGIN, y), "s soft", 40, "and more: taskvpc subnets");
}

/* ---- the whole ---- */

static void describe(FILE *out, const json *doc)
{
	char line[WORDS_TEXT], name[WORDS_TEXT];

	fputs("<title>", out);
	snprintf(line, sizeof(line), "The network of %.200s",
		 shown_text(json_get(doc, "host"), "name", name));
	html_text(out, line);
	fputs("</title>\n<desc>Tasks by what joins them. ", out);
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g)) {
		char count[48];

		html_text(out, group_name(g, line));
		snprintf(count, sizeof(count), ": %u. ", json_count(json_get(g, "tasks")));
		fputs(count, out);
	}
	fprintf(out, "Not well: %u.</desc>\n", json_count(json_get(doc, "problems")));
}

/* Tasks of mode host are in the host's own box: nothing lies in between. */
static void bands(FILE *out, const json *doc)
{
	int y = TOP;

	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g)) {
		int h = panel_height(doc, g);

		if (is_kind(g, "host"))
			svg_rect(out,
				 (struct svg_box){ SVG_MARGIN + HOST_WIDTH - 12, y,
						   PANEL_X - SVG_MARGIN - HOST_WIDTH + 24, h, 0 },
				 "band");
		y += h + GAP;
	}
}

void topology_svg(FILE *out, const json *doc)
{
	const int middle = middle_height(doc), height = TOP + middle + notes_height(doc) + 36;
	const int width = svg_width(doc);
	int y = TOP;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		"height=\"%d\" role=\"img\">\n",
		width, height, width, height);
	describe(out, doc);
	fprintf(out, "<style>%s</style>\n", svg_style);
	svg_rect(out, (struct svg_box){ 0, 0, width, height, 0 }, "paper");
	head(out, doc);
	world(out, doc);
	bands(out, doc);
	svg_host(out, doc, TOP, middle);
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g)) {
		svg_panel(out, doc, g, y);
		y += panel_height(doc, g) + GAP;
	}
	put_unused(out, doc, put_problems(out, doc, TOP + middle));
	fputs("\n</svg>\n", out);
}
