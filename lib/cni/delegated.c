/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The foreign IPAM plugin in an ADD: its answer, and that it is not needed any more. */
#include "cni/delegated.h"

#include <string.h>

#include "base/text.h"

static int read_delegated(struct add *add, const char *text, struct err *e)
{
	char what[96];
	const struct result_source source = { what, ERR_DELEGATE, .abbreviated = true };
	struct text t;
	int r;

	text_init(&t, what, sizeof(what));
	text_add(&t, "result of %s", add->c->foreign);
	r = json_parse(text, strlen(text), what, &add->given_root, e);
	if (r < 0) {
		e->code = ERR_DELEGATE;
		return r;
	}
	r = result_read(add->given_root, &source, &add->given, e);
	if (r < 0)
		return r;
	if (!add->given.n_ips && add->mode->needs_address)
		return err_set(e, ERR_DELEGATE, 0, "%s has no address", what);
	return result_to_attachment(&add->given, &add->a, e);
}

int delegated_ask(struct add *add, struct err *e)
{
	cleanup_free char *text = NULL;
	int r;

	if (!add->c->foreign)
		return 0;
	r = call_delegate(add->c, "ADD", &text, e);
	return r < 0 ? r : read_delegated(add, text ? text : "", e);
}

void delegated_undo(struct add *add, const char *why)
{
	struct err e;

	if (call_delegate(add->c, "DEL", NULL, &e) < 0)
		call_warn(add->c, "DEL of %s %s: %s", add->c->foreign, why, e.msg);
}
