/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file store: the conformance suite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "store_conformance.h"
static char dir[64];
static struct store *again(void *ctx)
{
	struct store *s = NULL; char warn[256]; struct err e = {0};
	(void)ctx;
	int r = store_open(dir, false, &s, warn, sizeof warn, &e);
	if (r) print_message("%d %s\n", r, e.msg);
	return s;
}
static struct store *fresh(void *ctx)
{
	strcpy(dir, "/tmp/store-XXXXXX");
	if (!mkdtemp(dir)) return NULL;
	return again(ctx);
}
int main(void)
{
	struct store_backend b = { "file", fresh, again, NULL };
	return store_conformance(&b);
}
