/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft text, for the cold path. libnftables costs half a millisecond to load, so it is opened only
 * when there is text to run: once a boot, or after somebody flushed the rules.
 */
#include "kernel/nft.h"

#include <dlfcn.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>

#define LIBRARY "libnftables.so.1"

struct calls {
	void *library;
	__typeof__(nft_ctx_new) *ctx_new;
	__typeof__(nft_ctx_free) *ctx_free;
	__typeof__(nft_ctx_buffer_error) *buffer_error;
	__typeof__(nft_ctx_get_error_buffer) *get_error;
	__typeof__(nft_run_cmd_from_buffer) *run;
};

static int load_library(struct calls *c, struct err *e)
{
	c->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!c->library) {
		err_set(e, ERR_UNAVAILABLE, ENOENT, "cannot load %s", LIBRARY);
		err_hint(e, "install the package libnftables1");
		return -ENOENT;
	}
	c->ctx_new = (__typeof__(c->ctx_new))dlsym(c->library, "nft_ctx_new");
	c->ctx_free = (__typeof__(c->ctx_free))dlsym(c->library, "nft_ctx_free");
	c->buffer_error = (__typeof__(c->buffer_error))dlsym(c->library, "nft_ctx_buffer_error");
	c->get_error = (__typeof__(c->get_error))dlsym(c->library, "nft_ctx_get_error_buffer");
	c->run = (__typeof__(c->run))dlsym(c->library, "nft_run_cmd_from_buffer");
	if (c->ctx_new && c->ctx_free && c->buffer_error && c->get_error && c->run)
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

int nft_load(const char *text, struct err *e)
{
	struct calls c = { .library = NULL };
	struct nft_ctx *ctx;
	int r = load_library(&c, e);

	if (r < 0)
		return r;
	ctx = c.ctx_new(NFT_CTX_DEFAULT);
	if (!ctx)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot make an nftables context");
	c.buffer_error(ctx);
	if (c.run(ctx, text) != 0)
		r = complain(c.get_error(ctx), e);
	c.ctx_free(ctx);
	return r; /* the library stays: the process is about to end */
}
