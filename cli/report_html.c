/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTML file that needs nothing else: the modes, the answers as a table, the figures as charts.
 */
#include <string.h>

#include "report.h"

void html_text(FILE *out, const char *s)
{
	static const char *const escapes[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"
	};

	for (; *s; s++) {
		const char *escape = escapes[(unsigned char)*s];

		if (escape)
			fputs(escape, out);
		else
			fputc(*s, out);
	}
}

void html_tag(FILE *out, const char *tag, const char *class_name, const char *text)
{
	if (*class_name)
		fprintf(out, "<%s class=\"%s\">", tag, class_name);
	else
		fprintf(out, "<%s>", tag);
	html_text(out, text);
	fprintf(out, "</%s>", tag);
}

/* ---- the modes ---- */

static void put_modes(FILE *out, const json *doc)
{
	int n = 0;

	/* Two beside each other where three would leave one alone. */
	fprintf(out, "<h2>The modes</h2>\n<div class=\"modes%s\">\n",
		json_count(json_get(doc, "modes")) % 3 == 1 ? " pairs" : "");
	for (const json *m = json_first(json_get(doc, "modes")); m; m = json_next(m), n++) {
		fprintf(out, "<figure class=\"mode m%d\"><figcaption>", n);
		html_text(out, doc_text(m, "heading"));
		html_tag(out, "small", "", doc_text(m, "how"));
		fputs("</figcaption>", out);
		report_picture(out, m);
		fputs("</figure>\n", out);
	}
	fputs("</div>\n", out);
}

/* ---- the table ---- */

static const char *mark_of(const json *cell)
{
	const char *verdict = doc_text(cell, "verdict");

	if (!strcmp(verdict, "yes"))
		return "✓ ";
	return strcmp(verdict, "no") != 0 ? "" : "✗ ";
}

static void put_range(FILE *out, const json *row, const json *cell)
{
	char text[CELL_TEXT];

	if (doc_range(row, cell, " – ", text, sizeof(text)))
		html_tag(out, "small", "n", text);
}

static void put_cell(FILE *out, const json *row, const json *cell)
{
	static const char *const classes[] = {
		[TONE_GOOD] = "good", [TONE_BAD] = "bad", [TONE_DIM] = "dim"
	};
	const char *class_name = classes[doc_tone(row, cell)];
	char text[CELL_TEXT];

	fprintf(out, "<td%s%s%s><b>%s", class_name ? " class=\"" : "", class_name ? class_name : "",
		class_name ? "\"" : "", mark_of(cell));
	doc_short(row, cell, true, text, sizeof(text));
	html_text(out, text);
	fputs("</b>", out);
	put_range(out, row, cell);
	if (*doc_text(cell, "detail"))
		html_tag(out, "small", "", doc_text(cell, "detail"));
	fputs("</td>", out);
}

static void put_row(FILE *out, const json *doc, const json *row)
{
	fputs("<tr><th scope=\"row\">", out);
	html_text(out, doc_text(row, "heading"));
	html_tag(out, "small", "", doc_text(row, "how"));
	fputs("</th>", out);
	for (const json *m = json_first(json_get(doc, "modes")); m; m = json_next(m))
		put_cell(out, row, doc_cell_of(row, doc_text(m, "key")));
	fputs("</tr>\n", out);
}

