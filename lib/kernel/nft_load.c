/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft text, for the cold path: once a boot, or after somebody flushed the rules. libnftables costs
 * half a millisecond to load, so it is opened only when there is text to run; and by a child,
 * because where it lacks memory or a socket it ends its process.
 */
#include "kernel/nft.h"

#include "base/cleanup.h"
#include "base/io.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nftables/libnftables.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define LIBRARY         "libnftables.so.1"
#define LOAD_TIMEOUT_MS 20000 /* it takes a few; this only bounds a hang */

struct calls {
	__typeof__(nft_ctx_new) *ctx_new;
	__typeof__(nft_ctx_buffer_error) *buffer_error;
	__typeof__(nft_ctx_get_error_buffer) *get_error;
	__typeof__(nft_run_cmd_from_buffer) *run;
};

static int load_library(struct calls *c, struct err *e)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		err_set(e, ERR_UNAVAILABLE, ENOENT, "cannot load %s: %s", LIBRARY, dlerror());
		err_hint(e, "install the package libnftables1");
		return -ENOENT;
	}
	c->ctx_new = (__typeof__(c->ctx_new))dlsym(library, "nft_ctx_new");
	c->buffer_error = (__typeof__(c->buffer_error))dlsym(library, "nft_ctx_buffer_error");
	c->get_error = (__typeof__(c->get_error))dlsym(library, "nft_ctx_get_error_buffer");
	c->run = (__typeof__(c->run))dlsym(library, "nft_run_cmd_from_buffer");
	if (c->ctx_new && c->buffer_error && c->get_error && c->run)
		return 0;
	return err_set(e, ERR_UNAVAILABLE, ENOSYS, "%s lacks a call that is needed", LIBRARY);
}

/* The first line of nft's complaint, without "Error: ". */
static int complain(const char *text, struct err *e)
{
	int len = (int)strcspn(text, "\n");

	err_set(e, ERR_KERNEL, EIO, "nftables: %.*s", len, text);
	err_hint(e, "the kernel needs nf_tables with inet tables, nat and concatenated sets");
	return -EIO;
}

static int run_text(const char *text, struct err *e)
{
	struct calls c;
	struct nft_ctx *ctx;
	int r = load_library(&c, e);

	if (r < 0)
		return r;
	ctx = c.ctx_new(NFT_CTX_DEFAULT);
	if (!ctx)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot make an nftables context");
	c.buffer_error(ctx);
	return c.run(ctx, text) ? complain(c.get_error(ctx), e) : 0;
}

/* The child: its error is its answer. It must not load rules for a parent whom nobody waits for. */
static void load_in_child(const char *text, pid_t parent, int answer)
{
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		run_text(text, &e);
		io_write_all(answer, &e, sizeof(e));
	}
	_exit(0); /* nothing is freed, and no handler of the parent's runs */
}

/* Return: 0, or what the child says in *e. What it says comes in one piece, or not at all. */
static int read_answer(int answer, pid_t child, struct err *e)
{
	struct pollfd p = { .fd = answer, .events = POLLIN };
	struct err said;
	ssize_t n;

	_Static_assert(sizeof(said) <= PIPE_BUF, "pipe(7): up to here a write is atomic");
	do
		n = poll(&p, 1, LOAD_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		kill(child, SIGKILL);
	do
		n = read(answer, &said, sizeof(said));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(said)) {
		*e = said;
		return -said.sys;
	}
	err_set(e, ERR_KERNEL, EIO, "nftables: %s died", LIBRARY);
	err_hint(e, "memory or descriptors are short; its own words, if it had any, are on stderr");
	return -EIO;
}

int nft_load(const char *text, struct err *e)
{
	cleanup_close int read_end = -1;
	pid_t parent = getpid(), child;
	int r, ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, ERR_KERNEL, errno, "nftables: cannot make a pipe");
	read_end = ends[0];
	child = fork();
	if (child == 0)
		load_in_child(text, parent, ends[1]);
	r = errno;
	close(ends[1]);
	if (child < 0)
		return err_sys(e, ERR_KERNEL, r, "nftables: cannot fork");
	r = read_answer(read_end, child, e);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}
