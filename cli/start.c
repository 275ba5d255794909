/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a task: what is written, then namespaces, then the plugins, then the command. */
#include "start.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "ended.h"
#include "etc.h"
#include "hosts.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "live.h"

#define IFNAME "eth0"

void start_free(struct start *s)
{
	network_free(s->net);
	json_free(s->runtime);
	json_free(s->about);
	free(s->args);
	task_close(&s->held);
}

/* ---- prepare ---- */

static int judge_mode(const char *mode, struct err *e)
{
	static const char *const modes[] = { "awsvpc", "bridge", "host", "none" };
	const char *meant = NULL;
	char shown[60];

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(mode, modes[i]))
			return 0;
		if (text_is_slip(mode, modes[i]))
			meant = modes[i];
	}
	text_printable(shown, sizeof(shown), mode);
	if (!strcmp(mode, "awsvpc-macvlan")) {
		cli_error(e, EXIT_USAGE, "--mode: no built-in network has the mode %s", mode);
		err_hint(
			e,
			"it needs an interface of the LAN: netconf-examples/awsvpc-macvlan.conflist "
			"with yours as \"master\", then --net FILE");
		return -EINVAL;
	}
	cli_error(e, EXIT_USAGE, "--mode: \"%s\" is no mode", shown);
	if (network_is_name(mode) && meant)
		err_hint(e, "did you mean %s? awsvpc, bridge, host or none", meant);
	else
		err_hint(e, "awsvpc, bridge, host or none");
	return -EINVAL;
}

/* What is written down is JSON; if it were not, nobody could read how to take the task down. */
static int judge_text(const char *what, const char *text, struct err *e)
{
	char shown[200];

	if (text_is_utf8(text, strlen(text)))
		return 0;
	text_printable(shown, sizeof(shown), text);
	return cli_error(e, EXIT_USAGE, "%s: \"%s\" is not UTF-8", what, shown);
}

static int find_network(struct start *s, struct err *e)
{
	char built_in[32];
	int r;

	/* As ls prints it. */
	if (s->mode && !strcmp(s->mode, "awsvpc-veth"))
		s->mode = "awsvpc";
	r = s->mode ? judge_mode(s->mode, e) : 0;
	if (r < 0)
		return r;
	snprintf(built_in, sizeof(built_in), "lab-%s", s->mode ? s->mode : "awsvpc");
	r = network_find(s->cli, s->network ? s->network : built_in, &s->net, e);
	if (r == 0)
		r = judge_text("the network's file", s->net->source, e);
	if (r < 0 || !s->mode || !strcmp(network_mode(s->net->list), s->mode))
		return r;
	cli_error(e, EXIT_USAGE, "--mode %s: the network %s is of the mode %s", s->mode,
		  s->net->name, network_mode(s->net->list));
	err_hint(e, "leave out --mode, or --net for the built-in network of that mode");
	return -EINVAL;
}

/* It is joined later; here only what is no task of ours is told. */
static int judge_task(const struct start *s, struct err *e)
{
	struct task t = TASK_NONE;
	int r = task_open(s->task, &t, e);

	task_close(&t);
	return r < 0 ? live_of_other(s->cli, s->task, r, e) : 0;
}

static void add_list(json *object, const char *key, const struct words *words)
{
	json *list = words->n ? json_add_array(object, key) : NULL;

	for (unsigned i = 0; i < words->n; i++)
		json_add_string(list, NULL, words->text[i]);
}

