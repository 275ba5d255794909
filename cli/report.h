/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the HTML report. Whatever comes from outside goes through html_text. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdio.h>

#include "compare.h"

/* html_text: @s with what HTML would read as markup escaped. */
void html_text(FILE *out, const char *s);
/* html_tag: <TAG CLASS>text</TAG>; @class_name may be "". */
void html_tag(FILE *out, const char *tag, const char *class_name, const char *text);

extern const char report_style[]; /* report_style.c */

/* report_picture: an SVG of a lab, with the addresses that its tasks had (report_picture.c). */
void report_picture(FILE *out, const json *mode);
/* report_chart: an SVG of the bars of one question, if it is one of figures (report_chart.c). */
void report_chart(FILE *out, const json *doc, const json *row);
bool report_has_chart(const json *row);

/* report_was_restless: the rounds of some figures differ so much that the machine was busy. */
bool report_was_restless(const json *doc);

#endif
