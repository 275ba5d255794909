/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fewer capabilities, by the system calls themselves: a library for three of them would cost each
 * start more than they do. The bounding set stays as it is: where exec() can gain nothing it says
 * nothing, and to empty it takes forty calls.
 */
#include "kernel/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* @for_good: what is lowered cannot be raised again. */
static int lower(uint64_t keep, bool for_good, struct err *e)
{
	struct __user_cap_header_struct us = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &us, sets) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot read the capabilities");
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t kept = (uint32_t)(keep >> (32 * i));

		sets[i].effective &= kept;
		if (for_good)
			sets[i].permitted &= kept;
	}
	if (syscall(SYS_capset, &us, sets) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot give up capabilities");
	return 0;
}

int privilege_keep(uint64_t keep, struct err *e)
{
	return lower(keep, true, e);
}

int privilege_rest(uint64_t keep, struct err *e)
{
	return lower(keep, false, e);
}

int privilege_no_more(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot set no_new_privs");
	return 0;
}
