/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main() of every plugin. A verb is a row of a table; the frame around it (environment, stdin,
 * errors, exit code) is written once, here. Exactly one JSON document reaches stdout, and last: a
 * verb answers when its work is done, and an error is printed only if it did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cni/args.h"
#include "cni/call.h"
#include "cni/cni.h"
#include "cni/flows.h"
#include "kernel/privilege.h"

/*
 * What a verb needs that only looks at the host: rules and links (NET_ADMIN), a program that is
 * tried (BPF), paths through private directories (DAC_OVERRIDE). And one that works: namespaces are
 * entered and named (SYS_ADMIN), and found by processes that may more than we do (SYS_PTRACE).
 */
#define LOOKS (PRIVILEGE(NET_ADMIN) | PRIVILEGE(BPF) | PRIVILEGE(DAC_OVERRIDE))
#define WORKS (LOOKS | PRIVILEGE(SYS_ADMIN) | PRIVILEGE(SYS_PTRACE))

static const struct verb verbs[] = {
	{ "ADD", ENV_ATTACHMENT, SPEC_0_1_0, false, WORKS, add_run,
	  "attach the container in CNI_NETNS to the network" },
	{ "DEL", ENV_CONTAINER_ID | ENV_IFNAME, SPEC_0_1_0, false, WORKS, del_run,
	  "remove the attachment, whatever is left of it" },
	{ "CHECK", ENV_ATTACHMENT, SPEC_0_4_0, false, WORKS, check_run,
	  "compare the attachment with the kernel" },
	{ "GC", 0, SPEC_1_1_0, false, WORKS, gc_run,
	  "remove every attachment of the network that is not valid any more" },
	{ "STATUS", 0, SPEC_1_1_0, false, LOOKS, status_run, "tell whether an ADD could succeed" },
	{ "VERSION", 0, SPEC_0_1_0, true, 0, version_run, "tell the versions of CNI we speak" },
};

/* For people, on the command line. */
static const struct verb explain_verbs[] = {
	{ "add", ENV_ATTACHMENT, SPEC_0_1_0, false, WORKS, explain_add_run,
	  "the commands that make the attachment" },
	{ "del", ENV_CONTAINER_ID | ENV_IFNAME, SPEC_0_1_0, false, WORKS, explain_del_run,
	  "the commands that remove it" },
};
static const struct verb fields_verb = { "--fields", 0, SPEC_0_1_0, true, 0, fields_print, "" };

