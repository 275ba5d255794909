/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain: the plan of a network or of a task, as commands, and for each the reason; or a packet.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "chain.h"
#include "kernel/netns.h"
#include "live.h"
#include "output.h"
#include "state.h"
#include "verbs.h"
#include "way.h"
#include "wish.h"

struct explain {
	const char *verb, *name;
	struct wish wish;
};

static const struct opt options[] = {
	OPT(struct explain, verb, 0, "verb", OPT_TEXT, "add|del",
	    "What makes the attachment (the default), or what removes it."),
	OPT(struct explain, name, 0, "name", OPT_TEXT, "NAME",
	    "What the task would be called: \"task\"."),
	WISH_OPTIONS(struct explain, wish),
	{ .name = NULL },
};

static int judge_verb(struct explain *x, struct err *e)
{
	char shown[40];

	x->verb = x->verb ? x->verb : "add";
	if (!strcmp(x->verb, "add") || !strcmp(x->verb, "del"))
		return 0;
	text_printable(shown, sizeof(shown), x->verb);
	return cli_error(e, EXIT_USAGE, "--verb: \"%s\" is neither add nor del", shown);
}

#define NO_STEPS                                                                                   \
	"# Nothing is made: the task is in the host's own network. Its ports are held in the\n"    \
	"# store, so that no other task gets them.\n"
#define HERE " <<'EOF'"

/* How long the command at @text is: a line, or all of a here-document. */
static size_t command_length(const char *text)
{
	size_t len = strcspn(text, "\n"), here = strlen(HERE);
	const char *end;

	if (len < here || strncmp(text + len - here, HERE, here) != 0)
		return len;
	end = strstr(text + len, "\nEOF");
	return end ? (size_t)(end - text) + strlen("\nEOF") : len;
}

static void add_command(json *list, const char *text, size_t len, const char *why)
{
	cleanup_free char *command = strndup(text, len);
	json *one = json_add_object(list, NULL);

	json_add_string(one, "command", command ? command : "");
	json_add_string(one, "why", why);
}

/* The commands of a plan, each with the comment above it: a comment of several lines is one. */
static json *as_json(const char *text)
{
	json *list = json_array();
	char why[1024] = "";
	struct text t;
	size_t len;

	text_init(&t, why, sizeof(why));
	for (; *text; text += len + (text[len] == '\n')) {
		len = command_length(text);
		if (*text == '#') {
			text_add(&t, "%s%.*s", t.len ? " " : "", (int)len - 2, text + 2);
		} else if (len) {
			add_command(list, text, len, why);
			text_init(&t, why, sizeof(why));
		} else {
			text_init(&t, why, sizeof(why));
		}
	}
	return list;
}

static void show(const struct cli *c, const char *text)
{
	if (c->json) {
		cleanup_json json *list = as_json(text);

		out_json(list);
		return;
	}
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		bool comment = *text == '#';

		len = strcspn(text, "\n");
		printf("%s%.*s%s\n", comment ? out_tone(TONE_DIM) : "", (int)len, text,
		       comment ? out_tone(TONE_PLAIN) : "");
	}
}

/* Return: as chain_explain. */
static int ask(const struct cli *c, const struct chain *chain, const char *verb, char **ret,
	       struct err *e)
{
	struct chain complete = *chain;
	char path[CHAIN_PATH];
	int r;

	chain_path(c, path);
	complete.path = path;
	r = chain_find(&complete, e);
	return r < 0 ? r : chain_explain(&complete, verb, ret, e);
}

static int explain(const struct cli *c, const struct chain *chain, const char *verb, struct err *e)
{
	cleanup_free char *text = NULL;
	int r = ask(c, chain, verb, &text, e);

	if (r < 0)
		return r;
	if (!c->json && !strcmp(network_mode(chain->list), "host"))
		printf(NO_STEPS);
	show(c, text);
	return 0;
}

/* What an attachment has, by its record. */
static int explain_task(const struct cli *c, const struct explain *x, const json *rows,
			struct err *e)
{
	int r = 0;

