/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture for graphviz. Identifiers are numbers of ours; what comes from outside stands in
 * quoted labels alone, or, where a crowd is one table, in HTML-like ones.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "report.h"
#include "topology.h"

#define ACROSS 6 /* cells of a table */

static const struct look {
	const char *kind, *colour, *shape;
} looks[] = {
	{ "routed", "#2563eb", "circle" }, { "bridge", "#b7791f", "box" },
	{ "lan", "#0e8a7d", "ellipse" },   { "host", "#a23b72", "circle" },
	{ "none", "#6b7280", "" },         { "other", "#6b7280", "" },
};

static const struct look *look_of(const json *group)
{
	const struct look *l = looks;

	while (l + 1 < looks + ARRAY_SIZE(looks) && !is_kind(group, l->kind))
		l++;
	return l;
}

/* ---- labels ---- */

/* One line of a label. A backslash would be an escape of graphviz's own. */
static void put(FILE *out, const char *text)
{
	char shown[WORDS_TEXT];

	text_printable(shown, sizeof(shown), text);
	for (const char *s = shown; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void put_line(FILE *out, const char *text)
{
	if (!*text)
		return;
	put(out, text);
	fputs("\\n", out);
}

static void put_label(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%s=\"", key);
	put(out, text);
	fputs("\"", out);
}

/* ---- the host ---- */

static void put_host(FILE *out, const json *doc)
{
	const json *host = json_get(doc, "host");
	char line[2 * WORDS_TEXT], buf[WORDS_TEXT];
	bool exits = false;

	fputs("  host [shape=box, style=\"rounded,filled\", fillcolor=\"#f3f5f8\", label=\"", out);
	put_line(out, shown_text(host, "name", buf));
	put_line(out, forwarding_text(doc, buf));
	for (const json *i = json_first(json_get(host, "interfaces")); i; i = json_next(i)) {
		const char *address = json_string(json_first(json_get(i, "addresses")));

		snprintf(line, sizeof(line), "%s %s", live_text(i, "name"), address ? address : "");
		put_line(out, line);
		exits |= json_count(json_get(i, "gateways")) != 0;
	}
	fputs("\"];\n", out);
	if (!exits)
		return;
	fputs("  outside [shape=ellipse, style=dashed];\n", out);
	for (const json *i = json_first(json_get(host, "interfaces")); i; i = json_next(i)) {
		if (!json_count(json_get(i, "gateways")))
			continue;
		fputs("  outside -> host [", out);
		put_label(out, "label", gateways_text(i, buf));
		fputs(", ", out);
		put_label(out, "headlabel", live_text(i, "name"));
		fputs("];\n", out);
	}
}

/* ---- tasks ---- */

static const char *colour_of(const json *task)
{
	static const char *const colours[] = {
		[TONE_GOOD] = "#14734c", [TONE_WARN] = "#9a6700", [TONE_BAD] = "#b3261e"
	};

	return colours[task_tone(task)];
}

static void put_task(FILE *out, const json *task, int group, int n)
{
	char buf[WORDS_TEXT], line[2 * WORDS_TEXT];

	fprintf(out, "    t%d_%d [color=\"%s\", label=\"", group, n, colour_of(task));
	snprintf(line, sizeof(line), "%s  %s", task_name(task, buf),
		 *live_text(task, "wire") ? live_text(task, "interface") : "");
	put_line(out, line);
	put_line(out, task_trouble(task));
	for (const json *a = json_first(json_get(task, "addresses")); a; a = json_next(a))
		put_line(out, json_string(a));
	put_line(out, live_text(task, "mac"));
	for (const json *p = json_first(json_get(task, "ports")); p;) {
		p = ports_text(p, " → ", buf);
		snprintf(line, sizeof(line), "host:%.200s", buf);
		put_line(out, line);
	}
	fputs("\", ", out);
	put_label(out, "tooltip", live_text(task, "netns"));
	fputs("];\n", out);
}

static void put_wire(FILE *out, const json *task, int group, int n)
{
	const char *wire = live_text(task, "wire");

	fprintf(out, "    j%d -> t%d_%d [", group, group, n);
	put_label(out, "label", live_text(task, "hostInterface"));
	fprintf(out, "%s];\n",
		*wire && strcmp(wire, "up") != 0 ? ", color=\"#b3261e\", style=dashed" : "");
}

/* Of a crowd each task is a cell of one table: hundreds of nodes would be one long column. */
static void put_crowd(FILE *out, const json *group, int n)
{
	char buf[WORDS_TEXT];
	int i = 0;

	fprintf(out,
		"    t%d [shape=plain, label=<<TABLE BORDER=\"0\" CELLBORDER=\"1\" CELLSPACING=\"3\" "
		"CELLPADDING=\"4\">",
		n);
	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t), i++) {
		const json *ports = json_first(json_get(t, "ports"));

		fprintf(out, "%s<TD ALIGN=\"LEFT\" BALIGN=\"LEFT\" COLOR=\"%s\"><B>",
			i % ACROSS ? ""
			: i        ? "</TR><TR>"
				   : "<TR>",
			colour_of(t));
		html_text(out, task_name(t, buf));
		fputs("</B> ", out);
		html_text(out, task_short_address(t, buf));
		if (*task_trouble(t))
			fprintf(out, "<BR/>%s", task_trouble(t));
		else if (ports)
			fprintf(out, "%s<BR/>%s", ports_text(ports, " → ", buf) ? " …" : "", buf);
		fputs("</TD>", out);
	}
	fputs("</TR></TABLE>>];\n", out);
}

