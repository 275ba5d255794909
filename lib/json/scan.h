/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strict look at a JSON text that comes before cJSON, which forgives too much. Private to
 * json/. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stddef.h>

struct scan {
	const char *text;
	size_t len;
	size_t pos; /* where the scan stands, or where the error is */
	unsigned depth;
	const char *why; /* what is wrong, NULL if nothing is */
};

/* scan_document: judge the whole text. Return: 0, or -1 with why and pos. */
int scan_document(struct scan *s);

#endif