/* As the capability "dns", for plugins that declare it; resolv.conf is ours to write. */
static int read_dns(struct start *s, struct err *e)
{
	char shown[80];
	struct ip ip;
	json *dns;

	for (unsigned i = 0; i < s->dns.n; i++) {
		if (ip_parse(s->dns.text[i], &ip))
			continue;
		text_printable(shown, sizeof(shown), s->dns.text[i]);
		cli_error(e, EXIT_USAGE, "--dns: \"%s\" is no IP address", shown);
		err_hint(e, "the address of a name server: --dns 192.0.2.53");
		return -EINVAL;
	}
	for (unsigned i = 0; i < s->dns_search.n; i++) {
		const char *domain = s->dns_search.text[i];

		if (*domain && strcspn(domain, " \t\r\n") == strlen(domain) &&
		    text_is_utf8(domain, strlen(domain)))
			continue;
		text_printable(shown, sizeof(shown), domain);
		return cli_error(e, EXIT_USAGE, "--dns-search: \"%s\" is no domain", shown);
	}
	if (!s->dns.n && !s->dns_search.n)
		return 0;
	dns = json_add_object(s->runtime, "dns");
	add_list(dns, "servers", &s->dns);
	add_list(dns, "searches", &s->dns_search);
	return 0;
}

int start_prepare(struct start *s, struct err *e)
{
	struct chain chain = { .container_id = NULL };
	char path[CHAIN_PATH];
	struct err why;
	unsigned healed;
	int r;

	chain_path(s->cli, path);
	r = judge_text("--bin-dir or CNI_PATH", path, e);
	if (r == 0)
		r = judge_text("--log", s->log ? s->log : "", e);
	if (r < 0)
		return r;
	if (tasks_heal(path, &healed, &why) < 0)
		fprintf(stderr, "taskvpc run: warning: %s\n", why.msg);
	if (s->task)
		return judge_task(s, e);
	r = find_network(s, e);
	if (r < 0)
		return r;
	chain.list = s->net->list;
	chain.path = path;
	r = wish_read(&s->wish, s->net->list, &s->runtime, &s->args, e);
	if (r == 0)
		r = read_dns(s, e);
	return r < 0 ? r : chain_find(&chain, e);
}

/* ---- claim ---- */

/* Bytes of a command may be any; what is told of it is shown. */
static void add_word(json *command, const char *word)
{
	size_t len = strlen(word);
	cleanup_free char *shown = NULL;

	if (!text_is_utf8(word, len)) {
		shown = malloc(len + 1);
		if (shown)
			text_printable(shown, len + 1, word);
		word = shown ? shown : "?";
	}
	json_add_string(command, NULL, word);
}

/* For restart: nothing, if what was typed cannot be written down. */
static void add_words_of_run(struct start *s)
{
	cleanup_free char *cwd = getcwd(NULL, 0);
	json *words;

	if (!cwd || !text_is_utf8(cwd, strlen(cwd)))
		return;
	for (char **word = s->words; *word; word++)
		if (!text_is_utf8(*word, strlen(*word)))
			return;
	json_add_string(s->about, "cwd", cwd);
	words = json_add_array(s->about, "run");
	for (char **word = s->words; *word; word++)
		json_add_string(words, NULL, *word);
}

static int claim_container(struct start *s, struct err *e)
{
	const char *name = s->task ? s->name : NULL;
	json *command;
	int r = container_create(&s->held, name, &s->container, e);

	if (r < 0)
		return r;
	s->about = s->container.doc = json_object();
	json_add_integer(s->about, "created", io_epoch_s());
	command = json_add_array(s->about, "command");
	for (char **word = s->argv; *word; word++)
		add_word(command, *word);
	if (s->detach)
		add_words_of_run(s);
	log_forget(s->held.name, s->container.name);
	return 0;
}

int start_claim(struct start *s, struct err *e)
{
	int r = s->task ? task_join(s->task, &s->held, e) : task_create(s->name, &s->held, e);

	if (r == 0)
		r = claim_container(s, e);
	return r < 0 ? start_abandon(s, r) : 0;
}

int start_abandon(struct start *s, int r)
{
	struct err ignored;

	sandbox_end(&s->sandbox);
	terminal_take(&s->terminal);
	if (s->container.lock >= 0) {
		log_forget(s->held.name, s->container.name);
		container_remove(&s->held, &s->container);
	}
	if (s->held.lock >= 0 && task_leave(&s->held, &ignored) < 0)
		fprintf(stderr, "taskvpc run: warning: %s\n", ignored.msg);
	guard_end(&s->guard);
	return r;
}

