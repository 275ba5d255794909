/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stdin as far as every verb needs it: a document, the network's name, the version to speak, and
 * whose business `ipam` is. DEL and GC read no more than this, so a configuration that went wrong
 * after ADD never keeps anything from being removed.
 */
#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "cni/call.h"

#define STDIN_MAX (16u << 20)
#define SHOWN     80

const char *const spec_names[SPEC_COUNT] = {
	[SPEC_0_1_0] = "0.1.0", [SPEC_0_2_0] = "0.2.0", [SPEC_0_3_0] = "0.3.0",
	[SPEC_0_3_1] = "0.3.1", [SPEC_0_4_0] = "0.4.0", [SPEC_1_0_0] = "1.0.0",
	[SPEC_1_1_0] = "1.1.0",
};

bool spec_find(const char *text, enum spec *ret)
{
	for (unsigned i = 0; i < SPEC_COUNT; i++) {
		if (!strcmp(text, spec_names[i])) {
			*ret = (enum spec)i;
			return true;
		}
	}
	return false;
}

static int read_stdin(struct call *c, struct err *e)
{
	int r = io_read_all(STDIN_FILENO, STDIN_MAX, &c->config, &c->config_len);

	if (r == -EFBIG)
		return err_set(e, ERR_IO, EFBIG,
			       "stdin: the network configuration is larger than %u MiB",
			       STDIN_MAX >> 20);
	if (r < 0)
		return err_sys(e, ERR_IO, -r, "stdin: cannot read the network configuration");
	return json_parse(c->config, c->config_len, "stdin", &c->root, e);
}

/* The version that errors are reported in, before it is judged. */
static void guess_spec(struct call *c)
{
	const char *text = json_string(json_get(c->root, "cniVersion"));

	c->spec = SPEC_0_1_0;
	if (json_kind(c->root) != JSON_IS_OBJECT || (text && *text && !spec_find(text, &c->spec)))
		c->spec = SPEC_NEWEST;
}

static int read_name(struct call *c, struct err *e)
{
	const json *name = json_get(c->root, "name");
	char shown[SHOWN];

	if (json_is_absent(name))
		return err_set(e, ERR_CONFIG, 0, "name: missing in the network configuration");
	c->network = json_string(name);
	if (!c->network)
		return err_set(e, ERR_DECODE, 0, "name: must be a string");
	if (name_is_valid(c->network))
		return 0;
	text_printable(shown, sizeof(shown), c->network);
	err_set(e, ERR_CONFIG, 0, "name: \"%s\" is no name of a network", shown);
	err_hint(e, "a letter or digit, then letters, digits, '_', '.', '-'; at most %d bytes",
		 STORE_NAME_MAX);
	return -EINVAL;
}

static int unsupported(const char *text, struct err *e)
{
	char shown[SHOWN], list[128];
	struct text t;

	text_printable(shown, sizeof(shown), text);
	text_init(&t, list, sizeof(list));
	for (unsigned i = 0; i < SPEC_COUNT; i++)
		text_add(&t, "%s\"%s\"", i ? " " : "", spec_names[i]);
	err_set(e, ERR_VERSION, 0, "cniVersion: \"%s\" is not supported", shown);
	err_hint(e, "config is \"%s\", plugin supports [%s]", shown, list);
	return -EINVAL;
}

static int read_spec(struct call *c, struct err *e)
{
	const json *version = json_get(c->root, "cniVersion");
	const char *text = json_string(version);

	if (!json_is_absent(version) && !text)
		return err_set(e, ERR_DECODE, 0, "cniVersion: must be a string");
	if (text && *text && !spec_find(text, &c->spec))
		return unsupported(text, e);
	if (c->spec >= c->verb->since)
		return 0;
	err_set(e, ERR_VERSION, 0, "cniVersion: %s has no %s", spec_names[c->spec], c->verb->name);
	err_hint(e, "config is \"%s\", %s needs \"%s\" or newer", spec_names[c->spec],
		 c->verb->name, spec_names[c->verb->since]);
	return -EINVAL;
}

static void read_ipam(struct call *c)
{
	const json *ipam = json_get(c->root, "ipam");

	if (json_kind(ipam) == JSON_IS_OBJECT)
		c->ipam = ipam;
	/* A foreign plugin's dataDir is its own: never put our store there. */
	if (c->plugin->is_ipam || !pool_is_foreign(c->ipam, &c->foreign)) {
		c->foreign = NULL;
		pool_read_data_dir(c->ipam, c->data_dir, sizeof(c->data_dir));
	} else {
		text_copy(c->data_dir, sizeof(c->data_dir), POOL_DATA_DIR);
	}
}

int config_read(struct call *c, struct err *e)
{
	int r = read_stdin(c, e);

	if (r < 0)
		return r;
	guess_spec(c);
	if (json_kind(c->root) != JSON_IS_OBJECT && json_kind(c->root) != JSON_IS_NULL)
		return err_set(e, ERR_DECODE, 0, "stdin: the network configuration is no object");
	r = read_name(c, e);
	if (r < 0)
		return r;
	r = read_spec(c, e);
	if (r < 0)
		return r;
	read_ipam(c);
	return 0;
}

const char *config_version(struct call *c)
{
	struct err ignored;
	const char *text;

	if (read_stdin(c, &ignored) < 0)
		return NULL;
	text = json_string(json_get(c->root, "cniVersion"));
	return text && *text ? text : NULL;
}
