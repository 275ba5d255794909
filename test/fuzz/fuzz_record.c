/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record of the store, garbled: it is refused in words, or planned and printed, and then encodes
 * to itself. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attachment *a;
	struct err e = { 0 };

	if (!size)
		return 0;
	a = calloc(1, sizeof(*a));
	must(a);
	if (attachment_decode((const char *)data + 1, size - 1, ATTACHMENT_SCHEMA, a, &e) == 0)
		fuzz_plan(fuzz_mode(data[0]), a);
	else
		must(e.code > 0 && e.msg[0]);
	free(a);
	return 0;
}
