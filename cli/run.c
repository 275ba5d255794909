/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run: a command as a task. The order is that of a crash journal: judge everything, write down what
 * will be made, make it, let the command go. Who supervises holds the task's lock; when it ends,
 * however it ends, the task is dead, and is taken down by us or by the next who looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"
#include "live.h"
#include "network.h"
#include "output.h"
#include "sandbox.h"
#include "start.h"

static const struct opt options[] = {
	OPT(struct start, network, 'n', "net", OPT_TEXT, "NAME|FILE",
	    "The network: of /etc/cni/net.d, built in, or a file."),
	OPT(struct start, network, 0, "network", OPT_TEXT, "NAME|FILE", "The same as --net."),
	OPT(struct start, mode, 'm', "mode", OPT_TEXT, "MODE",
	    "The built-in lab-MODE: awsvpc (default), bridge, host, none."),
	WISH_OPTIONS(struct start, wish),
	OPT(struct start, dns, 0, "dns", OPT_LIST, "ADDRESS",
	    "Ask this name server; else those of the network, else of the host."),
	OPT(struct start, dns_search, 0, "dns-search", OPT_LIST, "DOMAIN",
	    "Look names up in this domain, too."),
	OPT(struct start, name, 0, "name", OPT_TEXT, "NAME",
	    "Name of the task; with --task, of the container."),
	OPT(struct start, task, 't', "task", OPT_TEXT, "TASK",
	    "One more container of this task: it shares its network."),
	OPT(struct start, detach, 'd', "detach", OPT_FLAG, NULL,
	    "In the background; print the name, or with --json all of it."),
	OPT(struct start, removed, 0, "rm", OPT_FLAG, NULL,
	    "What is done in any case: nothing of a task stays when it ends."),
	OPT(struct start, log, 0, "log", OPT_TEXT, "FILE",
	    "With -d: append the output to it; else `taskvpc logs` has the end."),
	{ .name = NULL },
};

/* What cannot be together, and what cannot be at all; nothing is changed yet. */
static int judge(const struct start *s, struct err *e)
{
	const struct wish *w = &s->wish;
	int r = s->name ? task_name_judge("--name", s->name, e) : 0;

	if (!r && s->task && s->name && strchr(s->name, '.')) {
		cli_error(e, EXIT_USAGE, "--name: \"%s\": the name of a container has no '.'",
			  s->name);
		err_hint(e, "TASK.CONTAINER is the name of its log");
		return -EINVAL;
	}
	if (!r && s->task && *s->task == '-') {
		cli_error(e, EXIT_USAGE, "-t: \"%.40s\" is no task", s->task);
		err_hint(e, "-t is --task TASK; a command has this terminal without an option");
		return -EINVAL;
	}
	if (!r && s->task &&
	    (s->network || s->mode || w->ports.n || w->ip || w->mac || s->dns.n ||
	     s->dns_search.n)) {
		cli_error(e, EXIT_USAGE,
			  "--task: a container that joins a task shares its network");
		err_hint(e, "leave out --net, --mode, -p, --ip, --mac, --dns and --dns-search");
		return -EINVAL;
	}
	if (!r && (s->log || s->cli->json) && !s->detach)
		return cli_error(e, EXIT_USAGE,
				 "%s: only with -d, else the output is the command's",
				 s->log ? "--log" : "--json");
	return r < 0 ? r : command_judge(s->argv[0], e);
}

/* ---- in the background ---- */

static int refuse_log(const char *log, int why, struct err *e)
{
	char shown[200];
	int r;

	text_printable(shown, sizeof(shown), log);
	r = err_sys(e, ERR_IO, why, "--log %s", shown);
	err_hint(e,
		 "a file in a directory that is there; without --log, `taskvpc logs` has the end");
	return r;
}

static int append_to(const char *log, struct err *e)
{
	cleanup_close int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (out < 0)
		return refuse_log(log, errno, e);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	return 0;
}

/* From now on errors go by the pipe: whoever reads our output is not kept waiting for its end. */
static int redirect(struct start *s, struct err *e)
{
	cleanup_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char path[PATH_MAX], *log;
	int r;

	if (null < 0)
		return err_sys(e, ERR_IO, errno, "/dev/null");
	dup2(null, STDIN_FILENO);
	r = s->log ? append_to(s->log, e)
		   : log_open(&s->output, s->held.name, s->container.name, e);
	if (r < 0)
		return r;
	log = s->log ? realpath(s->log, path) : s->output.path;
	/* Where it lies may have a name that is not UTF-8; its own is. */
	json_add_string(s->about, "log", log && text_is_utf8(log, strlen(log)) ? log : s->log);
	return 0;
}

