/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bars from zero, and below each the range that its rounds had. */
#include <string.h>

#include "report.h"

#define WIDTH 448
#define LEFT  132 /* of the bars */
#define ROOM  220 /* for the longest, and for all ranges */
#define STEP  34
#define THICK 16
#define BELOW 21 /* from a bar's upper edge to its range */

bool report_has_chart(const json *row)
{
	return *doc_unit(row, true) != '\0';
}

static double largest(const json *doc, const json *row, const char *key)
{
	double most = 0, value;

	for (const json *mode = json_first(json_get(doc, "modes")); mode; mode = json_next(mode))
		if (doc_value(row, doc_cell_of(row, doc_text(mode, "key")), key, &value))
			most = value > most ? value : most;
	return most;
}

/* One round that was disturbed must not squeeze all bars: its range is cut instead. */
static double longest(const json *doc, const json *row)
{
	const double high = largest(doc, row, "high"), twice = 2 * largest(doc, row, "value");
	const double most = high < twice ? high : twice;

	return most > 0 ? most : 1;
}

static void label(FILE *out, int x, int y, const char *attributes, const char *text)
{
	fprintf(out, "<text x=\"%d\" y=\"%d\" %s>", x, y, attributes);
	html_text(out, text);
	fputs("</text>", out);
}

/* From the lowest to the highest round; an arrow where that is not on the paper any more. */
static void range(FILE *out, double low, double high, double scale, int y)
{
	const bool cut = high * scale > ROOM + 0.5;

	fprintf(out, "<path class=\"range\" fill=\"none\" d=\"M%.1f %dv6m0 -3H%.1f%s\"/>",
		LEFT + low * scale, y - 3, cut ? (double)LEFT + ROOM : LEFT + high * scale,
		cut ? "m-5 -3l5 3l-5 3" : "m0 -3v6");
}

static void bar(FILE *out, const json *row, const json *cell, double scale, int y)
{
	double value = 0, low = 0, high = 0;
	char text[64];

	doc_short(row, cell, true, text, sizeof(text));
	if (!doc_value(row, cell, "value", &value)) {
		label(out, LEFT + 8, y + THICK - 4, "class=\"faint\"", text);
		return;
	}
	doc_value(row, cell, "low", &low);
	doc_value(row, cell, "high", &high);
	fprintf(out,
		"<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>",
		LEFT, y, value * scale, THICK);
	if (high > low)
		range(out, low, high, scale, y + BELOW);
	label(out, LEFT + 8 + (int)(value * scale), y + THICK - 4, "", text);
}

void report_chart(FILE *out, const json *doc, const json *row)
{
	const json *modes = json_get(doc, "modes");
	const double scale = ROOM / longest(doc, row);
	const int height = (int)json_count(modes) * STEP + 8;
	int n = 0;

	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
	html_text(out, doc_text(row, "heading"));
	fprintf(out, "\"><path class=\"axis\" d=\"M%d 0V%d\"/>", LEFT, height);
	for (const json *mode = json_first(modes); mode; mode = json_next(mode), n++) {
		const int y = n * STEP + 10;

		fprintf(out, "<g class=\"m%d\">", n);
		label(out, LEFT - 10, y + THICK - 4, "text-anchor=\"end\"",
		      doc_text(mode, "heading"));
		bar(out, row, doc_cell_of(row, doc_text(mode, "key")), scale, y);
		fputs("</g>", out);
	}
	fputs("</svg>\n", out);
}
