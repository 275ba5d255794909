/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin that is run: finding it, and understanding what it says when it fails. Running it is
 * child.c. Its own CNI error is passed upward unchanged, so that "try again later" stays that.
 */
#include "ipam/delegate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "child.h"
#include "json/json.h"

#define SAID_TEXT 300

static bool is_name_byte(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return !first && (c == '_' || c == '.' || c == '-');
}

static const char *what(const struct delegate_call *call)
{
	return call->what ? call->what : "IPAM plugin";
}

static int judge_type(const struct delegate_call *call, struct err *e)
{
	const char *type = call->type;
	char shown[64];
	bool good = *type;

	for (const char *p = type; *p && good; p++)
		good = is_name_byte(*p, p == type);
	if (good)
		return 0;
	text_printable(shown, sizeof(shown), type);
	err_set(e, ERR_CONFIG, EINVAL, "%stype: \"%s\" is no plain file name",
		call->what ? "" : "ipam.", shown);
	err_hint(e, "allowed: letters, digits, '_', '.', '-', the first a letter or digit");
	return -EINVAL;
}

static int refuse_missing(const struct delegate_call *call, const char *cni_path, struct err *e)
{
	char shown[512];

	text_printable(shown, sizeof(shown), cni_path);
	if (*cni_path)
		err_set(e, ERR_ENVIRONMENT, EINVAL, "CNI_PATH: \"%s\" has no %s \"%s\"", shown,
			what(call), call->type);
	else
		err_set(e, ERR_ENVIRONMENT, EINVAL,
			"CNI_PATH is empty, so the %s \"%s\" cannot be looked for", what(call),
			call->type);
	err_hint(e, "install %s into a directory of CNI_PATH%s", call->type,
		 call->what ? "" : ", or use ipam.type \"task-ipam\"");
	return -EINVAL;
}

/* The first directory that has a regular file of that name; executable or not, as in libcni. */
static int find(const struct delegate_call *call, char ret[static PATH_MAX], struct err *e)
{
	const char *cni_path = call->cni_path ? call->cni_path : "", *next;
	struct stat st;

	for (const char *dir = cni_path; *dir; dir = next) {
		int len = (int)strcspn(dir, ":");
		int n = snprintf(ret, PATH_MAX, "%.*s/%s", len, dir, call->type);

		next = dir + len + (dir[len] == ':');
		/* An empty entry would be the directory that the runtime happens to be in. */
		if (len && n < PATH_MAX && !stat(ret, &st) && S_ISREG(st.st_mode))
			return 0;
	}
	return refuse_missing(call, cni_path, e);
}

/* The environment with another CNI_COMMAND. @command: borrowed. Return: NULL if memory is short. */
static char **environment(char *command)
{
	size_t n = 0, name = strlen("CNI_COMMAND=");
	bool placed = false;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		bool is_command = !strncmp(environ[i], command, name);

		env[i] = is_command ? command : environ[i];
		placed = placed || is_command;
	}
	if (!placed)
		env[n] = command;
	return env;
}

/* Copy what fits, without half a character at its end. */
static void copy_cut(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size - 1);

	while (!text_is_utf8(src, len))
		len--;
	memcpy(dst, src, len);
	dst[len] = '\0';
}

/* Return: true if it said a CNI error: then it is in *e. */
static bool own_error(const struct child_end *end, struct err *e)
{
	cleanup_json json *root = NULL;
	struct err ignored;
	const char *msg, *details;
	int64_t code;

	if (json_parse(end->out, end->out_len, "error", &root, &ignored))
		return false;
	msg = json_string(json_get(root, "msg"));
	details = json_string(json_get(root, "details"));
	if (!msg || !json_integer(json_get(root, "code"), &code) || code <= 0 || code > INT_MAX)
		return false;
	e->code = (int)code;
	e->sys = EREMOTEIO;
	copy_cut(e->msg, sizeof(e->msg), msg);
	copy_cut(e->details, sizeof(e->details), details ? details : "");
	return true;
}

static int refuse_exit(const struct child_end *end, const char *who, struct err *e)
{
	int status = WEXITSTATUS(end->status);

	if (own_error(end, e))
		return -EREMOTEIO;
	if (end->out_len) {
		char said[SAID_TEXT];

		text_printable(said, sizeof(said), end->out);
		return err_set(e, ERR_DELEGATE, EREMOTEIO, "%s failed with status %d: %s", who,
			       status, said);
	}
	err_set(e, ERR_DELEGATE, EREMOTEIO, "%s failed with status %d and no word on stdout", who,
		status);
	err_hint(e, "what it wrote to stderr is in the log of the runtime");
	return -EREMOTEIO;
}

static int judge_end(const struct child_end *end, const char *who, int timeout_ms, struct err *e)
{
	if (end->how == CHILD_LATE)
		return err_set(e, ERR_DELEGATE, ETIMEDOUT,
			       "%s did not end within %d ms and was killed", who, timeout_ms);
	if (end->how == CHILD_LOUD)
		return err_set(e, ERR_DELEGATE, EFBIG,
			       "%s wrote more than %d bytes to stdout and was killed", who,
			       DELEGATE_OUTPUT_MAX);
	if (WIFSIGNALED(end->status))
		return err_set(e, ERR_DELEGATE, EREMOTEIO, "%s died of signal %d (%s)", who,
			       WTERMSIG(end->status), strsignal(WTERMSIG(end->status)));
	return WEXITSTATUS(end->status) ? refuse_exit(end, who, e) : 0;
}

int delegate_run_path(const struct delegate_call *call, const char *path, int timeout_ms,
		      char **ret_out, struct err *e)
{
	char command[32], who[SAID_TEXT];
	cleanup_free char **ours = NULL, *out = NULL;
	struct child_job job = { .path = path,
				 .args = call->args,
				 .env = call->env,
				 .error_fd = call->error_fd,
				 .input = call->config,
				 .input_len = call->config_len,
				 .timeout_ms = timeout_ms,
				 .output_max = DELEGATE_OUTPUT_MAX };
	struct child_end end = { 0 };
	int rc;

	snprintf(command, sizeof(command), "CNI_COMMAND=%s", call->verb);
	snprintf(who, sizeof(who), "%s %.200s (%s)", what(call), path, call->verb);
	if (!job.env) {
		ours = environment(command);
		job.env = ours;
	}
	rc = job.env ? child_run(&job, &end) : -ENOMEM;
	out = end.out;
	if (rc)
		return err_sys(e, ERR_DELEGATE, -rc, "%s cannot be run", who);
	rc = judge_end(&end, who, timeout_ms, e);
	if (rc || !ret_out)
		return rc;
	*ret_out = out;
	out = NULL;
	return 0;
}

int delegate_find(const struct delegate_call *call, char *ret, struct err *e)
{
	int rc = judge_type(call, e);

	return rc ? rc : find(call, ret, e);
}

int delegate_run(const struct delegate_call *call, char **ret_out, struct err *e)
{
	char path[PATH_MAX];
	int rc = delegate_find(call, path, e);

	return rc ? rc : delegate_run_path(call, path, DELEGATE_TIMEOUT_MS, ret_out, e);
}
