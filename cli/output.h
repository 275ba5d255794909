/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way to stdout: a JSON document is written as it is (--json), or as a table or a sheet for
 * people. Columns and lines name keys of the document; nothing else can be shown.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli.h"

enum tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_WARN,
	TONE_BAD,
	TONE_DIM,
	TONE_TITLE
};

#define CELL_TEXT 512

struct cell {
	char text[CELL_TEXT]; /* UTF-8 */
	enum tone tone;
};

struct column {
	const char *title, *key;
	/* render: the cell of @row; NULL: the value of the key as it is. */
	void (*render)(const json *row, const struct column *col, struct cell *ret);
};

/* out_open: what does the terminal understand? Colours only on one, and never with NO_COLOR. */
void out_open(void);
bool out_is_utf8(void);
/* out_tone: the escape sequence, or nothing. */
const char *out_tone(enum tone tone);

/*
 * out_list: @list (an array of objects) as JSON or as a table; where it is empty, the table is the
 * sentence @empty on stderr.
 */
void out_list(const struct cli *c, const json *list, const struct column *columns,
	      const char *empty);
/* out_sheet: an object as JSON or as lines "title  value". */
void out_sheet(const struct cli *c, const json *object, const struct column *lines);
void out_json(const json *doc);
/* out_stamp: which taskvpc it was, and when: for documents that are kept. */
void out_stamp(json *doc);
/* out_width: characters, without escape sequences. out_columns: those of the terminal, or of
 * COLUMNS, or 80. */
int out_width(const char *s);
int out_columns(void);

/* Renderers. */
void cell_age(const json *row, const struct column *col, struct cell *ret); /* of epoch seconds */
void cell_id(const json *row, const struct column *col, struct cell *ret);  /* cut to 12 bytes */
/* A column of a list that is left out where no row has a value. */
void cell_optional(const json *row, const struct column *col, struct cell *ret);
void cell_state(const json *row, const struct column *col, struct cell *ret);  /* up, dead, … */
void cell_number(const json *row, const struct column *col, struct cell *ret); /* to the right */

/* "5s", "3m", "2h", "4d": seconds for people. Returns @buf. */
const char *age_text(int64_t seconds, char buf[static 24]);

#endif
