/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading the program, and hanging it on an interface. What is loaded belongs to a descriptor until
 * a filter holds it too: a kill in between leaves nothing.
 */
#include "kernel/bpf.h"

#include "kernel/bpf_code.h"
#include "kernel/qdisc.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long sys_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int refused(struct err *e)
{
	int error = errno;

	err_sys(e, ERR_KERNEL, error, "hostRouting: bpf: the kernel does not take the program");
	err_hint(e, "it needs CONFIG_BPF_SYSCALL, CONFIG_NET_CLS_BPF, CONFIG_NET_SCH_INGRESS and "
		    "the right to load programs (CAP_BPF, CAP_NET_ADMIN); without "
		    "hostRouting the host's stack routes, as ever");
	return -error;
}

/* Return: a descriptor, or a negative errno. */
static int load(const struct bpf_owner *owner, struct err *e)
{
	struct bpf_code code;
	union bpf_attr attr;
	int fd;

	bpf_code_build(owner, &code);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)code.insns;
	attr.insn_cnt = code.n;
	attr.license = (uintptr_t)BPF_LICENSE;
	memcpy(attr.prog_name, BPF_FUNCTION, sizeof(BPF_FUNCTION));
	fd = (int)sys_bpf(BPF_PROG_LOAD, &attr);
	return fd < 0 ? refused(e) : fd;
}

int bpf_attach(struct netlink *nl, struct batch *b, uint32_t ifindex, const struct bpf_owner *owner,
	       struct err *e)
{
	struct batch_failure failure;
	cleanup_close int fd = load(owner, e);

	if (fd < 0)
		return fd;
	filter_add_bpf(b, ifindex, fd, BPF_FILE ":[" BPF_SECTION "]");
	return batch_send(b, nl, &failure, e);
}

/* The kernel's hash of the program, by which filters tell theirs. */
static int find_tag(int fd, uint8_t ret[static BPF_TAG_SIZE], struct err *e)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0)
		return refused(e);
	memcpy(ret, info.tag, BPF_TAG_SIZE);
	return 0;
}

int bpf_find(struct netlink *nl, uint32_t ifindex, const struct bpf_owner *owner, struct err *e)
{
	uint8_t tag[BPF_TAG_SIZE];
	cleanup_close int fd = load(owner, e);
	int r = fd < 0 ? fd : find_tag(fd, tag, e);

	return r < 0 ? r : filter_find_bpf(nl, ifindex, tag, e);
}

int bpf_usable(struct err *e)
{
	struct bpf_owner somebody = { .n_ips = 2 };
	cleanup_close int fd = -1;

	ip_parse("192.0.2.1", &somebody.ips[0]);
	ip_parse("2001:db8::1", &somebody.ips[1]);
	fd = load(&somebody, e);
	return fd < 0 ? fd : 0;
}