/* ---- the network ---- */

static bool is_host_network(const json *list)
{
	return !strcmp(network_mode(list), "host");
}

/* Everything that who takes the task down must know, before there is anything to take down. */
static int write_down(struct start *s, const struct netns *ns, struct err *e)
{
	json *doc = s->held.doc = json_object();
	char path[CHAIN_PATH], text[PATH_MAX];

	chain_path(s->cli, path);
	json_add_string(doc, "name", s->held.name);
	json_add_integer(doc, "created", io_epoch_s());
	json_add_string(doc, "mode", network_mode(s->net->list));
	json_add_string(doc, "source", s->net->source);
	json_add_copy(doc, "network", s->net->list);
	json_add_copy(doc, "runtimeConfig", s->runtime);
	json_add_string(doc, "args", s->args ? s->args : "");
	json_add_string(doc, "path", path);
	json_add_string(doc, "ifname", IFNAME);
	if (ns->fd >= 0) {
		snprintf(text, sizeof(text), "%s/%s", NETNS_DIR, s->held.name);
		json_add_string(doc, "netns", text);
		snprintf(text, sizeof(text), "%" PRIu64, ns->cookie);
		json_add_string(doc, "netnsCookie", text);
	} else {
		json_add_string(doc, "netns", "/proc/self/ns/net");
	}
	return task_save(&s->held, e);
}

static int bind_name(const struct task *t, const struct netns *ns, struct err *e)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", NETNS_DIR, t->name);
	r = netns_bind(ns, path, e);
	if (r != -EEXIST)
		return r;
	cli_error(e, EXIT_TAKEN, "the network namespace %s exists already", path);
	err_hint(e, "another --name; or, if nobody needs it, `ip netns del %s`", t->name);
	return -EEXIST;
}

/* A plugin knows runtimeConfig; a person typed an option. */
static void name_options(const struct start *s, struct err *e)
{
	static const char *const rows[][2] = {
		{ "an address is asked for, by runtimeConfig, args.cni or CNI_ARGS IP", "--ip" },
		{ "runtimeConfig.portMappings", "-p" },
		{ "runtimeConfig.ips", "--ip" },
		{ "runtimeConfig.mac", "--mac" },
		{ "CNI_ARGS IP", "--ip" },
		{ "CNI_ARGS MAC", "--mac" },
		{ "--mac-address", "--mac" },
		{ "the MAC ", "--mac " },
		{ " is asked for: the mode", ": the mode" },
	};
	char msg[sizeof(e->details)];

	for (size_t i = 0; i < ARRAY_SIZE(rows) && (s->wish.ip || s->wish.mac || s->wish.ports.n);
	     i++) {
		char *const texts[] = { e->msg, e->details };

		for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
			char *at = strstr(texts[t], rows[i][0]);

			/* The replacement is shorter. */
			if (!at || strlen(rows[i][1]) > strlen(rows[i][0]))
				continue;
			text_copy(msg, sizeof(msg), at + strlen(rows[i][0]));
			snprintf(at, strlen(at) + 1, "%s%s", rows[i][1], msg);
		}
	}
}

static int attach(struct start *s, struct err *e)
{
	const struct chain chain = task_chain(&s->held);
	json *result = NULL;
	unsigned added;
	int r = chain_add(&chain, &result, &added, e);

	if (r < 0) {
		struct err ignored;

		json_add_integer(s->held.doc, TASK_ADDED, added);
		task_save(&s->held, &ignored);
		name_options(s, e);
		return r;
	}
	json_add_copy(s->held.doc, "result", result);
	json_free(result);
	r = task_save(&s->held, e);
	if (r == 0)
		r = etc_write(&s->held, !is_host_network(s->net->list), e);
	if (r >= 0)
		hosts_update(s->net->name);
	if (r == ETC_NO_SERVER) {
		dprintf(s->warnings,
			"taskvpc run: warning: no name server that %s can reach: "
			"those of the host's resolv.conf are on its loopback\n"
			"  --dns ADDRESS names one\n",
			s->held.name);
		r = 0;
	}
	return r;
}

