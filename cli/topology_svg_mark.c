/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The marks that the picture is made of, and how they look: by day, by night and on paper. Colours
 * stand in each rule by themselves: many viewers of SVG know no CSS variables.
 */
#include <string.h>

#include "base/text.h"
#include "report.h"
#include "topology_svg.h"

#define MONO_WIDTH 0.61 /* of a character, by its size */

const char svg_style[] =
	"text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
	"font-size:13px;fill:#1c2430}\n"
	".mono{font-family:ui-monospace,'SF Mono','DejaVu Sans Mono',monospace;font-size:12px}\n"
	".h1{font-size:26px;font-weight:700;letter-spacing:-.02em}.h2{font-size:15px;"
	"font-weight:700}\n"
	".b{font-weight:600}.s{font-size:11.5px}.xs{font-size:10px}.soft{fill:#5b6675}"
	".end{text-anchor:end}\n"
	".paper{fill:#fff}.box{fill:#f3f5f8;stroke:#8b96a5}.panel{fill:#f8fafb;stroke:#dfe4ea}\n"
	".open{stroke-dasharray:5 4}.card{fill:#fff;stroke:#c6ced8}.chip{fill:#fff;stroke:#8b96a5}\n"
	".wire{fill:none;stroke:#6b7280;stroke-width:1.75}.bar{fill:none;stroke:#6b7280;"
	"stroke-width:7;stroke-linecap:round;stroke-linejoin:round}.bar.thin{stroke-width:5}\n"
	".bore{fill:none;stroke:#f8fafb;stroke-width:4;stroke-linecap:round;"
	"stroke-linejoin:round}.bore.thin{stroke-width:2.5}\n"
	".world{fill:none;stroke:#5b6675;stroke-width:1.75}\n"
	".node{fill:#6b7280}.hole{fill:#fff}.pill{fill:#eef1f4}.rest{fill:#e2e7ec}\n"
	".routed .wire,.routed .bar{stroke:#2563eb}.routed .node{fill:#2563eb}"
	".routed .pill{fill:#e6edfd}\n"
	".lan .wire{stroke:#0e8a7d}.lan .node{fill:#0e8a7d}.lan .pill{fill:#dff3f0}\n"
	".bridge .wire,.bridge .bar{stroke:#b7791f}.bridge .node{fill:#b7791f}"
	".bridge .pill{fill:#faeed9}\n"
	".host .wire{stroke:#a23b72}.host .node{fill:#a23b72}.host .pill{fill:#f7e6ef}\n"
	".good{fill:#14734c}.bad{fill:#b3261e}.warn{fill:#9a6700}\n"
	".card.bad{fill:#fff5f4;stroke:#b3261e}.card.warn{fill:#fffaf0;stroke:#9a6700}\n"
	".card.bad,.card.warn{stroke-width:1.5}.band{fill:#f3f5f8}\n"
	".wire.cut{stroke:#b3261e!important;stroke-dasharray:4 3}\n"
	"@media screen and (prefers-color-scheme:dark){\n"
	"text{fill:#e6eaf0}.soft{fill:#9aa6b5}.paper{fill:#12161c}.box{fill:#1d2430;stroke:#6b7686}\n"
	".panel{fill:#161b23;stroke:#2c3440}.card,.chip{fill:#1d232d;stroke:#465162}\n"
	".wire,.bar{stroke:#a3adba}.world{stroke:#9aa6b5}.node{fill:#a3adba}.hole{fill:#12161c}"
	".pill{fill:#2a313c}.rest{fill:#2c3440}\n"
	".routed .wire,.routed .bar{stroke:#7aa7ff}.routed .node{fill:#7aa7ff}"
	".routed .pill{fill:#1c2c4d}\n"
	".lan .wire{stroke:#4fd1c0}.lan .node{fill:#4fd1c0}.lan .pill{fill:#143832}\n"
	".bridge .wire,.bridge .bar{stroke:#e9b44c}.bridge .node{fill:#e9b44c}"
	".bridge .pill{fill:#3b2e14}\n"
	".host .wire{stroke:#e58ab8}.host .node{fill:#e58ab8}.host .pill{fill:#3b2030}\n"
	".good{fill:#5bd19a}.bad{fill:#ff8a80}.warn{fill:#f2c14e}\n"
	".card.bad{fill:#331a1a;stroke:#ff8a80}.card.warn{fill:#33280f;stroke:#f2c14e}\n"
	".bore{stroke:#161b23}.band{fill:#1d2430}.wire.cut{stroke:#ff8a80!important}}\n"
	"@media print{@page{margin:10mm}svg{width:100vw;height:100vh}"
	"*{print-color-adjust:exact;"
	"-webkit-print-color-adjust:exact}}\n";

