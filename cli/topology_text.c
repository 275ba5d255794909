/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture on a terminal: a tree whose trunk is the host and whose leaves are tasks, each at the
 * end of its wire. A crowd is told in columns; whoever of it is not well still has its own line.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology_text.h"

#define ROOM_MIN     40
#define NAME_MIN     8
#define PORTS_ROOM   16
#define PROBLEMS_MAX 8

/* How wide the columns are, the same in all groups; 0: there is no room for it. */
struct columns {
	int end, interface, name, address, mac;
};

/* ---- how wide? ---- */

/* Of an attachment by a plugin of others an address is whatever that called so. */
static const char *shown_address(const json *address, char buf[static WORDS_TEXT])
{
	const char *text = json_string(address);

	text_printable(buf, WORDS_TEXT, text ? text : "");
	return buf;
}

static const char *first_address(const json *task, char buf[static WORDS_TEXT])
{
	const json *first = json_first(json_get(task, "addresses"));
	bool shared = !strcmp(live_text(task, "mode"), "host");

	return first ? shown_address(first, buf) : shared ? "the host's" : "-";
}

static bool measure(const json *doc, struct columns *ret)
{
	char buf[WORDS_TEXT];
	bool ports = false;

	*ret = (struct columns){ .mac = MAC_TEXT - 1 };
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		for (const json *t = json_first(json_get(g, "tasks")); t; t = json_next(t)) {
			if (!text_is_told(doc, g, t))
				continue;
			ret->end = larger(ret->end, out_width(shown_text(t, "hostInterface", buf)));
			ret->interface =
				larger(ret->interface, out_width(shown_text(t, "interface", buf)));
			ret->name = larger(ret->name, out_width(task_name(t, buf)));
			ret->address = larger(ret->address, out_width(first_address(t, buf)));
			ports |= json_get(t, "ports") != NULL;
		}
	return ports;
}

static int width_of(const struct columns *c)
{
	return 6 + (c->end ? c->end + 1 : 0) + 4 + c->interface + 4 + c->name + 2 + c->address +
	       (c->mac ? c->mac + 2 : 0);
}

/*
 * What is least needed goes first: what a name has beyond the usual, the MAC address, the host's
 * end of the link.
 */
static void fit(const json *doc, int room, struct columns *ret)
{
	const bool ports = measure(doc, ret);
	const int whole = ret->name;
	int spare;

	ret->name = whole < TEXT_NAME_MAX ? whole : TEXT_NAME_MAX;
	if (width_of(ret) + (ports ? PORTS_ROOM : 0) > room)
		ret->mac = 0;
	if (width_of(ret) > room)
		ret->end = 0;
	spare = room - width_of(ret) - (ports ? PORTS_ROOM : 0);
	if (spare > 0)
		ret->name = whole < ret->name + spare ? whole : ret->name + spare;
	else if (width_of(ret) > room)
		ret->name = larger(ret->name - (width_of(ret) - room), NAME_MIN);
}

/* ---- a task ---- */

static void repeat(struct pen *pen, enum tone tone, const char *glyph, int n)
{
	for (; n > 0; n--)
		pen_put(pen, tone, 0, glyph);
}

/* The link from the host's end to the task's: "vpc0123456789ab ── eth0". */
static void put_wire(struct pen *pen, const struct columns *c, const json *task)
{
	const char *end = live_text(task, "hostInterface"), *wire = live_text(task, "wire");
	const struct text_glyphs *g = text_glyphs();
	bool cut = *wire && strcmp(wire, "up") != 0;
	char buf[WORDS_TEXT];
	int pad = c->end ? c->end + 2 : 1;

	if (!*wire) {
		pen_blanks(pen, pad + 4 + c->interface);
		return;
	}
	if (*end && c->end) {
		pen_blanks(pen, 1);
		pen_put(pen, TONE_DIM, 0, end);
		pen_blanks(pen, 1);
		pad -= out_width(end) + 2;
	}
	repeat(pen, TONE_DIM, g->line, pad + 1);
	pen_put(pen, cut ? TONE_BAD : TONE_DIM, 0, cut ? g->cut : g->line);
	repeat(pen, TONE_DIM, g->line, 1);
	pen_blanks(pen, 1);
	pen_put(pen, TONE_PLAIN, c->interface, shown_text(task, "interface", buf));
}