/* A task of its own: @ns is open afterwards, unless the network is the host's. */
static int make_network(struct start *s, struct netns *ns, struct err *e)
{
	struct netns host = NETNS_NONE;
	int r = netns_self(&host, e);

	if (r == 0 && !is_host_network(s->net->list))
		r = netns_new(&host, ns, e);
	if (r == 0)
		r = write_down(s, ns, e);
	if (r == 0 && ns->fd >= 0)
		r = bind_name(&s->held, ns, e);
	if (r == 0 && ns->fd >= 0)
		r = link_raise_loopback(ns, &host, e); /* a chain that is not ours expects it */
	netns_close(&host);
	return r < 0 ? r : attach(s, e);
}

/* The network of a task that runs already. */
static int join_network(const struct start *s, struct netns *ns, struct err *e)
{
	const char *cookie = json_string(json_get(s->held.doc, "netnsCookie"));
	const char *path = json_string(json_get(s->held.doc, "netns"));
	int r;

	if (!cookie)
		return 0;
	r = netns_reopen(path, strtoull(cookie, NULL, 10), ns, e);
	if (r != 1)
		return r;
	err_set(e, ERR_KERNEL, 0, "%s is not the namespace of the task %s any more", path,
		s->held.name);
	err_hint(e, "taskvpc rm %s", s->held.name);
	return -ENOENT;
}

/* ---- the command ---- */

/* ^C while plugins were at it. Read later, it would be taken for one that the command has got. */
static int refuse_interrupted(const sigset_t *mask, struct err *e)
{
	static const int signals[] = { SIGINT, SIGQUIT };
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int sig = signals[i];
		struct sigaction how;

		/* Who was started not to heed it, as a job in the background, goes on. */
		if (sigismember(&pending, sig) == 1 && sigismember(mask, sig) == 0 &&
		    sigaction(sig, NULL, &how) == 0 && how.sa_handler != SIG_IGN)
			return cli_error(e, EXIT_SIGNAL + sig, "ended before the command began: %s",
					 strsignal(sig));
	}
	return 0;
}

static int start_command(struct start *s, const struct netns *ns, struct err *e)
{
	struct sandbox_spec spec = { .net = *ns,
				     .hostname = s->held.name,
				     .files = s->held.dir,
				     .argv = s->argv,
				     .mask = &s->mask };
	int r;

	if (!s->detach)
		terminal_find(&s->terminal);
	spec.terminal = s->terminal.ours != 0;
	r = sandbox_start(&spec, &s->sandbox, e);
	if (r < 0)
		return r;
	/* ^C before it interrupts us, below; after it, the command. */
	terminal_give(&s->terminal, s->sandbox.init);
	s->terminal.stops = s->sandbox.stops;
	s->container.init = s->sandbox.init;
	s->container.supervisor = getpid();
	r = container_save(&s->held, &s->container, e);
	if (r == 0)
		r = refuse_interrupted(&s->mask, e);
	return r < 0 ? r : sandbox_go(&s->sandbox, e);
}

int start_task(struct start *s, struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r = s->task ? join_network(s, &ns, e) : make_network(s, &ns, e);

	/* Not before: an ADD that goes on without us takes itself back, and must not meet a DEL. */
	if (r == 0)
		r = guard_start(s->held.name, &s->guard, e);
	if (r == 0)
		r = start_command(s, &ns, e);
	netns_close(&ns);
	if (r < 0)
		return start_abandon(s, r);
	ended_forget(s->held.name, s->container.name);
	return 0;
}

int start_finish(struct start *s, struct err *e)
{
	int code = supervise(s->sandbox.init, &s->output, &s->terminal), r;

	s->sandbox.init = -1;
	ended_note(&s->held, &s->container, code);
	container_remove(&s->held, &s->container);
	r = task_leave(&s->held, e);
	guard_end(&s->guard);
	if (r == 0)
		return code;
	err_hint(e, "the command ended with %d; `taskvpc gc` tries again", code);
	return r;
}