static const struct verb *verb_find(const struct verb *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

/*
 * A runtime may start us with stdin, stdout or stderr closed. Then the next open() would get that
 * number, and the answer would be written into whatever it is.
 */
static void standard_fds_guard(void)
{
	static const int flags[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", flags[fd]); /* 0, 1: of the wrong direction */
}

/*
 * A foreign IPAM plugin is started as we were: what it needs is not ours to know. It may become
 * another user, and must not outlive its time then (KILL); nor us, so it must gain nothing.
 */
static int give_up_privileges(const struct call *c, struct err *e)
{
	int r;

	if (c->foreign)
		return privilege_rest(c->verb->needs | PRIVILEGE(KILL), e);
	r = privilege_keep(c->verb->needs, e);
	return r < 0 ? r : privilege_no_more(e);
}

static int verb_run(struct call *c, struct err *e)
{
	int r = give_up_privileges(c, e);

	return r < 0 ? r : c->verb->run(c, e);
}

static int verb_frame(struct call *c, struct err *e)
{
	char shown[40];
	int r;

	if (!c->verb) {
		text_printable(shown, sizeof(shown), c->env.command);
		return err_set(e, ERR_ENVIRONMENT, 0, "CNI_COMMAND: \"%s\" is no verb", shown);
	}
	if (c->verb->bare)
		return verb_run(c, e);
	r = env_judge(&c->env, c->verb, e);
	if (r < 0)
		return r;
	r = config_read(c, e);
	return r < 0 ? r : verb_run(c, e);
}

/* For people: the words without the JSON. */
static void error_tell(const struct call *c, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", c->plugin->name, e->msg);
	if (e->details[0])
		fprintf(stderr, "  %s\n", e->details);
}

/* Return: NULL where there is no memory for it. */
static char *error_text(const struct call *c, const struct err *e)
{
	cleanup_json json *object = json_object();

	if (json_add_string(object, "cniVersion", spec_names[c->spec]) &&
	    json_add_integer(object, "code", e->code) && json_add_string(object, "msg", e->msg) &&
	    (!e->details[0] || json_add_string(object, "details", e->details)))
		return json_print(object);
	return NULL;
}

static void error_print(struct call *c, const struct err *e)
{
	cleanup_free char *text = error_text(c, e);
	char plain[128];
	struct err ignored;

	if (!text) {
		error_tell(c, e);
		snprintf(plain, sizeof(plain),
			 "{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"out of memory\"}",
			 spec_names[c->spec], ERR_IO);
	}
	call_answer(c, text ? text : plain, &ignored);
}

/* The reader of a log knows the pod, and not the id of its sandbox. */
static void name_owner(const struct call *c, struct err *e)
{
	char who[OWNER_TEXT];
	struct owner owner;
	size_t len = strlen(e->msg);

	args_owner(c->env.args, &owner);
	owner_text(&owner, " (for ", who);
	if (*who && len + strlen(who) + 1 < sizeof(e->msg))
		snprintf(e->msg + len, sizeof(e->msg) - len, "%s)", who);
}

/* How a person calls, and how a runtime. */
enum caller {
	RUNTIME,
	PERSON,
	LEARNER
};

static int call_run(const struct plugin *plugin, const struct verb *verb, enum caller caller)
{
	struct call c = {
		.plugin = plugin,
		.verb = verb,
		.spec = SPEC_NEWEST,
		.host = NETNS_NONE,
		.nl = NETLINK_CLOSED,
		.turn = -1,
		.print = caller == LEARNER ? PLAN_PRINT_WHY : 0,
	};
	struct err e = { 0 };
	int r;

	env_read(&c.env);
	r = verb_frame(&c, &e);
	if (r < 0)
		name_owner(&c, &e);
	if (r < 0 && (caller != RUNTIME || c.answered))
		error_tell(&c, &e);
	else if (r < 0)
		error_print(&c, &e);
	flows_leave(&c);
	call_end(&c);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void about(FILE *out, const struct plugin *plugin)
{
	/* Runtimes read the version from this line: nerdctl parses it. */
	fprintf(out, "CNI %s plugin v%s\nCNI protocol versions supported:", plugin->name,
		TASKVPC_VERSION);
	for (unsigned i = 0; i < SPEC_COUNT; i++)
		fprintf(out, "%s %s", i ? "," : "", spec_names[i]);
	fputc('\n', out);
}

static void help(FILE *out, const struct plugin *plugin)
{
	about(out, plugin);
	fprintf(out,
		"\n%s\n\n"
		"Started by a container runtime: the verb in CNI_COMMAND, the configuration on stdin.\n",
		plugin->help);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].help);
	fprintf(out, "\nModes:\n");
	for (const struct mode *const *m = plugin->modes; m && *m; m++)
		fprintf(out, "  %-16s %s\n", (*m)->name, (*m)->help);
	fprintf(out,
		"\nStarted by a person:\n"
		"  --explain [add|del]  print the plan of the attachment that the CNI_* variables\n"
		"                       and stdin name, as commands; changes nothing\n"
		"             [--why]   and say for each what it is there for\n"
		"  --fields             print the reference of the configuration\n"
		"  --version, --help\n");
}

/* --explain [add|del] [--why] */
static const struct verb *explain_verb(int argc, char **argv, enum caller *ret)
{
	bool why = argc > 2 && !strcmp(argv[argc - 1], "--why");
	int words = argc - why;

	*ret = why ? LEARNER : PERSON;
	if (strcmp(argv[1], "--explain") != 0 || words > 3)
		return NULL;
	return verb_find(explain_verbs, ARRAY_SIZE(explain_verbs), words == 3 ? argv[2] : "add");
}

static int command_line(int argc, char **argv, const struct plugin *plugin)
{
	const struct verb *verb;
	enum caller caller;

	if (!strcmp(argv[1], "--version") && argc == 2) {
		about(stdout, plugin);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--help") && argc == 2) {
		help(stdout, plugin);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--fields") && argc == 2)
		return call_run(plugin, &fields_verb, PERSON);
	verb = explain_verb(argc, argv, &caller);
	if (verb)
		return call_run(plugin, verb, caller);
	help(stderr, plugin);
	return 2;
}

int cni_main(int argc, char **argv, const struct plugin *plugin)
{
	const char *command = getenv("CNI_COMMAND");

	standard_fds_guard();
	/* A runtime that went away, or limits files, must not kill us between the work and its
	 * undoing: the call that hits it fails. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (argc > 1)
		return command_line(argc, argv, plugin);
	if (!command || !*command) {
		about(stderr, plugin);
		return EXIT_SUCCESS;
	}
	return call_run(plugin, verb_find(verbs, ARRAY_SIZE(verbs), command), RUNTIME);
}
