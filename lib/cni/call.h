/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One call of a plugin: who calls (environment), with what (configuration), and the few things of
 * the host that a verb works with, each opened when first needed. The one context that is passed
 * down; there are no globals beside it. It starts and ends in main.c.
 */
#ifndef CNI_CALL_H
#define CNI_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ipam/pool.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "mode/mode.h"
#include "store/store.h"
#include "json/json.h"

#ifndef TASKVPC_VERSION
#define TASKVPC_VERSION "0.0.0"
#endif

/* Versions of the CNI specification, oldest first, so that they can be compared. */
enum spec {
	SPEC_0_1_0,
	SPEC_0_2_0,
	SPEC_0_3_0,
	SPEC_0_3_1,
	SPEC_0_4_0,
	SPEC_1_0_0,
	SPEC_1_1_0,
	SPEC_COUNT,
	SPEC_NEWEST = SPEC_1_1_0,
};
extern const char *const spec_names[SPEC_COUNT];
/* spec_find: by exact text ("1.0" is none). Return: success. */
bool spec_find(const char *text, enum spec *ret);

/* The CNI_* variables; NULL: unset or empty, which mean the same. Borrowed from the environment. */
struct env {
	const char *command, *container_id, *netns, *ifname, *args, *path;
};

/* What a verb requires of the environment. */
enum {
	ENV_CONTAINER_ID = 1,
	ENV_NETNS = 2,
	ENV_IFNAME = 4,
	ENV_ATTACHMENT = ENV_CONTAINER_ID | ENV_NETNS | ENV_IFNAME,
};

struct call;

struct verb {
	const char *name;
	unsigned env;    /* ENV_*: what must be there */
	enum spec since; /* the oldest version that knows the verb */
	bool bare;       /* run without environment and configuration being judged */
	uint64_t needs;  /* capabilities (PRIVILEGE): all others are given up before it runs */
	/* Return: 0, or a negative errno with *e. Output goes through call_answer. */
	int (*run)(struct call *c, struct err *e);
	const char *help;
};

struct call {
	const struct plugin *plugin;
	const struct verb *verb;
	struct env env;

	/* the configuration: as it came, as a document, and what every verb wants of it */
	char *config;
	size_t config_len;
	json *root;
	enum spec spec;
	const char *network; /* `name`; borrowed from root */
	const json *ipam;    /* borrowed; NULL if absent or no object */
	const char *foreign; /* type of the foreign IPAM plugin; NULL: our own pool, or none */
	char data_dir[256];

	/* the host */
	struct netns host;   /* call_host */
	struct netlink nl;   /* rtnetlink in host; call_netlink */
	struct store *store; /* call_store */
	int turn;            /* file of the locks of turn.h; -1: none yet */
	bool shares_turn;
	bool quarantined; /* it has released addresses into quarantine: flows_leave */
	unsigned print; /* --explain: enum plan_print */
	bool answered;  /* stdout has (some of) the answer: nothing else may follow */
};

/* config_read: stdin into the configuration part of @c. Judges name and version, nothing more. */
int config_read(struct call *c, struct err *e);
/* config_version: the `cniVersion` of stdin if it has one, else NULL. Never fails. */
const char *config_version(struct call *c);

void env_read(struct env *ret);
int env_judge(const struct env *env, const struct verb *verb, struct err *e);
/* name_is_valid: of a network or a container id: what the specification allows, and 255 bytes. */
bool name_is_valid(const char *s);

/* call_key: (network, containerID, ifname) of this call. */
struct store_key call_key(const struct call *c);
int call_host(struct call *c, struct err *e);
/*
 * call_task: open CNI_NETNS: a namespace other than the host's, or exactly that one where @mode
 * wants it. Errors have code 4. call_host must have been called.
 */
int call_task(const struct call *c, const struct mode *mode, struct netns *ret, struct err *e);
/* call_netlink: also opens the host's namespace. */
int call_netlink(struct call *c, struct err *e);
/* call_store: (re)open. Return: 0, STORE_ABSENT (unless STORE_CREATE) or a negative errno. */
int call_store(struct call *c, enum store_access access, struct err *e);
/* call_answer: write @text and a newline to stdout. A failure is told and must undo the verb. */
int call_answer(struct call *c, const char *text, struct err *e);
/* call_names_itself: `ipam.type` is this very plugin, which would call itself without end. */
bool call_names_itself(const struct call *c);
/* call_delegate: run @verb of the foreign IPAM plugin; nothing to do where there is none. */
int call_delegate(struct call *c, const char *verb, char **ret_out, struct err *e);
/* call_warn: one line on stderr. */
void call_warn(const struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void call_end(struct call *c);

/* The verbs, one file each. */
int add_run(struct call *c, struct err *e);
int del_run(struct call *c, struct err *e);
int check_run(struct call *c, struct err *e);
int gc_run(struct call *c, struct err *e);
int status_run(struct call *c, struct err *e);
int version_run(struct call *c, struct err *e);
int explain_add_run(struct call *c, struct err *e);
int explain_del_run(struct call *c, struct err *e);
/* fields_print: the reference of the configuration, as Markdown, on stdout. Return: as run. */
int fields_print(struct call *c, struct err *e);

#endif
