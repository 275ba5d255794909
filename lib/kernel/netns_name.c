/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of network namespaces, as `ip netns` keeps them: a bind mount below /run/netns. */
#include "kernel/netns.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

const char *netns_name(const char *path)
{
	static const char *const dirs[] = { NETNS_DIR "/", "/var" NETNS_DIR "/" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		size_t len = strlen(dirs[i]);
		const char *name = path + len;

		if (strncmp(path, dirs[i], len) == 0 && *name && *name != '.' && *name != '-' &&
		    !strchr(name, '/'))
			return name;
	}
	return NULL;
}

/*
 * /run/netns must be a shared mount of its own, or a namespace named here would not be seen (nor
 * ever be freed) in other mount namespaces. The same as ip-netns(8) does.
 */
static int prepare_dir(struct err *e)
{
	if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST)
		return err_sys(e, ERR_KERNEL, errno, "cannot make %s", NETNS_DIR);
	if (mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL || mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make %s a shared mount", NETNS_DIR);
	return 0;
}

bool netns_is_bare(const char *path)
{
	struct stat st;
	struct statfs fs;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 &&
	       statfs(path, &fs) == 0 && fs.f_type != NSFS_MAGIC;
}

static int cannot_make(const char *path, struct err *e)
{
	if (errno != EEXIST)
		return err_sys(e, ERR_KERNEL, errno, "cannot make \"%s\"", path);
	err_sys(e, ERR_ENVIRONMENT, EEXIST, "CNI_NETNS: cannot make \"%s\"", path);
	err_hint(e, "if nobody else is making a namespace of that name: rm %s", path);
	return -EEXIST;
}

int netns_bind(const struct netns *ns, const char *path, struct err *e)
{
	char source[32];
	int fd, r = prepare_dir(e);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return cannot_make(path, e);
	close(fd);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", ns->fd);
	if (mount(source, path, "none", MS_BIND, NULL) == 0)
		return 0;
	err_sys(e, ERR_KERNEL, errno, "cannot mount the network namespace on \"%s\"", path);
	unlink(path);
	return -e->sys;
}

int netns_unbind(const char *path, uint64_t cookie, struct err *e)
{
	struct netns ns = NETNS_NONE;
	int r = netns_reopen(path, cookie, &ns, e);

	if (r < 0)
		return r;
	netns_close(&ns);
	if (r == 0 && umount2(path, MNT_DETACH) < 0 && errno != EINVAL)
		return err_sys(e, ERR_KERNEL, errno, "cannot unmount \"%s\"", path);
	if (!netns_is_bare(path) || unlink(path) == 0 || errno == ENOENT)
		return 0;
	return err_sys(e, ERR_KERNEL, errno, "cannot remove \"%s\"", path);
}
