/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks: CNI configurations by name. Those of files come first, so that a file of the same name
 * replaces a built-in one.
 */
#ifndef CLI_NETWORK_H
#define CLI_NETWORK_H

#include <limits.h>
#include <stdbool.h>

#include "base/text.h"
#include "cli.h"
#include "store/store.h"

#define NETWORK_CONF_DIR "/etc/cni/net.d"
#define NETWORKS_MAX     256

struct network {
	char name[STORE_NAME_MAX + 1];
	char source[PATH_MAX]; /* the file, or "built-in" */
	json *list;            /* as a conflist: name, cniVersion (the one to speak), plugins */
};

struct networks {
	struct network *of[NETWORKS_MAX];
	unsigned n;
};

/* A network that is compiled in, one for each mode: "lab-" and the mode. */
struct builtin {
	const char *name, *text;
};
extern const struct builtin builtins[]; /* ends with name NULL */

/*
 * network_find: by name, or from a file (a word with a '/', or that ends in .conflist, .conf,
 * .json).
 * @ret: to be freed by network_free. Return: 0, or a negative errno: EXIT_ABSENT names what there
 * is.
 */
int network_find(const struct cli *c, const char *name, struct network **ret, struct err *e);

/*
 * networks_load: all that are configured and built in, by name.
 * @broken: called for each file that cannot be used, may be NULL. Return: 0 or a negative errno.
 */
typedef void network_broken_fn(void *ctx, const char *path, const struct err *why);
int networks_load(const struct cli *c, struct networks *ret, network_broken_fn *broken, void *ctx,
		  struct err *e);
/* networks_add: take over @n, unless one of that name is there (then it is freed). */
int networks_add(struct networks *all, struct network *n, struct err *e);
const struct network *networks_get(const struct networks *all, const char *name);
/* networks_ask: is this set in the network of that name, if it is there? */
bool networks_ask(const struct networks *all, const char *name, const char *key);

/*
 * network_read: judge a configuration (borrowed) of a list or of a single plugin.
 * network_read_file: from a file, and from those of plugins that it does not name itself.
 * @ret: to be freed by network_free. Return: 0 or a negative errno.
 */
int network_read(const json *doc, const char *source, struct network **ret, struct err *e);
int network_read_file(const char *path, struct network **ret, struct err *e);

bool network_is_name(const char *s);
/* network_is_list: or else the configuration of a single plugin, which has a type. */
bool network_is_list(const json *doc);

/* What a list asks of runtimes. network_is_set: does it? */
#define NETWORK_NO_CHECK     "disableCheck"
#define NETWORK_NO_GC        "disableGC"
#define NETWORK_ONLY_INLINED "loadOnlyInlinedPlugins"
bool network_is_set(const json *list, const char *key);

/* network_unknown: keys of the list (not of its plugins) that nobody reads, a line each. */
void network_unknown(const json *list, struct text *ret);

/* network_mode: awsvpc, bridge, host, none; else the type of the first plugin. Borrowed. */
const char *network_mode(const json *list);
/* network_data_dir: where the records of the network are. Returns @buf. */
const char *network_data_dir(const json *list, char buf[static 256]);
/* mode_of_type: "bridge" for "task-bridge": the word that people use. */
const char *mode_of_type(const char *type);

void network_free(struct network *n);
static inline void network_freep(struct network **n)
{
	network_free(*n);
}
#define cleanup_network CLEANUP(network_freep)
void networks_free(struct networks *all);
#define cleanup_networks CLEANUP(networks_free)

#endif
