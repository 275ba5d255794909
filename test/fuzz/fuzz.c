/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share. */
#include "fuzz.h"

#include "awsvpc/awsvpc.h"
#include "bridge/bridge.h"
#include "host/host.h"
#include "ipam/ipam.h"

#define PRINTED 262144

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

const struct mode *fuzz_mode(unsigned n)
{
	static const struct mode *const modes[] = { &mode_routed, &mode_macvlan, &mode_bridge,
						    &mode_host, &mode_ipam };

	return modes[n % ARRAY_SIZE(modes)];
}

static char *printed(const struct mode *mode, const struct attachment *a)
{
	struct plan *p = malloc(sizeof(*p));
	char *buf = malloc(PRINTED);
	uint64_t tags[STORE_TAGS];
	struct text t;

	must(p && buf);
	plan_init(p, a);
	if (mode->plan)
		mode->plan(a, p);
	text_init(&t, buf, PRINTED);
	plan_print(p, PLAN_PRINT_APPLY, &t);
	plan_print(p, PLAN_PRINT_UNDO, &t);
	plan_tags(p, tags, STORE_TAGS);
	free(p);
	return buf;
}

void fuzz_plan(const struct mode *mode, const struct attachment *a)
{
	struct attachment *again = calloc(1, sizeof(*again));
	char *body, *first = printed(mode, a), *second;
	struct err e;
	size_t len;

	must(again);
	if (attachment_encode(a, &body, &len, &e) == 0) {
		must(attachment_decode(body, len, ATTACHMENT_SCHEMA, again, &e) == 0);
		second = printed(mode, again);
		must(strcmp(first, second) == 0);
		free(second);
		free(body);
	}
	free(first);
	free(again);
}
