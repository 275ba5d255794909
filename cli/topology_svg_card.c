/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One task: a card with all that is known of it, or, in a crowd, a cell with its name. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kernel/netns.h"
#include "topology_svg.h"

#define PAD      14
#define HEAD     28
#define LINE     17
#define PILL     20
#define PILL_GAP 6
#define ROOM     (CARD_W - 2 * PAD)

/* ---- what a reader hears, and a pointer shows ---- */

static void name_task(FILE *out, const json *task)
{
	static const char *const keys[] = { "mode", "network",       "interface",
					    "mac",  "hostInterface", "netns" };
	char buf[WORDS_TEXT], part[WORDS_TEXT];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_add(&t, "%.100s", live_text(task, "task"));
	text_add(&t, ": %s", live_text(task, "state"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (*live_text(task, keys[i]))
			text_add(&t, ", %s %.80s", keys[i], live_text(task, keys[i]));
	for (const json *a = json_first(json_get(task, "addresses")); a; a = json_next(a))
		text_add(&t, ", %s", json_string(a));
	for (const json *p = json_first(json_get(task, "ports")); p;) {
		p = ports_text(p, " to ", part);
		text_add(&t, ", port %s", part);
	}
	svg_name(out, buf);
}

static void card_class(const json *task, const char *more, char *buf, size_t size)
{
	enum tone tone = task_tone(task);

	snprintf(buf, size, "card%s%s%s", tone == TONE_GOOD ? "" : " ",
		 tone == TONE_GOOD ? "" : svg_tone(tone), more);
}

/* ---- ports as pills ---- */

#define PILLS_MAX 9

static int pill_width(const char *text)
{
	int width = (int)(out_width(text) * 7.05) + 14;

	return width < ROOM ? width : ROOM;
}

static void pill(FILE *out, struct svg_point p, int width, const char *text)
{
	svg_rect(out, (struct svg_box){ p.x, p.y, width, PILL - 2, 9 }, "pill");
	svg_mono(out, at(p.x + 7, p.y + 13), "s b", width - 14, text);
}

/* Walks along the rows of pills; draws them if @out. Return: how many rows there are. */
static int pills(FILE *out, const json *task, int x, int y)
{
	const json *p = json_first(json_get(task, "ports"));
	int used = 0, rows = p != NULL;
	char buf[WORDS_TEXT];

	for (int n = 0, width; p; n++, used += width + PILL_GAP) {
		if (n < PILLS_MAX)
			p = ports_text(p, "→", buf);
		else
			snprintf(buf, sizeof(buf), "…");
		width = pill_width(buf);
		if (used && used + width > ROOM) {
			used = 0;
			rows++;
		}
		if (out)
			pill(out, at(x + used, y + (rows - 1) * (PILL + 3)), width, buf);
		if (n == PILLS_MAX)
			break;
	}
	return rows;
}

/* ---- the card ---- */

static const char *namespace_of(const json *task, char buf[static WORDS_TEXT])
{
	const char *path = live_text(task, "netns"), *name = netns_name(path);

	if (!strcmp(live_text(task, "mode"), "host"))
		return "namespace of the host";
	snprintf(buf, WORDS_TEXT, *path ? "namespace %s" : "%s", name ? name : path);
	return buf;
}

/* On a LAN the host is out of reach, unless hostAccess gives it an interface there. */
static const char *access_of(const json *task)
{
	const json *access = json_get(task, "hostAccess");

	if (json_is_absent(access))
		return "";
	return json_bool(access, false) ? "the host has access" : "out of the host's reach";
}

/* The first that is wrong with it; the rest stands below the picture. */
static const char *finding_of(const json *doc, const json *task)
{
	const char *name = live_text(task, "task");

	if (!strcmp(live_text(task, "state"), "dead"))
		return task_trouble(task);
	for (const json *p = json_first(json_get(doc, "problems")); p; p = json_next(p))
		if (!strcmp(live_text(p, "task"), name))
			return live_text(p, "finding");
	return "";
}

int card_height(const json *doc, const json *task)
{
	char buf[WORDS_TEXT];
	int lines = (int)json_count(json_get(task, "addresses")) + (json_get(task, "mac") != NULL) +
		    (*namespace_of(task, buf) != '\0') + (*access_of(task) != '\0') +
		    (*task_trouble(task) && *finding_of(doc, task));
	int rows = pills(NULL, task, 0, 0);

	return HEAD + lines * LINE + (rows ? rows * (PILL + 3) + 4 : 0) + 10;
}

static void head(FILE *out, const json *task, int x, int y)
{
	const char *interface = *live_text(task, "wire") ? live_text(task, "interface") : "";
	const int width = ROOM - 16 - out_width(interface) * 7;
	char name[WORDS_TEXT];

	svg_dot(out, at(x + PAD + 4, y + 18), 4, svg_tone(task_tone(task)));
	svg_fit(out, (struct svg_box){ x + PAD + 14, y + 22, width, 0, 0 }, "b", width * 10 / 84,
		task_name(task, name));
	svg_mono(out, at(x + CARD_W - PAD, y + 22), "s soft end", 60, interface);
}

void svg_card(FILE *out, const json *doc, const json *task, struct svg_point p, int h)
{
	const bool shares = !strcmp(live_text(task, "mode"), "host");
	const int x = p.x, y = p.y, left = x + PAD;
	char buf[WORDS_TEXT], class_name[40];
	int line = y + HEAD + 12;

	card_class(task, shares ? " open" : "", class_name, sizeof(class_name));
	fputs("<g>", out);
	name_task(out, task);
	svg_rect(out, (struct svg_box){ x, y, CARD_W, h, 7 }, class_name);
	head(out, task, x, y);
	for (const json *a = json_first(json_get(task, "addresses")); a; a = json_next(a)) {
		svg_mono(out, at(left, line), "", ROOM, json_string(a));
		line += LINE;
	}
	if (json_get(task, "mac")) {
		svg_mono(out, at(left, line), "s soft", ROOM, live_text(task, "mac"));
		line += LINE;
	}
	if (*namespace_of(task, buf)) {
		svg_text(out, at(left, line), "s soft", 27, namespace_of(task, buf));
		line += LINE;
	}
	if (*access_of(task)) {
		svg_text(out, at(left, line), "s soft", 27, access_of(task));
		line += LINE;
	}
	if (*task_trouble(task) && *finding_of(doc, task)) {
		svg_text(out, at(left, line), task_tone(task) == TONE_WARN ? "s warn" : "s bad", 27,
			 finding_of(doc, task));
		line += LINE;
	}
	pills(out, task, left, line - 9);
	fputs("</g>\n", out);
}

/* ---- the cell ---- */

void svg_cell(FILE *out, const json *task, struct svg_point p)
{
	const int x = p.x, y = p.y;
	const json *ports = json_first(json_get(task, "ports"));
	bool more;
	char buf[WORDS_TEXT], address[WORDS_TEXT], port[WORDS_TEXT], class_name[40];

	card_class(task, "", class_name, sizeof(class_name));
	fputs("<g>", out);
	name_task(out, task);
	svg_rect(out, (struct svg_box){ x, y, CELL_W, CELL_H, 5 }, class_name);
	svg_dot(out, at(x + 11, y + 13), 3, svg_tone(task_tone(task)));
	svg_fit(out, (struct svg_box){ x + 19, y + 16, CELL_W - 24, 0, 0 }, "s b", 13,
		task_name(task, buf));
	more = ports && ports_text(ports, "→", port);
	snprintf(buf, sizeof(buf), "%.60s%s%.60s%s", task_short_address(task, address),
		 ports ? " ◂" : "", ports ? port : "", more ? "…" : "");
	if (*task_trouble(task))
		snprintf(buf, sizeof(buf), "%.60s %.20s", address, live_text(task, "state"));
	svg_mono(out, at(x + 19, y + 31), *task_trouble(task) ? "xs bad" : "xs soft", CELL_W - 26,
		 buf);
	fputs("</g>\n", out);
}