static void put_head(FILE *out, const json *doc)
{
	int n = 0;

	fputs("<thead><tr><th></th>", out);
	for (const json *m = json_first(json_get(doc, "modes")); m; m = json_next(m)) {
		fprintf(out, "<th scope=\"col\" class=\"m%d\">", n++);
		html_text(out, doc_text(m, "heading"));
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n", out);
}

static void put_table(FILE *out, const json *doc)
{
	const unsigned columns = json_count(json_get(doc, "modes")) + 1;
	const char *group = "";

	fputs("<h2 class=\"table\">Side by side</h2>\n<div class=\"scroll\"><table>\n", out);
	put_head(out, doc);
	fputs("<tbody>\n", out);
	for (const json *row = json_first(json_get(doc, "questions")); row; row = json_next(row)) {
		if (strcmp(group, doc_text(row, "group")) != 0) {
			group = doc_text(row, "group");
			fprintf(out, "<tr class=\"group\"><th colspan=\"%u\">", columns);
			html_tag(out, "span", "", group);
			fputs("</th></tr>\n", out);
		}
		put_row(out, doc, row);
	}
	fputs("</tbody></table></div>\n", out);
}

/* ---- the charts ---- */

/* Half of the rounds took more than thrice the time of the best: something else was running. */
static bool is_restless(const json *row)
{
	double value, low;

	if (strcmp(doc_text(row, "want"), "little") != 0)
		return false;
	for (const json *c = json_first(json_get(row, "cells")); c; c = json_next(c))
		if (doc_value(row, c, "value", &value) && doc_value(row, c, "low", &low) &&
		    value > 3 * low)
			return true;
	return false;
}

bool report_was_restless(const json *doc)
{
	const json *row = json_first(json_get(doc, "questions"));

	while (row && !(report_has_chart(row) && is_restless(row)))
		row = json_next(row);
	return row;
}

static void put_chart(FILE *out, const json *doc, const json *row)
{
	bool little = !strcmp(doc_text(row, "want"), "little");

	fputs("<figure><figcaption>", out);
	html_text(out, doc_text(row, "heading"));
	html_tag(out, "small", "", doc_text(row, "how"));
	html_tag(out, "small", "", little ? "Less is better." : "More is better.");
	fputs("</figcaption>", out);
	report_chart(out, doc, row);
	fputs("</figure>\n", out);
}

static void put_charts(FILE *out, const json *doc)
{
	fputs("<h2>Figures</h2>\n<p class=\"soft\">A bar is the median; the line below it goes from "
	      "the lowest to the highest round, and ends in an arrow where that is far off.</p>\n",
	      out);
	if (report_was_restless(doc))
		fputs("<p class=\"note\">Half of the rounds of some figures took more than thrice the "
		      "time of the best one: this machine had other work to do. Try again when it is "
		      "idle.</p>\n",
		      out);
	fputs("<div class=\"charts\">\n", out);
	for (const json *row = json_first(json_get(doc, "questions")); row; row = json_next(row))
		if (report_has_chart(row))
			put_chart(out, doc, row);
	fputs("</div>\n", out);
}

/* ---- the page ---- */

static void put_foot(FILE *out, const json *doc)
{
	int64_t ms = 0, processors = 0;

	json_integer(json_get(doc, "milliseconds"), &ms);
	json_integer(json_get(doc, "processors"), &processors);
	fputs("<footer class=\"soft\">taskvpc ", out);
	html_text(out, doc_text(doc, "taskvpc"));
	fputs(", Linux ", out);
	html_text(out, doc_text(doc, "kernel"));
	fputs(" ", out);
	html_text(out, doc_text(doc, "machine"));
	fprintf(out, ", %d processors. Tried in %.1f s, ", (int)processors, (double)ms / 1000);
	html_text(out, doc_text(doc, "date"));
	fputs(".</footer>\n", out);
}

void report_page(FILE *out, const json *doc)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<title>What each network mode trades</title>\n<style>\n",
	      out);
	fputs(report_style, out);
	fputs("</style></head><body><main>\n<p class=\"over\">taskvpc compare</p>\n<h1>What each "
	      "network mode trades</h1>\n"
	      "<p class=\"soft\">Each mode had a lab of its own: a host, a machine beside it on a "
	      "LAN, and two tasks, a and b, attached by the CNI plugins as for any runtime. Task a "
	      "serves at port 80. The same was tried in each.</p>\n"
	      "<p class=\"soft\">Every cell was seen in that run, or says why it could not be "
	      "tried. Coloured are the cells where one answer is the safer, or the more "
	      "convenient, for everybody; the others depend on what one is after. Figures are "
	      "medians, with the lowest and the highest round.</p>\n",
	      out);
	put_modes(out, doc);
	put_table(out, doc);
	put_charts(out, doc);
	put_foot(out, doc);
	fputs("</main></body></html>\n", out);
}
