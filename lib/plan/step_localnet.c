/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 127.0.0.0/8 may cross a link of the host (route_localnet), so that published ports are reached
 * from the host by 127.0.0.1. Unlike other shared sysctls it is taken back with the last that needs
 * it: what stands before it, a rule that drops all but that, may go with the same attachment. Any
 * value but 0 means yes to the kernel; ours is one that nobody else writes, so what others switched
 * on stays.
 */
#include "plan/step.h"

#include "kernel/sysctl.h"

#include <stdio.h>
#include <string.h>

#define LOCALNET_PATH  64
#define LOCALNET_VALUE 16
#define OURS           "118" /* as the protocol of our addresses: 0x76 */

static void localnet_path(const struct step *s, char ret[static LOCALNET_PATH])
{
	snprintf(ret, LOCALNET_PATH, "net/ipv4/conf/%s/route_localnet", s->localnet.dev.name);
}

/* What it is now. Return: as sysctl_read(). */
static int localnet_read(const struct step *s, char path[static LOCALNET_PATH],
			 char now[static LOCALNET_VALUE], struct err *e)
{
	localnet_path(s, path);
	return sysctl_read(path, now, LOCALNET_VALUE, e);
}

static int localnet_apply(const struct step *s, const struct plan *p, struct plan_io *io,
			  struct err *e)
{
	char path[LOCALNET_PATH], now[LOCALNET_VALUE];
	int r = localnet_read(s, path, now, e);

	(void)p;
	(void)io;
	if (r == 0 && strcmp(now, "0") != 0)
		return 0;
	return r < 0 ? r : sysctl_write(path, OURS, e);
}

static int localnet_undo(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e)
{
	char path[LOCALNET_PATH], now[LOCALNET_VALUE];
	int r = localnet_read(s, path, now, e);

	(void)p;
	(void)io;
	if (r != 0 || strcmp(now, OURS) != 0)
		return r < 0 ? r : 0;
	return sysctl_write(path, "0", e);
}

static int localnet_check(const struct step *s, const struct plan *p, struct plan_io *io,
			  struct err *e)
{
	char path[LOCALNET_PATH], now[LOCALNET_VALUE];
	int r = localnet_read(s, path, now, e);

	(void)p;
	(void)io;
	if (r < 0 || (r == 0 && strcmp(now, "0") != 0))
		return r;
	err_set(e, ERR_CHECK, 0, "the sysctl %s is %s: 127.0.0.1 reaches no published port", path,
		r == 1 ? "gone" : now);
	return 1;
}

static void localnet_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	char path[LOCALNET_PATH];

	(void)p;
	localnet_path(s, path);
	text_add(t, "sysctl -qw ");
	text_add_shell(t, path);
	text_add(t, "=%s", undo ? "0" : OURS);
}

const struct step_kind step_localnet = {
	.name = "localnet",
	.via = VIA_CALL,
	.apply = localnet_apply,
	.undo = localnet_undo,
	.check = localnet_check,
	.print = localnet_print,
};