static void background(struct start *s, int report)
{
	struct err e = { 0 };
	int r;

	/* What the task lacks is told where it was started, not in its log. */
	s->warnings = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	r = redirect(s, &e);
	setsid();
	r = r < 0 ? start_abandon(s, r) : start_task(s, &e);
	if (s->warnings >= 0)
		close(s->warnings);
	if (r < 0) {
		report_write(report, &e);
		_exit(EXIT_FAILED);
	}
	close(report);
	r = start_finish(s, &e);
	if (r < 0)
		fprintf(stderr, "taskvpc run: %s\n", e.msg);
	log_take(&s->output);
	_exit(r < 0 ? EXIT_FAILED : r);
}

/* The name, to be used with exec and rm; or all that there is to know. */
static int tell(const struct start *s, struct err *e)
{
	cleanup_json json *all = NULL, *rows = NULL;
	int r;

	if (!s->cli->json) {
		printf("%s%s%s\n", s->held.name, s->task ? "/" : "",
		       s->task ? s->container.name : "");
		return EXIT_DONE;
	}
	r = live_attachments(s->cli, &all, e);
	if (r == 0)
		r = live_find(all, s->held.name, &rows, e);
	if (r == 0)
		out_json(rows);
	return r;
}

/* The parent stays until the task runs, or knows why it does not. */
static int detach(struct start *s, struct err *e)
{
	int report[2], r;
	pid_t pid;

	/* Here and not behind, so that its name is known here. */
	r = start_claim(s, e);
	if (r < 0)
		return r;
	if (pipe2(report, O_CLOEXEC) < 0)
		return start_abandon(s, err_sys(e, ERR_KERNEL, errno, "cannot make a pipe"));
	pid = fork();
	if (pid == 0) {
		close(report[0]);
		background(s, report[1]);
	}
	close(report[1]);
	r = pid < 0 ? start_abandon(s, err_sys(e, ERR_KERNEL, errno, "cannot start a process"))
		    : report_read(report[0], e);
	close(report[0]);
	if (r < 0)
		return r;
	return tell(s, e);
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	struct start s = START_NONE;
	int rest, r = cli_options(c, argc, argv, &s, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	s.cli = c;
	s.argv = argv + rest;
	s.words = argv;
	if (rest == argc) {
		cli_error(e, EXIT_USAGE, "no command");
		err_hint(e, "taskvpc run [OPTION]... -- COMMAND; try: taskvpc run -- ip addr");
		return -EINVAL;
	}
	r = judge(&s, e);
	if (r == 0)
		r = start_prepare(&s, e);
	if (r == 0) {
		signals_block(&s.mask);
		r = s.detach ? detach(&s, e) : start_claim(&s, e);
	}
	if (r == 0 && !s.detach)
		r = start_task(&s, e);
	if (r == 0 && !s.detach)
		r = start_finish(&s, e);
	start_free(&s);
	return r;
}

const struct command command_run = {
	.name = "run",
	.synopsis = "[OPTION]... [--] COMMAND [ARG]...",
	.help = "run a command as a task, with a network of its own",
	.lesson =
		"A task is a command in namespaces of its own: it sees its own interfaces, "
		"processes,\n"
		"host name, /etc/hosts and /etc/resolv.conf, and the host's files. Its network comes\n"
		"from the CNI plugins, called exactly as containerd or podman call them.\n\n"
		"  awsvpc  an interface and an address of the VPC; ports are the task's own\n"
		"  bridge  a private address on a bridge; -p publishes ports of the host\n"
		"  host    the host's own network; -p keeps a port from other tasks\n"
		"  none    loopback alone\n\n"
		"The task's network namespace is /run/netns/NAME, so `ip -n NAME addr` works. Signals\n"
		"are passed on and the exit code is the command's, 128 + n if it died of signal n.\n"
		"When it ends, its network goes; if taskvpc itself is killed, the command dies with\n"
		"it, and a guard takes the network down; if that is killed as well, the next\n"
		"`taskvpc run`, `rm` or `gc` does.\n",
	.examples =
		"  taskvpc run -- ip addr\n"
		"  taskvpc run -d --name web --mode bridge -p 8080:80 -- busybox httpd -f\n"
		"  taskvpc run --task web -- ss -ltn            a second container of one task\n"
		"  taskvpc run --net ./my.conflist --ip 10.0.1.50 -- sh\n",
	.flags = COMMAND_ROOT | COMMAND_RUNS,
	.options = options,
	.run = run,
};
