/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prevResult, and the answer of a foreign IPAM plugin. What is accepted is written again in each
 * version; what was written is accepted, and says the same when written once more.
 */
#include "fuzz.h"

#include "cni/result.h"

static struct result *read_one(const char *text, size_t len, bool abbreviated, json **doc)
{
	const struct result_source source = { .what = "result",
					      .code = ERR_CONFIG,
					      .abbreviated = abbreviated };
	struct result *r = calloc(1, sizeof(*r));
	struct err e = { 0 };

	must(r);
	*doc = NULL;
	if (json_parse(text, len, "result", doc, &e) == 0 && result_read(*doc, &source, r, &e) == 0)
		return r;
	must(e.code > 0 && e.msg[0]);
	json_free(*doc);
	free(r);
	return NULL;
}

static void write_each(const struct result *r)
{
	for (enum spec spec = SPEC_0_1_0; spec < SPEC_COUNT; spec++) {
		char *text = NULL, *again = NULL;
		struct result *second;
		struct err e;
		json *doc;

		if (result_write(r, spec, &text, &e) < 0)
			continue;
		second = read_one(text, strlen(text), false, &doc);
		must(second);
		must(result_write(second, spec, &again, &e) == 0);
		must(strcmp(text, again) == 0);
		free(again);
		free(text);
		free(second);
		json_free(doc);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attachment *a;
	struct result *r;
	struct err e;
	json *doc;

	if (!size)
		return 0;
	r = read_one((const char *)data + 1, size - 1, data[0] & 1, &doc);
	if (!r)
		return 0;
	a = calloc(1, sizeof(*a));
	must(a);
	if (data[0] & 1)
		result_to_attachment(r, a, &e);
	else
		write_each(r);
	free(a);
	free(r);
	json_free(doc);
	return 0;
}