static void put_ports(struct pen *pen, const json *task)
{
	const json *p = json_first(json_get(task, "ports"));
	char ports[WORDS_TEXT], buf[WORDS_TEXT + 8];

	while (p) {
		p = ports_text(p, text_glyphs()->arrow, ports);
		snprintf(buf, sizeof(buf), "%s %s", text_glyphs()->port, ports);
		pen_word(pen, TONE_TITLE, 2, buf);
	}
}

static void put_task(struct pen *pen, const struct columns *c, const json *task)
{
	const json *more = json_next(json_first(json_get(task, "addresses")));
	char buf[WORDS_TEXT], first[WORDS_TEXT];
	const char *address = first_address(task, first);

	put_wire(pen, c, task);
	pen_blanks(pen, 2);
	pen_put(pen, task_tone(task), 2, text_mark(task));
	pen->indent = pen->at;
	pen_put(pen, TONE_TITLE, c->name, task_name(task, buf));
	pen_word(pen, TONE_PLAIN, 2, address);
	pen_blanks(pen, c->address - out_width(address));
	if (c->mac && json_get(task, "mac")) {
		pen_blanks(pen, 2);
		pen_put(pen, TONE_DIM, 0, live_text(task, "mac"));
	}
	if (*task_trouble(task))
		pen_word(pen, task_tone(task), 2, task_trouble(task));
	put_ports(pen, task);
	for (; more; more = json_next(more))
		pen_word(pen, TONE_PLAIN, 2, shown_address(more, buf));
	pen_end(pen);
}

/* ---- a group ---- */

static void put_members(struct pen *pen, const struct columns *c, const json *doc,
			const json *group, const char *trunk)
{
	const struct text_glyphs *g = text_glyphs();
	bool dense = topology_is_dense(doc, group);
	char fork[32], prefix[32];

	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t)) {
		bool last = !dense && !json_next(t);

		if (!text_is_told(doc, group, t))
			continue;
		snprintf(fork, sizeof(fork), "%s%s", trunk, last ? g->last : g->fork);
		snprintf(prefix, sizeof(prefix), "%s%s", trunk, last ? " " : g->trunk);
		pen->prefix = prefix;
		pen_begin(pen, fork);
		put_task(pen, c, t);
	}
	if (dense)
		text_crowd(pen, doc, group, trunk);
}

static void put_group(struct pen *pen, const struct columns *c, const json *doc, const json *group)
{
	const struct text_glyphs *g = text_glyphs();
	const char *state = live_text(json_get(group, "link"), "state");
	bool last = !json_next(group);
	char trunk[16], buf[WORDS_TEXT], about[WORDS_TEXT + 16];

	pen_begin(pen, g->trunk);
	pen_end(pen);
	pen->prefix = last ? " " : g->trunk;
	pen->indent = 3;
	pen_begin(pen, last ? g->last : g->fork);
	pen_blanks(pen, 1);
	pen_words(pen, *state && strcmp(state, "up") != 0 ? TONE_BAD : TONE_TITLE,
		  group_name(group, buf));
	snprintf(about, sizeof(about), "%s%s", strcmp(g->dot, ", ") ? "· " : "- ",
		 group_about(group, g->dot, buf));
	pen->indent = 6;
	pen_words(pen, TONE_DIM, about);
	pen_end(pen);
	snprintf(trunk, sizeof(trunk), "%s  ", pen->prefix);
	put_members(pen, c, doc, group, trunk);
}

/* ---- the host ---- */

static void put_interface(struct pen *pen, const json *link)
{
	const char *state = live_text(link, "state");
	char buf[WORDS_TEXT];

	pen->prefix = text_glyphs()->trunk;
	pen->indent = 3 + 15 + 2;
	pen_begin(pen, pen->prefix);
	pen_blanks(pen, 2);
	pen_put(pen, TONE_PLAIN, 15, shown_text(link, "name", buf));
	for (const json *a = json_first(json_get(link, "addresses")); a; a = json_next(a))
		pen_word(pen, TONE_PLAIN, 2, json_string(a));
	if (strcmp(state, "up") != 0 && strcmp(live_text(link, "name"), "lo") != 0)
		pen_word(pen, TONE_BAD, 2, state);
	pen_blanks(pen, 1);
	pen_words(pen, TONE_GOOD, gateways_text(link, buf));
	pen_end(pen);
}

