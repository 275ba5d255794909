/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small drawing of each lab: the host with its two tasks, and the machine beside it on the LAN.
 */
#include <string.h>

#include "report.h"

/* a and b: their middles; the host's interface; where lines meet within the host. */
#define A_X   76
#define B_X   190
#define TASK  94 /* width */
#define LOW   92 /* lower edge of the tasks */
#define MEET  150
#define LAN_X 262
#define LAN_Y 150

static void text_at(FILE *out, int x, int y, const char *class_name, const char *text)
{
	fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" class=\"%s\">", x, y,
		class_name);
	html_text(out, text);
	fputs("</text>", out);
}

static void box(FILE *out, int x, const char *class_name, const char *name, const char *address)
{
	fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"46\" width=\"%d\" height=\"46\" rx=\"6\"/>",
		class_name, x - TASK / 2, TASK);
	text_at(out, x, 65, "", name);
	text_at(out, x, 82, "faint", *address ? address : "no address");
}

/* Both tasks by a router: each has a link of its own to it. */
static void routed(FILE *out)
{
	fprintf(out,
		"<path class=\"wire\" d=\"M%d %dL128 142M%d %dL138 142M147 %dH%d\"/>"
		"<circle class=\"node\" cx=\"133\" cy=\"%d\" r=\"13\"/>",
		A_X, LOW, B_X, LOW, MEET, LAN_X, MEET);
	text_at(out, 133, 180, "faint", "router");
}

/* Past the host: its interface is theirs as well. */
static void on_lan(FILE *out)
{
	fprintf(out, "<path class=\"wire\" d=\"M%d %dV140Q%d %d %d %dH%dM%d %dV140Q%d %d %d %d\"/>",
		A_X, LOW, A_X, MEET, A_X + 10, MEET, LAN_X, B_X, LOW, B_X, MEET, B_X + 10, MEET);
	text_at(out, 133, 180, "faint", "two more MAC addresses at lan0");
}

static void bridged(FILE *out)
{
	fprintf(out,
		"<path class=\"wire\" d=\"M%d %dV118M%d %dV118M133 132V%dH%d\"/>"
		"<rect class=\"node\" x=\"50\" y=\"118\" width=\"166\" height=\"14\" rx=\"3\"/>",
		A_X, LOW, B_X, LOW, MEET, LAN_X);
	text_at(out, 133, 180, "faint", "host port 80 leads to a, by the bridge");
}

static void within_host(FILE *out)
{
	fprintf(out, "<path class=\"wire\" d=\"M%d %dV118H133V%dH%dM%d %dV118H133\"/>", A_X, LOW,
		MEET, LAN_X, B_X, LOW);
	text_at(out, 133, 180, "faint", "both share the host's interfaces");
}

static void loops(FILE *out)
{
	fprintf(out,
		"<path class=\"wire\" d=\"M%d %dc-22 34 42 34 20 0M%d %dc-22 34 42 34 20 0\"/>",
		A_X - 10, LOW, B_X - 10, LOW);
	text_at(out, 133, 180, "faint", "loopback alone");
}

static const struct {
	const char *name;
	void (*draw)(FILE *out);
	const char *task; /* class of the tasks */
} drawings[] = {
	{ "routed", routed, "task" },  { "lan", on_lan, "task" },
	{ "bridge", bridged, "task" }, { "host", within_host, "task open" },
	{ "none", loops, "task" },
};

static void surroundings(FILE *out, const json *mode)
{
	char host[80];

	snprintf(host, sizeof(host), "host  %s", doc_text(mode, "host"));
	fputs("<rect class=\"box\" x=\"8\" y=\"8\" width=\"254\" height=\"186\" rx=\"10\"/>", out);
	text_at(out, 133, 30, "", host);
	fprintf(out, "<path class=\"lan\" d=\"M%d %dH296\"/>", LAN_X, LAN_Y);
	fputs("<rect class=\"box\" x=\"296\" y=\"124\" width=\"96\" height=\"52\" rx=\"6\"/>", out);
	text_at(out, 344, 146, "", "LAN");
	text_at(out, 344, 163, "faint", doc_text(mode, "lan"));
}

void report_picture(FILE *out, const json *mode)
{
	fputs("<svg viewBox=\"0 0 400 202\" role=\"img\" aria-label=\"", out);
	html_text(out, doc_text(mode, "how"));
	fputs("\">", out);
	surroundings(out, mode);
	for (size_t i = 0; i < sizeof(drawings) / sizeof(drawings[0]); i++) {
		if (strcmp(drawings[i].name, doc_text(mode, "picture")) != 0)
			continue;
		drawings[i].draw(out);
		box(out, A_X, drawings[i].task, "task a", doc_text(mode, "a"));
		box(out, B_X, drawings[i].task, "task b", doc_text(mode, "b"));
	}
	fprintf(out, "<circle class=\"node\" cx=\"%d\" cy=\"%d\" r=\"4\"/></svg>\n", LAN_X, LAN_Y);
}
