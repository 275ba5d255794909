/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a packet for people: a line a hop, below it why, and how to ask the kernel oneself. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "output.h"
#include "way.h"

#define PLACE_WIDTH 14

static enum tone tone_of(const char *verdict)
{
	if (!strcmp(verdict, "dies") || !strcmp(verdict, "refused"))
		return TONE_BAD;
	return !strcmp(verdict, "unsure") ? TONE_WARN : TONE_GOOD;
}

static const char *mark_of(const char *verdict)
{
	bool utf8 = out_is_utf8();

	if (tone_of(verdict) == TONE_BAD)
		return utf8 ? "✗" : "x";
	return tone_of(verdict) == TONE_WARN ? "?" : utf8 ? "✓" : "+";
}

static void line(const char *sign, const char *text)
{
	if (*text)
		printf("%*s   %s%s%s%s\n", PLACE_WIDTH, "", out_tone(TONE_DIM), sign, text,
		       out_tone(TONE_PLAIN));
}

/* What was said above is not said again. */
static bool is_known(const json *doc, const json *hop)
{
	static const char *const lists[] = { "request", "answer" };
	const char *why = live_text(hop, "why");

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const json *h = json_first(json_get(doc, lists[i])); h; h = json_next(h)) {
			if (h == hop)
				return false;
			if (!strcmp(live_text(h, "why"), why))
				return true;
		}
	return false;
}

/* The name of the place only where the packet enters it. */
static void show_hop(const json *doc, const json *hop, const char *before)
{
	const char *at = live_text(hop, "at"), *verdict = live_text(hop, "verdict");

	printf("%s%-*.*s%s %s%s%s %s: %s\n", out_tone(TONE_TITLE), PLACE_WIDTH, PLACE_WIDTH,
	       strcmp(at, before) ? at : "", out_tone(TONE_PLAIN), out_tone(tone_of(verdict)),
	       mark_of(verdict), out_tone(TONE_PLAIN), live_text(hop, "about"),
	       live_text(hop, "finding"));
	if (!is_known(doc, hop))
		line("", live_text(hop, "why"));
	line("$ ", live_text(hop, "command"));
}

static void show_hops(const json *doc, const char *key, const char *title)
{
	const json *hops = json_get(doc, key);
	const char *before = "";

	if (json_count(hops))
		printf("\n%s%s%s\n", out_tone(TONE_DIM), title, out_tone(TONE_PLAIN));
	for (const json *hop = json_first(hops); hop; hop = json_next(hop)) {
		show_hop(doc, hop, before);
		before = live_text(hop, "at");
	}
}

void way_show(const struct cli *c, const json *doc)
{
	const json *src = json_get(doc, "source"), *dst = json_get(doc, "destination");
	const char *verdict = live_text(doc, "verdict"), *fix = live_text(doc, "fix");

	if (c->json) {
		out_json(doc);
		return;
	}
	printf("%s%s (%s) %s %s (%s), %s%s\n", out_tone(TONE_TITLE), live_text(src, "name"),
	       live_text(src, "address"), out_is_utf8() ? "→" : "->", live_text(dst, "name"),
	       live_text(dst, "address"), live_text(doc, "protocol"), out_tone(TONE_PLAIN));
	show_hops(doc, "request", "the packet");
	show_hops(doc, "answer", "the answer");
	printf("\n%s%s %s%s: %s\n", out_tone(tone_of(verdict)), mark_of(verdict), verdict,
	       out_tone(TONE_PLAIN), live_text(doc, "reason"));
	if (*fix)
		printf("  fix: %s\n", fix);
}
