/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network from its file, as libcni reads it: plugins that the list does not name itself are those
 * of the directory NAME beside it, in the order of their file names (CNI 1.1.0).
 */
#include "network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#define FILE_MAX (1u << 20)

static int refuse_file(const char *path, int r, struct err *e)
{
	char shown[200];

	text_printable(shown, sizeof(shown), path);
	if (r == -ENOENT)
		cli_error(e, EXIT_ABSENT, "there is no file %s", shown);
	else
		err_sys(e, ERR_IO, -r, "cannot read %s", shown);
	err_hint(e, "a word with a '/' is a file, .conflist or .conf; networks by name: taskvpc "
		    "status");
	return r;
}

static int read_json(const char *path, json **ret, struct err *e)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cleanup_free char *text = NULL;
	size_t len = 0;
	int r = fd < 0 ? -errno : io_read_all(fd, FILE_MAX, &text, &len);

	return r < 0 ? refuse_file(path, r, e) : json_parse(text, len, path, ret, e);
}

/* ---- plugins in files of their own ---- */

static int is_plugin(const struct dirent *entry)
{
	const char *suffix = strrchr(entry->d_name, '.');

	return entry->d_type != DT_DIR && suffix && !strcmp(suffix, ".conf");
}

static int add_plugin(json *plugins, const char *path, struct err *e)
{
	cleanup_json json *one = NULL;
	int r = read_json(path, &one, e);

	if (r < 0)
		return r;
	if (!json_string(json_get(one, "type")))
		return err_set(e, ERR_CONFIG, 0, "%s: type: must be a string", path);
	json_add_copy(plugins, NULL, one);
	return 0;
}

static int add_plugins(json *plugins, const char *dir, struct err *e)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_plugin, alphasort), r = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(e, ERR_IO, errno, "cannot read %s", dir);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		r = r < 0 ? r : add_plugin(plugins, path, e);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* What is wrong with @doc itself, network_read tells. */
static int complete(json *doc, const char *path, struct err *e)
{
	const json *own = json_get(doc, "plugins");
	const char *name = json_string(json_get(doc, "name")), *slash = strrchr(path, '/');
	cleanup_json json *plugins = own ? json_copy(own) : json_array();
	cleanup_free char *dir = NULL;
	int r;

	if (!name || !network_is_name(name) || !network_is_list(doc) ||
	    network_is_set(doc, NETWORK_ONLY_INLINED) || (own && !json_count(own)))
		return 0;
	if (asprintf(&dir, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name) < 0)
		return err_sys(e, ERR_IO, ENOMEM, "%s", path);
	r = add_plugins(plugins, dir, e);
	if (r < 0 || !json_count(plugins))
		return r;
	json_remove(doc, "plugins");
	json_add_copy(doc, "plugins", plugins);
	return 0;
}

int network_read_file(const char *path, struct network **ret, struct err *e)
{
	cleanup_json json *doc = NULL;
	int r = read_json(path, &doc, e);

	if (r == 0)
		r = complete(doc, path, e);
	return r < 0 ? r : network_read(doc, path, ret, e);
}