	for (const json *row = json_first(rows); row && r == 0; row = json_next(row)) {
		cleanup_json json *list = NULL;
		struct chain chain = { .container_id = live_text(row, "task"),
				       .netns = live_text(row, "netns"),
				       .ifname = live_text(row, "interface") };

		r = verbs_list(row, &list, e);
		chain.list = list;
		if (r == 0)
			r = explain(c, &chain, x->verb, e);
	}
	return r;
}

/* ---- of a network ---- */

/* So that the plan is complete, and sh can run it anywhere: with the namespace of the task. */
static json *with_namespace(const json *list)
{
	json *copy = json_copy(list);
	json *plugins = json_array();

	for (const json *p = json_first(json_get(list, "plugins")); p; p = json_next(p)) {
		json *one = json_add_copy(plugins, NULL, p);

		json_remove(one, "createNamespace");
		json_add_bool(one, "createNamespace", true);
	}
	json_remove(copy, "plugins");
	json_add_copy(copy, "plugins", plugins);
	json_free(plugins);
	return copy;
}

/* @from, wherever it stands, becomes @to: a new string. */
static char *replace(const char *text, const char *from, const char *to)
{
	size_t size = 2 * strlen(text) + strlen(to) + 1;
	char *all = malloc(size);
	const char *at;
	struct text t;

	if (!all)
		return NULL;
	text_init(&t, all, size);
	for (; (at = strstr(text, from)); text = at + strlen(from))
		text_add(&t, "%.*s%s", (int)(at - text), text, to);
	text_add(&t, "%s", text);
	return all;
}

/*
 * none makes nothing that would have to be undone, and so no namespace either. For its plan there
 * is one for a moment that nobody has a name for; what is printed says NAME instead.
 */
static int explain_none(const struct cli *c, const struct explain *x, struct chain chain,
			struct err *e)
{
	struct netns host = NETNS_NONE, ns = NETNS_NONE;
	cleanup_free char *text = NULL, *named = NULL;
	char path[48], before[80], after[128];
	int r = netns_self(&host, e);

	if (r == 0)
		r = netns_new(&host, &ns, e);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), ns.fd);
	snprintf(before, sizeof(before), "nsenter --net=%s ip ", path);
	snprintf(after, sizeof(after), "ip -n %s ", chain.container_id);
	chain.netns = path;
	if (r == 0)
		r = ask(c, &chain, x->verb, &text, e);
	if (r == 0 && (named = replace(text, before, after)))
		show(c, named);
	netns_close(&ns);
	netns_close(&host);
	return r;
}

static int explain_own(const struct cli *c, const struct explain *x, const char *mode,
		       struct chain chain, struct err *e)
{
	char netns[128];

	if (!strcmp(mode, "none"))
		return explain_none(c, x, chain, e);
	snprintf(netns, sizeof(netns), NETNS_DIR "/%s", chain.container_id);
	chain.netns = netns;
	return explain(c, &chain, x->verb, e);
}

static int explain_network(const struct cli *c, const struct explain *x, const struct network *n,
			   struct err *e)
{
	const char *mode = network_mode(n->list);
	bool own = strcmp(mode, "host") != 0 && strcmp(mode, "none") != 0;
	cleanup_json json *list = own ? with_namespace(n->list) : json_copy(n->list);
	cleanup_json json *runtime = NULL;
	cleanup_free char *args = NULL;
	struct chain chain = { .list = list,
			       .container_id = x->name ? x->name : "task",
			       .netns = "/proc/self/ns/net",
			       .ifname = "eth0" };
	int r = wish_read(&x->wish, n->list, &runtime, &args, e);

	if (r < 0)
		return r;
	chain.runtime = runtime;
	chain.args = args;
	return strcmp(mode, "host") != 0 ? explain_own(c, x, mode, chain, e)
					 : explain(c, &chain, x->verb, e);
}