static void put_host(struct pen *pen, const json *doc)
{
	const json *host = json_get(doc, "host");
	char name[WORDS_TEXT], buf[WORDS_TEXT];
	bool world = false;

	pen->prefix = text_glyphs()->trunk;
	pen->indent = 3;
	pen_begin(pen, "");
	pen_put(pen, TONE_TITLE, 0, "host ");
	pen_word(pen, TONE_TITLE, 0, shown_text(host, "name", name));
	snprintf(buf, sizeof(buf), "Linux %.100s", live_text(host, "kernel"));
	pen_word(pen, TONE_DIM, 2, buf);
	pen_word(pen, TONE_DIM, 2, forwarding_text(doc, buf));
	pen_end(pen);
	for (const json *i = json_first(json_get(host, "interfaces")); i; i = json_next(i)) {
		put_interface(pen, i);
		world |= json_count(json_get(i, "gateways")) != 0;
	}
	if (world)
		return;
	pen_begin(pen, text_glyphs()->trunk);
	pen_put(pen, TONE_WARN, 0, "  no default route");
	pen_end(pen);
}

/* ---- what is left to say ---- */

static void put_unused(struct pen *pen, const json *doc)
{
	const json *unused = json_get(doc, "unused");
	char buf[WORDS_TEXT];

	if (!json_count(unused))
		return;
	printf("\n%ssubnets without a task%s\n", out_tone(TONE_DIM), out_tone(TONE_PLAIN));
	pen->prefix = "";
	pen->indent = 4;
	for (const json *s = json_first(unused); s; s = json_next(s)) {
		pen_begin(pen, "  ");
		pen_words(pen, TONE_DIM, subnet_about(s, buf));
		pen_end(pen);
	}
}

static void put_problem(struct pen *pen, const json *problem)
{
	char buf[WORDS_TEXT];

	pen_begin(pen, "");
	pen->indent = 2;
	pen_put(pen, TONE_BAD, 2, text_glyphs()->bad);
	if (json_get(problem, "task")) {
		char name[WORDS_TEXT + 2];

		snprintf(name, sizeof(name), "%s:", task_name(problem, buf));
		pen_words(pen, TONE_TITLE, name);
	}
	pen_words(pen, TONE_PLAIN, shown_text(problem, "finding", buf));
	pen_end(pen);
	if (!*shown_text(problem, "fix", buf))
		return;
	pen_begin(pen, "");
	pen->indent = 7;
	pen_put(pen, TONE_DIM, 7, "  fix:");
	pen_words(pen, TONE_DIM, buf);
	pen_end(pen);
}

static void put_problems(struct pen *pen, const json *doc)
{
	const json *problems = json_get(doc, "problems");
	unsigned n = 0;

	if (json_count(problems))
		putchar('\n');
	pen->prefix = "";
	for (const json *p = json_first(problems); p && n < PROBLEMS_MAX; p = json_next(p), n++)
		put_problem(pen, p);
	if (json_count(problems) > PROBLEMS_MAX)
		printf("  and %u more: taskvpc topology --json\n",
		       json_count(problems) - PROBLEMS_MAX);
}

void topology_text(const json *doc)
{
	struct pen pen = { .room = larger(out_columns(), ROOM_MIN) };
	struct columns columns;

	fit(doc, pen.room, &columns);
	put_host(&pen, doc);
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		put_group(&pen, &columns, doc, g);
	if (!topology_count(doc)) {
		pen_begin(&pen, text_glyphs()->last);
		pen_put(&pen, TONE_DIM, 0, " no tasks; `taskvpc run -- ip addr` starts one");
		pen_end(&pen);
	}
	put_unused(&pen, doc);
	put_problems(&pen, doc);
}