/* ---- groups ---- */

static void put_joint(FILE *out, const json *group, const struct look *look, int n)
{
	const char *state = live_text(json_get(group, "link"), "state");
	bool well = !*state || !strcmp(state, "up");

	fprintf(out, "    j%d [shape=%s, style=filled, fontcolor=white, color=\"%s\", ", n,
		look->shape, well ? look->colour : "#b3261e");
	put_label(out, "label",
		  is_kind(group, "routed") ? "router"
		  : is_kind(group, "host") ? "host"
					   : live_text(group, "name"));
	fputs("];\n", out);
}

static void put_members(FILE *out, const json *doc, const json *group, bool joined, int n)
{
	int i = 0;

	if (topology_is_dense(doc, group)) {
		put_crowd(out, group, n);
		if (joined)
			fprintf(out, "    j%d -> t%d;\n", n, n);
		return;
	}
	for (const json *t = json_first(json_get(group, "tasks")); t; t = json_next(t), i++) {
		put_task(out, t, n, i);
		if (joined)
			put_wire(out, t, n, i);
	}
}

static void put_group(FILE *out, const json *doc, const json *group, int n)
{
	const struct look *look = look_of(group);
	char buf[WORDS_TEXT];

	fprintf(out,
		"  subgraph cluster_%d {\n    style=rounded; color=\"#c6ced8\"; fontsize=12; "
		"edge [color=\"%s\"];\n    label=\"",
		n, look->colour);
	put(out, group_name(group, buf));
	fputs("\\l", out);
	put(out, group_about(group, ", ", buf));
	fputs("\\l\";\n", out);
	if (*look->shape)
		put_joint(out, group, look, n);
	put_members(out, doc, group, *look->shape, n);
	fputs("  }\n", out);
	if (*look->shape)
		fprintf(out, "  host -> j%d [color=\"%s\"];\n", n, look->colour);
	else /* beside the others, and not joined */
		fprintf(out, "  host -> t%d%s [style=invis, minlen=2];\n", n,
			topology_is_dense(doc, group) ? "" : "_0");
}

void topology_dot(FILE *out, const json *doc)
{
	char buf[WORDS_TEXT];
	int n = 0;

	fputs("digraph taskvpc {\n  graph [rankdir=LR, charset=\"UTF-8\", fontname=\"Helvetica\", "
	      "labeljust=l, fontsize=11, ranksep=0.7, nodesep=0.15, ",
	      out);
	snprintf(buf, sizeof(buf), "taskvpc %s, %s", live_text(doc, "taskvpc"),
		 live_text(doc, "date"));
	put_label(out, "label", buf);
	fputs("];\n  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n"
	      "  edge [dir=none, fontname=\"Helvetica\", fontsize=9];\n",
	      out);
	put_host(out, doc);
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		put_group(out, doc, g, n++);
	fputs("}\n", out);
}
