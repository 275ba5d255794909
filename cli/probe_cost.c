/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task takes that others cannot have, and how many find room. */
#include <stdio.h>
#include <string.h>

#include "live.h"
#include "questions.h"
#include "wire.h"

#define FIT_MAX  20
#define FIT_PORT 8080

/* The record of a: NULL if the mode keeps none. */
static const json *record(const struct lab *lab, const json *rows)
{
	for (const json *row = json_first(rows); row; row = json_next(row))
		if (!strcmp(live_text(row, "task"), lab->a.name))
			return row;
	return NULL;
}

void ask_addresses(struct lab *lab, struct answer *ret)
{
	cleanup_json json *rows = NULL;
	const json *held;
	struct err e;

	if (live_attachments(&lab->cli, &rows, &e) < 0) {
		not_tried(ret, "%s", e.msg);
		return;
	}
	held = json_get(record(lab, rows), "addresses");
	answer_figure(ret, json_count(held), "%s", live_text(record(lab, rows), "address"));
}

void ask_ports(struct lab *lab, struct answer *ret)
{
	cleanup_json json *rows = NULL;
	struct err e;

	if (live_attachments(&lab->cli, &rows, &e) < 0)
		not_tried(ret, "%s", e.msg);
	else
		answer_figure(ret, json_count(json_get(record(lab, rows), "held")), "%s", "");
}

void ask_links(struct lab *lab, struct answer *ret)
{
	unsigned before = wire_links(lab, &lab->host), after;
	struct err e, ignored;
	struct lab_task t;
	int r = lab_attach(lab, lab->list, "more", FIT_PORT, &t, &e);

	after = wire_links(lab, &lab->host);
	lab_detach(lab, &t, &ignored);
	if (r < 0)
		not_tried(ret, "%s", e.msg);
	else
		answer_figure(ret, (int64_t)after - before, "%u before, %u after", before, after);
}

/* It was us who stopped: that is no figure of the mode. */
static void answer_at_least(struct answer *ret, unsigned fit)
{
	char word[32];

	snprintf(word, sizeof(word), "at least %u", fit);
	answer_word(ret, word, "none was refused; no more were tried");
}

void ask_fit(struct lab *lab, struct answer *ret)
{
	cleanup_json json *list = lab_small(lab);
	struct lab_task tasks[FIT_MAX];
	struct err e = { 0 }, ignored;
	unsigned n = 0, fit;
	int r = 0;

	while (r == 0 && n < FIT_MAX) {
		char name[16];

		snprintf(name, sizeof(name), "fit-%u", n);
		r = lab_attach(lab, list, name, FIT_PORT, &tasks[n++], &e);
	}
	fit = r < 0 ? n - 1 : n;
	while (n)
		lab_detach(lab, &tasks[--n], &ignored);
	if (r == 0)
		answer_at_least(ret, fit);
	else if (cli_status(&e) == EXIT_TAKEN)
		answer_figure(ret, fit, "then: %.*s", answer_quote(e.msg), e.msg);
	else
		not_tried(ret, "%u, then: %s", fit, e.msg);
}
