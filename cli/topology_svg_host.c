/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host: its interfaces, the way out, and the ports that it passes on. */
#include <stdio.h>
#include <string.h>

#include "topology_svg.h"

#define HEAD      48
#define LEFT      (SVG_MARGIN + 24)
#define CHIP_W    (HOST_WIDTH - 42)
#define ROOM      (CHIP_W - 24)
#define LINE      16
#define OUT_X     (SVG_MARGIN + 11) /* the line to the world */
#define CHIPS_MAX 12
#define PORTS_MAX 40

static const json *interfaces(const json *doc)
{
	return json_get(json_get(doc, "host"), "interfaces");
}

static bool leads_out(const json *link)
{
	return json_count(json_get(link, "gateways")) != 0;
}

/* ---- interfaces ---- */

static int chip_height(const json *link)
{
	return 28 +
	       LINE * ((int)json_count(json_get(link, "addresses")) +
		       (json_get(link, "mac") && strcmp(live_text(link, "name"), "lo") != 0) +
		       (int)json_count(json_get(link, "gateways"))) +
	       4;
}

static void chip(FILE *out, const json *link, int y)
{
	const char *state = live_text(link, "state");
	int line = y + 37;
	char buf[WORDS_TEXT];

	svg_rect(out, (struct svg_box){ LEFT, y, CHIP_W, chip_height(link), 6 }, "chip");
	svg_mono(out, at(LEFT + 12, y + 19), "b", ROOM - 60, live_text(link, "name"));
	if (strcmp(live_text(link, "name"), "lo") != 0)
		svg_text(out, at(LEFT + CHIP_W - 12, y + 19),
			 strcmp(state, "up") != 0 ? "s end bad" : "s end good", 12, state);
	for (const json *a = json_first(json_get(link, "addresses")); a;
	     a = json_next(a), line += LINE)
		svg_mono(out, at(LEFT + 12, line), "", ROOM, json_string(a));
	if (json_get(link, "mac") && strcmp(live_text(link, "name"), "lo") != 0) {
		svg_mono(out, at(LEFT + 12, line), "s soft", ROOM, live_text(link, "mac"));
		line += LINE;
	}
	for (const json *g = json_first(json_get(link, "gateways")); g; g = json_next(g)) {
		snprintf(buf, sizeof(buf), "default via %s", json_string(g));
		svg_text(out, at(LEFT + 12, line), "s", 34, buf);
		line += LINE;
	}
	if (!leads_out(link))
		return;
	svg_line(out, at(OUT_X, y + 15), at(LEFT, y + 15), "world");
	svg_dot(out, at(LEFT, y + 15), 4, "world hole");
}

/* Draws them if @out. Return: where the next thing stands. */
static int chips(FILE *out, const json *doc, int y)
{
	int n = 0, exit_y = 0;
	char more[40];

	for (const json *i = json_first(interfaces(doc)); i && n < CHIPS_MAX;
	     i = json_next(i), n++) {
		if (out)
			chip(out, i, y);
		exit_y = leads_out(i) ? y + 15 : exit_y;
		y += chip_height(i) + 10;
	}
	if (json_count(interfaces(doc)) > CHIPS_MAX) {
		snprintf(more, sizeof(more), "and %u more interfaces",
			 json_count(interfaces(doc)) - CHIPS_MAX);
		if (out)
			svg_text(out, at(LEFT, y + 8), "s soft", 40, more);
		y += LINE;
	}
	if (out && exit_y)
		fprintf(out, "<path class=\"world\" d=\"M%d %dV%d\"/>\n", OUT_X, 132, exit_y);
	return y;
}

/* ---- ports ---- */

/* "8080→80" as "8080 → web:80". */
static void port_line(FILE *out, const json *task, const char *port, int y)
{
	const char *arrow = strstr(port, "→");
	char name[WORDS_TEXT], cut[WORDS_TEXT], line[2 * WORDS_TEXT];

	snprintf(line, sizeof(line), "%.*s → %s%s%s", arrow ? (int)(arrow - port) : 60, port,
		 svg_cut(task_name(task, name), 18, cut), arrow ? ":" : "",
		 arrow ? arrow + strlen("→") : "");
	svg_mono(out, at(LEFT, y), "s ", CHIP_W, line);
}

/* Those of one task, as far as there is room. @n: how many lines there were before. */
static int task_ports(FILE *out, const json *task, unsigned *n, int y)
{
	const json *p = json_first(json_get(task, "ports"));
	char buf[WORDS_TEXT];

	while (p) {
		p = ports_text(p, "→", buf);
		if ((*n)++ >= PORTS_MAX)
			continue;
		if (out)
			port_line(out, task, buf, y);
		y += LINE;
	}
	return y;
}

static int ports(FILE *out, const json *doc, int y)
{
	const int top = y, first = y + 42;
	unsigned n = 0;
	char more[40];

	y = first;
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		for (const json *t = json_first(json_get(g, "tasks")); t; t = json_next(t))
			y = task_ports(out, t, &n, y);
	if (out && n)
		svg_text(out, at(LEFT, top + 22), "s soft", 40, "ports of the host");
	if (n <= PORTS_MAX)
		return n ? y : top;
	snprintf(more, sizeof(more), "and %u more: taskvpc ports", n - PORTS_MAX);
	if (out)
		svg_text(out, at(LEFT, y), "s soft", 40, more);
	return y + LINE;
}

/* ---- all of it ---- */

int host_height(const json *doc)
{
	return ports(NULL, doc, chips(NULL, doc, HEAD)) + 8;
}

void svg_host(FILE *out, const json *doc, int y, int h)
{
	char buf[WORDS_TEXT];

	svg_rect(out, (struct svg_box){ SVG_MARGIN, y, HOST_WIDTH, h, 12 }, "box");
	svg_text(out, at(LEFT, y + 26), "h2", 24, "host");
	svg_text(out, at(LEFT + 42, y + 26), "s soft", 30, forwarding_text(doc, buf));
	ports(out, doc, chips(out, doc, y + HEAD));
}