/* Options that change nothing of what is told: somebody expects that they do. */
static int judge_about(const struct explain *x, bool packet, struct err *e)
{
	const struct wish *w = &x->wish;
	const char *given = x->verb && packet ? "--verb"
			    : x->name         ? "--name"
			    : w->ports.n      ? "-p"
			    : w->ip           ? "--ip"
			    : w->mac          ? "--mac"
					      : NULL;

	if (!given)
		return 0;
	cli_error(e, EXIT_USAGE, "%s: not of %s", given,
		  packet ? "a packet" : "a task, which has what it has");
	err_hint(e, "taskvpc explain %s NETWORK", given);
	return -EINVAL;
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_json json *all = NULL, *rows = NULL;
	cleanup_network struct network *n = NULL;
	struct explain x = { .verb = NULL };
	int rest, r = cli_options(c, argc, argv, &x, &rest, e);
	struct err ignored;

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = cli_words(c, argc, argv, rest, 2, e);
	if (r == 0 && rest == argc) {
		cli_error(e, EXIT_USAGE, "no network, and no task");
		err_hint(e, "taskvpc explain NETWORK|FILE|TASK; try: taskvpc explain lab-awsvpc\n"
			    "or of a packet: taskvpc explain SRC DST[:PORT][/PROTO]");
		return -EINVAL;
	}
	if (r == 0 && argc - rest == 2)
		r = judge_about(&x, true, e);
	if (r == 0)
		r = judge_verb(&x, e);
	if (r == 0 && x.name)
		r = task_name_judge("--name", x.name, e);
	if (r == 0)
		r = live_attachments(c, &all, e);
	if (r < 0)
		return r;
	if (argc - rest == 2)
		return way_explain(c, all, argv[rest], argv[rest + 1], e);
	if (live_find(all, argv[rest], &rows, &ignored) == 0) {
		r = judge_about(&x, false, e);
		return r < 0 ? r : explain_task(c, &x, rows, e);
	}
	r = network_find(c, argv[rest], &n, e);
	return r < 0 ? r : explain_network(c, &x, n, e);
}

const struct command command_explain = {
	.name = "explain",
	.synopsis = "[OPTION]... NETWORK|FILE|TASK | SRC DST[:PORT][/PROTO]",
	.help = "print a plan as commands, or follow a packet, and why",
	.lesson =
		"Every attachment is a list of steps, and every step is a command of ip, nft or\n"
		"sysctl that does the same. Of a network, they are what the next task would get;\n"
		"of a task, what it has. Nothing is changed: but what is printed can be run by sh,\n"
		"on a host of one's own where the task's namespace is (`ip netns add NAME`), and\n"
		"then does what the plugin does.\n\n"
		"With two words it follows a packet and its answer, hop by hop: at each station the\n"
		"kernel is asked as the packet would ask it (route, neighbour, bridge, the element of\n"
		"the rule that decides), and the command that asks the same is told. Each end is a\n"
		"task, an address, host or outside: anybody beyond the default route. No packet is\n"
		"sent. Without a port it is a ping; PROTO is tcp, udp or sctp. Rules of others, as\n"
		"those of docker, nerdctl, firewalld and kube-proxy, are evaluated at each hook of\n"
		"nftables that the packet comes to. The verdict:\n\n"
		"  arrives  and so does the answer\n"
		"  leaves   by an interface of the host; an answer from there would get back\n"
		"  refused  it arrives, but nobody listens on the port\n"
		"  dies     where, why, and the command that repairs it\n"
		"  unsure   it would get through, but a rule of others may drop it, by a condition\n"
		"           that cannot be computed (a source port, a rate): which chain, and how to\n"
		"           list it; or it is SCTP, of which nobody is asked who listens\n",
	.examples = "  taskvpc explain lab-awsvpc\n"
		    "  taskvpc explain lab-bridge -p 8080:80\n"
		    "  taskvpc explain --verb del web\n"
		    "  taskvpc explain web db:5432            may web connect to db?\n"
		    "  taskvpc explain outside host:8080      does the published port work?\n"
		    "  taskvpc explain web outside            by which address is it seen?\n",
	.flags = COMMAND_ROOT,
	.options = options,
	.run = run,
};
