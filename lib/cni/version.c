/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VERSION: asked a lot (podman: of every plugin, at every command), with dummies in the environment
 * and perhaps nothing on stdin. So it judges nothing, opens nothing and cannot fail but on stdout.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "cni/call.h"

int version_run(struct call *c, struct err *e)
{
	cleanup_json json *answer = json_object();
	cleanup_free char *text = NULL;
	const char *version = config_version(c);
	json *list;

	json_add_string(answer, "cniVersion", version ? version : spec_names[SPEC_NEWEST]);
	list = json_add_array(answer, "supportedVersions");
	for (unsigned i = 0; i < SPEC_COUNT; i++)
		json_add_string(list, NULL, spec_names[i]);
	text = json_print(answer);
	return text ? call_answer(c, text, e) : err_sys(e, ERR_IO, ENOMEM, "VERSION");
}
