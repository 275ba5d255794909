/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The comparison on a terminal: a line for each question; with --why each of them in full below. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "report.h"

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
		char text[CELL_TEXT], range[CELL_TEXT];
		doc_short(row, cell, out_is_utf8(), text, sizeof(text));
		printf("  %-16s %s%s%s%s%s", doc_text(mode, "key"), out_tone(doc_tone(row, cell)),
		       text, out_tone(TONE_PLAIN), *detail ? ": " : "", detail);
		if (!*detail && doc_range(row, cell, " to ", range, sizeof(range)))
			printf(", %s", range);
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

/* ---- blocks: of as many modes as the terminal is wide ---- */

#define GAP 2 /* between columns, as out_list has it */

/* What nobody looks at needs no fitting: a pipe gets one table. */
static int room(void)
{
	return isatty(STDOUT_FILENO) || getenv("COLUMNS") ? out_columns() : INT_MAX;
}

static int width_of(const json *list, const struct column *col)
{
	int widest = out_width(col->title);
	struct cell cell;

	for (const json *row = json_first(list); row; row = json_next(row)) {
		int width;

		cell.text[0] = '\0';
		col->render(row, col, &cell);
		width = out_width(cell.text);
		widest = width > widest ? width : widest;
	}
	return widest;
}

/* How many blocks are needed for @n modes, each filled as far as it goes. */
static unsigned fit(const int *widths, unsigned n, int left)
{
	unsigned most = n, used = 0;
	int taken = 0;

	for (unsigned i = 0; i < n; i++) {
		taken += GAP + widths[i];
		if (used && taken > left) {
			most = used < most ? used : most;
			taken = GAP + widths[i];
			used = 0;
		}
		used++;
	}
	return (n + most - 1) / most;
}

static void put_block(const struct cli *c, const json *list, const struct column *heading,
		      const struct column *modes, unsigned n)
{
	struct column columns[MODES_MAX + 2] = { *heading };

	memcpy(columns + 1, modes, n * sizeof(*modes));
	out_list(c, list, columns, "nothing was asked");
}

static void put_blocks(const struct cli *c, const json *list, const struct column *modes,
		       unsigned n)
{
	const struct column heading = { "", "heading", cell_heading };
	unsigned blocks, at = 0;
	int widths[MODES_MAX];

	for (unsigned i = 0; i < n; i++)
		widths[i] = width_of(list, &modes[i]);
	blocks = n ? fit(widths, n, room() - width_of(list, &heading)) : 0;
	for (unsigned i = 0; i < blocks; i++) {
		unsigned end = n * (i + 1) / blocks;

		if (i)
			putchar('\n');
		put_block(c, list, &heading, modes + at, end - at);
		at = end;
	}
}

void report_table(const struct cli *c, const json *doc, bool why)
{
	cleanup_json json *list = with_titles(doc);
	struct column modes[MODES_MAX];
	unsigned n = 0;

	for (const json *mode = json_first(json_get(doc, "modes")); mode && n < MODES_MAX;
	     mode = json_next(mode))
		modes[n++] = (struct column){ doc_text(mode, "heading"), doc_text(mode, "key"),
					      cell_answer };
	put_blocks(c, list, modes, n);
	if (report_was_restless(doc))
		printf("\nHalf of the rounds of some figures took more than thrice the time of the\n"
		       "best one: this machine had other work to do. Try again when it is idle.\n");
	if (why)
		put_why(doc);
	else
		printf("\nHow each was tried, and what was seen: taskvpc compare --why\n");
}
