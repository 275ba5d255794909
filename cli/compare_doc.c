/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The comparison as one document: the table, --json and the report are readings of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "compare.h"

/* ---- writing ---- */

static const char *const pictures[] = {
	[PICTURE_ROUTED] = "routed", [PICTURE_LAN] = "lan",   [PICTURE_BRIDGE] = "bridge",
	[PICTURE_HOST] = "host",     [PICTURE_NONE] = "none",
};

static void add_mode(json *list, const struct worker *w)
{
	json *one = json_add_object(list, NULL);

	json_add_string(one, "key", w->mode->key);
	json_add_string(one, "heading", w->mode->heading);
	json_add_string(one, "how", w->mode->how);
	json_add_string(one, "picture", pictures[w->mode->picture]);
	json_add_string(one, "a", w->facts.a);
	json_add_string(one, "b", w->facts.b);
	json_add_string(one, "host", w->facts.host);
	json_add_string(one, "lan", w->facts.lan);
}

static void add_place(json *doc)
{
	struct utsname u;

	out_stamp(doc);
	if (uname(&u) == 0) {
		json_add_string(doc, "kernel", u.release);
		json_add_string(doc, "machine", u.machine);
	}
	json_add_integer(doc, "processors", sysconf(_SC_NPROCESSORS_ONLN));
}

json *doc_new(const struct worker *workers, unsigned n, json **ret_questions)
{
	json *doc = json_object(), *modes;

	add_place(doc);
	modes = json_add_array(doc, "modes");
	for (unsigned i = 0; i < n; i++)
		add_mode(modes, &workers[i]);
	*ret_questions = json_add_array(doc, "questions");
	return doc;
}

json *doc_question(json *list, const struct question *q)
{
	static const char *const wants[] = {
		[WANT_YES] = "yes", [WANT_NO] = "no", [WANT_LITTLE] = "little", [WANT_MUCH] = "much"
	};
	json *row = json_add_object(list, NULL);

	json_add_string(row, "key", q->key);
	json_add_string(row, "group", q->group);
	json_add_string(row, "heading", q->heading);
	json_add_string(row, "how", q->how);
	if (wants[q->want])
		json_add_string(row, "want", wants[q->want]);
	if (q->unit)
		json_add_string(row, "unit", q->unit);
	return json_add_object(row, "cells");
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void add_figure(json *cell, const struct samples *samples, const char **ret_detail)
{
	int64_t of[SAMPLES_MAX] = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < samples->n; i++) {
		if (samples->of[i].verdict != ANSWER_FIGURE)
			continue;
		of[n++] = samples->of[i].figure;
		*ret_detail = samples->of[i].detail;
	}
	qsort(of, n, sizeof(of[0]), ascending);
	json_add_integer(cell, "value", of[n / 2]);
	json_add_integer(cell, "low", of[0]);
	json_add_integer(cell, "high", of[n - 1]);
	json_add_integer(cell, "samples", n);
}

/* Of several rounds the last one that could be tried counts. */
static const struct answer *settled(const struct samples *samples)
{
	unsigned i = samples->n - 1;

	while (i && samples->of[i].verdict == NOT_TRIED)
		i--;
	return &samples->of[i];
}

void doc_cell(json *cells, const struct mode *mode, const struct samples *samples)
{
	static const char *const verdicts[] = { [NOT_TRIED] = "not tried",
						[ANSWER_YES] = "yes",
						[ANSWER_NO] = "no",
						[ANSWER_WORD] = "word",
						[ANSWER_FIGURE] = "figure" };
	const struct answer *answer = settled(samples);
	const char *detail = answer->detail;
	json *cell = json_add_object(cells, mode->key);

	json_add_string(cell, "verdict", verdicts[answer->verdict]);
	if (answer->verdict == ANSWER_WORD)
		json_add_string(cell, "word", answer->word);
	if (answer->verdict == ANSWER_FIGURE)
		add_figure(cell, samples, &detail);
	json_add_string(cell, "detail", detail);
}

/* ---- reading ---- */

const char *doc_text(const json *object, const char *key)
{
	const char *text = json_string(json_get(object, key));

	return text ? text : "";
}

const json *doc_cell_of(const json *row, const char *mode)
{
	return json_get(json_get(row, "cells"), mode);
}

/* Figures are whole numbers of a small unit, and shown in one that people read. */
static const struct scale {
	const char *unit, *shown, *plain;
	double divisor;
	int decimals;
} scales[] = {
	{ "us", "ms", "ms", 1000, 2 },
	{ "ns", "µs", "us", 1000, 1 },
	{ "Mbit/s", "Gbit/s", "Gbit/s", 1000, 1 },
};

static const struct scale *scale_of(const json *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++)
		if (!strcmp(doc_text(row, "unit"), scales[i].unit))
			return &scales[i];
	return NULL;
}

bool doc_value(const json *row, const json *cell, const char *key, double *ret)
{
	const struct scale *s = scale_of(row);
	int64_t n;

	if (!json_integer(json_get(cell, key), &n))
		return false;
	*ret = s ? (double)n / s->divisor : (double)n;
	return true;
}

const char *doc_unit(const json *row, bool utf8)
{
	const struct scale *s = scale_of(row);

	if (!s)
		return "";
	return utf8 ? s->shown : s->plain;
}

void doc_short(const json *row, const json *cell, bool utf8, char *buf, size_t size)
{
	const struct scale *s = scale_of(row);
	double value;

	if (!doc_value(row, cell, "value", &value))
		snprintf(buf, size, "%s",
			 doc_text(cell, json_get(cell, "word") ? "word" : "verdict"));
	else
		snprintf(buf, size, "%.*f%s%s", s ? s->decimals : 0, value, s ? " " : "",
			 doc_unit(row, utf8));
}

bool doc_range(const json *row, const json *cell, const char *to, char *buf, size_t size)
{
	const struct scale *s = scale_of(row);
	double low, high;

	if (!doc_value(row, cell, "low", &low) || !doc_value(row, cell, "high", &high) ||
	    low >= high)
		return false;
	snprintf(buf, size, "%.*f%s%.*f", s ? s->decimals : 0, low, to, s ? s->decimals : 0, high);
	return true;
}

enum tone doc_tone(const json *row, const json *cell)
{
	const char *verdict = doc_text(cell, "verdict"), *want = doc_text(row, "want");

	if (!strcmp(verdict, "not tried") || !strcmp(verdict, "word"))
		return !strcmp(verdict, "word") ? TONE_PLAIN : TONE_DIM;
	if ((strcmp(want, "yes") != 0 && strcmp(want, "no") != 0))
		return TONE_PLAIN;
	return strcmp(verdict, want) != 0 ? TONE_BAD : TONE_GOOD;
}
