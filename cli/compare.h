/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare: questions × modes = answers. Each mode has a lab of its own (lab.h) that a process of
 * its own holds (lab_worker.c); a question is a function that tries something in there. Nothing is
 * known beforehand: what could not be tried is an answer of its own.
 */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include <stdint.h>
#include <stdio.h>

#include "output.h"

struct lab;

enum verdict {
	NOT_TRIED,
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_WORD,
	ANSWER_FIGURE
};

struct answer {
	enum verdict verdict;
	int64_t figure;   /* ANSWER_FIGURE: in the unit of the question */
	char word[48];    /* ANSWER_WORD */
	char detail[240]; /* what was seen; NOT_TRIED: the reason */
};

/* Each of them makes @ret that answer, with what was seen. */
void answer_yes(struct answer *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void answer_no(struct answer *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void answer_word(struct answer *ret, const char *word, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void answer_figure(struct answer *ret, int64_t figure, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* answer_quote: how much of a plugin's error stands in a cell: what is in parentheses does not. */
int answer_quote(const char *msg);
void not_tried(struct answer *ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Which answer one would rather have; WANT_NOTHING where it depends on what one is after. */
enum want {
	WANT_NOTHING,
	WANT_YES,
	WANT_NO,
	WANT_LITTLE,
	WANT_MUCH
};

struct question {
	const char *key, *group, *heading;
	const char *how; /* it is tried, in a sentence */
	void (*ask)(struct lab *lab, struct answer *ret);
	enum want want;
	const char *unit; /* of a figure: "us", "ns", "Mbit/s", or what is counted; else NULL */
	unsigned rounds;  /* modes take turns: a busy moment hits all of them alike */
};
/* In the order in which they are told. Ends with key NULL. */
extern const struct question questions[];

/* What is drawn for a mode. */
enum picture {
	PICTURE_ROUTED,
	PICTURE_LAN,
	PICTURE_BRIDGE,
	PICTURE_HOST,
	PICTURE_NONE
};

struct mode {
	const char *key, *heading, *how;
	const char *network; /* of builtin.c, or the text of one: begins with '{' */
	const char *small;   /* ipam.ranges with a /28 that no other task of the lab uses */
	bool publishes;      /* clients come to a port of the host */
	enum picture picture;
};
/* Ends with key NULL. */
extern const struct mode lab_modes[];
#define MODES_MAX 8

/* ---- a lab in a process of its own: lab_worker.c ---- */

struct lab_facts { /* for the pictures */
	char a[48], b[48], host[48], lan[48];
};

struct worker {
	const struct mode *mode;
	int pid, fd; /* fd -1: not started */
	struct lab_facts facts;
};

/* worker_start: the lab stands when it returns. It ends with worker_end, or with this process. */
int worker_start(const struct cli *c, const struct mode *mode, struct worker *ret, struct err *e);
/* worker_ask: Return: 0, or a negative errno if the lab has broken down. */
int worker_ask(struct worker *w, const struct question *q, struct answer *ret, struct err *e);
void worker_end(struct worker *w);

/* ---- the document: compare_doc.c ---- */

#define SAMPLES_MAX 16

struct samples {
	struct answer of[SAMPLES_MAX];
	unsigned n;
};

/* doc_new: a new root with the modes and where this was seen; @ret_questions is its empty list. */
json *doc_new(const struct worker *workers, unsigned n, json **ret_questions);
/* doc_question: append a row for @q. Return: its cells, none yet, borrowed. */
json *doc_question(json *list, const struct question *q);
/* doc_cell: what the rounds came to: the median of figures, with the lowest and the highest. */
void doc_cell(json *cells, const struct mode *mode, const struct samples *samples);

/* doc_text: a string of an object, "" if it has none. */
const char *doc_text(const json *object, const char *key);
const json *doc_cell_of(const json *row, const char *mode);
/* doc_short: a cell for people: "yes", "1.24 ms", "not tried". @utf8: µ instead of u. */
void doc_short(const json *row, const json *cell, bool utf8, char *buf, size_t size);
/* doc_range: the lowest and the highest round, @to between them, as precise as doc_short is.
 * Return: false if they do not differ. */
bool doc_range(const json *row, const json *cell, const char *to, char *buf, size_t size);
/* doc_value: a figure ("value", "low", "high") as it is shown. Return: false if there is none. */
bool doc_value(const json *row, const json *cell, const char *key, double *ret);
/* doc_unit: that it is shown in; "" for what is counted. */
const char *doc_unit(const json *row, bool utf8);
/* doc_tone: is it what one would want? */
enum tone doc_tone(const json *row, const json *cell);

/* ---- readings of it ---- */

/* report_table: for a terminal. @why: with how it was tried and what was seen. */
void report_table(const struct cli *c, const json *doc, bool why);
/* report_page: all of the HTML report. */
void report_page(FILE *out, const json *doc);

#endif
