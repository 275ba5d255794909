/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables and sheets: widths are counted in characters, colours stay outside of them. */
#include "output.h"

#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

#define COLUMNS_MAX 16
#define ID_SHOWN    12
#define GAP         2

static struct {
	bool colour, utf8;
} terminal;

void out_open(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	setlocale(LC_CTYPE, "");
	terminal.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	terminal.colour = isatty(STDOUT_FILENO) && !(no && *no) && term &&
			  strcmp(term, "dumb") != 0;
}

bool out_is_utf8(void)
{
	return terminal.utf8;
}

const char *out_tone(enum tone tone)
{
	static const char *const codes[] = {
		[TONE_PLAIN] = "\033[0m", [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[31m",  [TONE_DIM] = "\033[2m",   [TONE_TITLE] = "\033[1m",
	};

	return terminal.colour ? codes[tone] : "";
}

/* Characters, not bytes, and no escape sequences. What we write has no wide and no combining ones.
 */
int out_width(const char *s)
{
	int n = 0;

	while (*s) {
		if (*s == '\033')
			s += strcspn(s, "m");
		else
			n += ((unsigned char)*s & 0xc0) != 0x80;
		s += *s != '\0'; /* an escape sequence may lack its end */
	}
	return n;
}

int out_columns(void)
{
	const char *said = getenv("COLUMNS");
	long n = said ? strtol(said, NULL, 10) : 0;
	struct winsize size;

	if (n <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	return n > 0 && n < INT_MAX ? (int)n : 80;
}

/* ---- cells ---- */

static void value_text(const json *value, char *buf, size_t size)
{
	const char *text = json_string(value);
	char number[24];
	int64_t n;

	if (json_integer(value, &n)) {
		snprintf(number, sizeof(number), "%" PRId64, n);
		text = number;
	} else if (json_kind(value) == JSON_IS_BOOL) {
		text = json_bool(value, false) ? "yes" : "no";
	}
	text_printable(buf, size, text && *text ? text : "-");
}

/* "key", or "key.key" into an object, or of an array the values one after the other. */
static void cell_plain(const json *row, const struct column *col, struct cell *ret)
{
	const json *value = json_get(row, col->key);
	char one[CELL_TEXT];
	struct text t;

	if (json_kind(value) != JSON_IS_ARRAY || !json_count(value)) {
		value_text(value, ret->text, sizeof(ret->text));
		return;
	}
	text_init(&t, ret->text, sizeof(ret->text));
	for (const json *i = json_first(value); i; i = json_next(i)) {
		value_text(i, one, sizeof(one));
		text_add(&t, "%s%s", t.len ? " " : "", one);
	}
}

void cell_number(const json *row, const struct column *col, struct cell *ret)
{
	cell_plain(row, col, ret);
}

const char *age_text(int64_t seconds, char buf[static 24])
{
	static const struct {
		int64_t length;
		char letter;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (seconds < units[i].length && units[i].length > 1)
			continue;
		snprintf(buf, 24, "%" PRId64 "%c", seconds > 0 ? seconds / units[i].length : 0,
			 units[i].letter);
		break;
	}
	return buf;
}

void cell_age(const json *row, const struct column *col, struct cell *ret)
{
	int64_t since;

	if (!json_integer(json_get(row, col->key), &since)) {
		snprintf(ret->text, sizeof(ret->text), "-");
		return;
	}
	age_text(io_epoch_s() - since, ret->text);
}

void cell_optional(const json *row, const struct column *col, struct cell *ret)
{
	cell_plain(row, col, ret);
}

void cell_id(const json *row, const struct column *col, struct cell *ret)
{
	const struct column shortened = { .key = "short" };
	size_t len;

	if (!strcmp(col->key, "task") && json_get(row, "short")) {
		cell_plain(row, &shortened, ret);
		return;
	}
	cell_plain(row, col, ret);
	/* The ids of other runtimes are 64 hex digits; names that people gave stay whole. */
	len = strlen(ret->text);
	if (len >= 64 && strspn(ret->text + len - 64, "0123456789abcdef") == 64) {
		memmove(ret->text, ret->text + len - 64, ID_SHOWN);
		ret->text[ID_SHOWN] = '\0';
	}
}

void cell_state(const json *row, const struct column *col, struct cell *ret)
{
	static const struct {
		const char *word;
		enum tone tone;
	} rows[] = {
		{ "up", TONE_GOOD },   { "ok", TONE_GOOD },  { "dead", TONE_BAD },
		{ "wrong", TONE_BAD }, { "fail", TONE_BAD }, { "unknown", TONE_WARN },
		{ "warn", TONE_WARN }, { "no", TONE_BAD },
	};

	cell_plain(row, col, ret);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(ret->text, rows[i].word))
			ret->tone = rows[i].tone;
}

/* Words of a configuration, of a plugin, of a command line: whatever they are, no escapes. */
static void render(const json *row, const struct column *col, struct cell *ret)
{
	struct cell raw = { .tone = TONE_PLAIN };

	(col->render ? col->render : cell_plain)(row, col, &raw);
	ret->tone = raw.tone;
	text_printable(ret->text, sizeof(ret->text), raw.text);
}

/* ---- documents ---- */

void out_json(const json *doc)
{
	cleanup_free char *text = json_print_pretty(doc);

	puts(text ? text : "null");
}

void out_stamp(json *doc)
{
	time_t now = (time_t)io_epoch_s();
	char date[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
	json_add_string(doc, "taskvpc", TASKVPC_VERSION);
	json_add_string(doc, "date", date);
}

static void put_cell(const char *text, enum tone tone, int width, bool right, bool last)
{
	int pad = width - out_width(text);

	printf("%*s%s%s%s", right && pad > 0 ? pad : 0, "", tone ? out_tone(tone) : "", text,
	       tone ? out_tone(TONE_PLAIN) : "");
	if (last)
		putchar('\n');
	else
		printf("%*s", (right || pad < 0 ? 0 : pad) + GAP, "");
}

/* An optional column without a value in any row. */
#define LEFT_OUT (-1)

static bool is_left_out(const json *list, const struct column *col)
{
	const json *row = json_first(list);

	while (row && col->render == cell_optional && json_is_absent(json_get(row, col->key)))
		row = json_next(row);
	return !row && col->render == cell_optional;
}

static void measure(const json *list, const struct column *columns, int *widths)
{
	struct cell cell;

	for (int i = 0; i < COLUMNS_MAX && columns[i].title; i++) {
		widths[i] = is_left_out(list, &columns[i]) ? LEFT_OUT : out_width(columns[i].title);
		if (widths[i] == LEFT_OUT)
			continue;
		for (const json *row = json_first(list); row; row = json_next(row)) {
			int width;

			render(row, &columns[i], &cell);
			width = out_width(cell.text);
			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
}

static void put_row(const json *row, const struct column *columns, const int *widths)
{
	struct cell cell;

	for (int i = 0; i < COLUMNS_MAX && columns[i].title; i++) {
		const struct column *col = &columns[i];

		if (widths[i] == LEFT_OUT)
			continue;
		render(row, col, &cell);
		put_cell(cell.text, cell.tone, widths[i], col->render == cell_number,
			 !columns[i + 1].title);
	}
}

void out_list(const struct cli *c, const json *list, const struct column *columns,
	      const char *empty)
{
	int widths[COLUMNS_MAX] = { 0 };

	if (c->json) {
		out_json(list);
		return;
	}
	if (!json_count(list)) {
		fprintf(stderr, "%s\n", empty);
		return;
	}
	measure(list, columns, widths);
	for (int i = 0; i < COLUMNS_MAX && columns[i].title; i++)
		if (widths[i] != LEFT_OUT)
			put_cell(columns[i].title, TONE_TITLE, widths[i],
				 columns[i].render == cell_number, !columns[i + 1].title);
	for (const json *row = json_first(list); row; row = json_next(row))
		put_row(row, columns, widths);
}

void out_sheet(const struct cli *c, const json *object, const struct column *lines)
{
	struct cell cell;

	if (c->json) {
		out_json(object);
		return;
	}
	for (const struct column *line = lines; line->title; line++) {
		if (json_is_absent(json_get(object, line->key)))
			continue;
		render(object, line, &cell);
		printf("%s%-14s%s%s%s%s\n", out_tone(TONE_DIM), line->title, out_tone(TONE_PLAIN),
		       cell.tone ? out_tone(cell.tone) : "", cell.text,
		       cell.tone ? out_tone(TONE_PLAIN) : "");
	}
}
