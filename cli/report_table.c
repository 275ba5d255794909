/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The comparison on a terminal: a line for each question; with --why each of them in full below. */
#include <stdio.h>
#include <string.h>

#include "compare.h"

static void cell_heading(const json *row, const struct column *col, struct cell *ret)
{
	const char *group = doc_text(row, "title");

	snprintf(ret->text, sizeof(ret->text), "%s%s", *group ? group : "  ",
		 doc_text(row, col->key));
	ret->tone = *group ? TONE_TITLE : TONE_PLAIN;
}

static void cell_answer(const json *row, const struct column *col, struct cell *ret)
{
	const json *cell = doc_cell_of(row, col->key);

	doc_short(row, cell, out_is_utf8(), ret->text, sizeof(ret->text));
	ret->tone = doc_tone(row, cell);
}

/* The questions, with a row in front of each group that has nothing but its title. */
static json *with_titles(const json *doc)
{
	json *list = json_array();
	const char *group = "";

	for (const json *row = json_first(json_get(doc, "questions")); row; row = json_next(row)) {
		if (strcmp(doc_text(row, "group"), group) != 0) {
			group = doc_text(row, "group");
			json_add_string(json_add_object(list, NULL), "title", group);
		}
		json_add_copy(list, NULL, row);
	}
	return list;
}

static void put_seen(const json *doc, const json *row)
{
	for (const json *mode = json_first(json_get(doc, "modes")); mode; mode = json_next(mode)) {
		const json *cell = doc_cell_of(row, doc_text(mode, "key"));
		const char *detail = doc_text(cell, "detail");
		char text[CELL_TEXT];
		double low, high;

		doc_short(row, cell, out_is_utf8(), text, sizeof(text));
		printf("  %-16s %s%s%s%s%s", doc_text(mode, "key"), out_tone(doc_tone(row, cell)),
		       text, out_tone(TONE_PLAIN), *detail ? ": " : "", detail);
		if (!*detail && doc_value(row, cell, "low", &low) &&
		    doc_value(row, cell, "high", &high) && low < high)
			printf(", %.3g to %.3g", low, high);
		putchar('\n');
	}
}

static void put_why(const json *doc)
{
	for (const json *row = json_first(json_get(doc, "questions")); row; row = json_next(row)) {
		printf("\n%s%s%s\n%s\n", out_tone(TONE_TITLE), doc_text(row, "heading"),
		       out_tone(TONE_PLAIN), doc_text(row, "how"));
		put_seen(doc, row);
	}
}

void report_table(const struct cli *c, const json *doc, bool why)
{
	struct column columns[MODES_MAX + 2] = { { "", "heading", cell_heading } };
	cleanup_json json *list = with_titles(doc);
	unsigned n = 1;

	for (const json *mode = json_first(json_get(doc, "modes")); mode; mode = json_next(mode))
		columns[n++] = (struct column){ doc_text(mode, "heading"), doc_text(mode, "key"),
						cell_answer };
	out_list(c, list, columns, "nothing was asked");
	if (why)
		put_why(doc);
	else
		printf("\nHow each was tried, and what was seen: taskvpc compare --why\n");
}