const char *svg_cut(const char *text, int max, char buf[static WORDS_TEXT])
{
	char shown[WORDS_TEXT], head[WORDS_TEXT - 4];

	text_printable(shown, sizeof(shown), text);
	text_printable(head, max > 1 && max < WORDS_TEXT - 4 ? (size_t)max : 1, shown);
	if (out_width(shown) > max)
		snprintf(buf, WORDS_TEXT, "%s…", head);
	else
		text_copy(buf, WORDS_TEXT, shown);
	return buf;
}

void svg_text(FILE *out, struct svg_point p, const char *class_name, int max, const char *text)
{
	char cut[WORDS_TEXT];

	fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", p.x, p.y, class_name);
	html_text(out, svg_cut(text, max, cut));
	fputs("</text>", out);
}

/* What faces differ in: at 14 px bold, rather too wide than too narrow. */
static int wide_as(const char *s)
{
	int width = 0;

	for (; *s; s++)
		if (strchr("WMm@%", *s))
			width += 14;
		else if (*s >= 'A' && *s <= 'Z')
			width += 11;
		else if (strchr("ijlt.-'", *s))
			width += 5;
		else if (((unsigned char)*s & 0xc0) != 0x80)
			width += *s == 'w' ? 11 : 9;
	return width;
}

void svg_fit(FILE *out, struct svg_box room, const char *class_name, int max, const char *text)
{
	char cut[WORDS_TEXT];

	svg_cut(text, max, cut);
	fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\"", room.x, room.y, class_name);
	if (wide_as(cut) > room.w)
		fprintf(out, " textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\"", room.w);
	fputs(">", out);
	html_text(out, cut);
	fputs("</text>", out);
}

void svg_mono(FILE *out, struct svg_point p, const char *class_name, int width, const char *text)
{
	const double size = strstr(class_name, "xs") ? 10 : strstr(class_name, "s ") ? 11.5 : 12;
	char shown[WORDS_TEXT];

	text_printable(shown, sizeof(shown), text);
	fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"mono %s\"", p.x, p.y, class_name);
	if (out_width(shown) * size * MONO_WIDTH > width)
		fprintf(out, " textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\"", width);
	fputs(">", out);
	html_text(out, shown);
	fputs("</text>", out);
}

void svg_rect(FILE *out, struct svg_box box, const char *class_name)
{
	fprintf(out,
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n",
		class_name, box.x, box.y, box.w, box.h, box.radius);
}

void svg_line(FILE *out, struct svg_point from, struct svg_point to, const char *class_name)
{
	fprintf(out, "<path class=\"%s\" d=\"M%d %dH%dV%d\"/>\n", class_name, from.x, from.y, to.x,
		to.y);
}

void svg_dot(FILE *out, struct svg_point p, int radius, const char *class_name)
{
	fprintf(out, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>", class_name, p.x, p.y,
		radius);
}

void svg_name(FILE *out, const char *text)
{
	char shown[WORDS_TEXT];

	text_printable(shown, sizeof(shown), text);
	fputs("<title>", out);
	html_text(out, shown);
	fputs("</title>", out);
}

const char *svg_tone(enum tone tone)
{
	static const char *const classes[] = {
		[TONE_PLAIN] = "",  [TONE_GOOD] = "good", [TONE_WARN] = "warn",
		[TONE_BAD] = "bad", [TONE_DIM] = "soft",  [TONE_TITLE] = "b"
	};

	return classes[tone];
}
