/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that takes a task's packets to other tasks past the host's stack. It goes with the
 * ingress hook it hangs on. No command of iproute2 spells a program, so the printed form carries it
 * as an object file.
 */
#include "plan/io.h"

#include "kernel/bpf.h"

#include <string.h>

static struct bpf_owner owner_of(const struct attachment *a)
{
	struct bpf_owner owner = { .mac = a->mac,
				   .direct = a->guard_mark,
				   .family_first = a->bpf_family_first };

	_Static_assert(STORE_ADDRESSES <= BPF_OWNER_IPS, "an owner has room for all addresses");
	for (unsigned i = 0; i < a->n_addresses; i++)
		owner.ips[owner.n_ips++] = a->addresses[i].cidr.ip;
	return owner;
}

static int bpf_apply(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	const struct bpf_owner owner = owner_of(p->a);
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	return r < 0 ? r : bpf_attach(nl, io->batch, s->bpf.dev.ifindex, &owner, e);
}

/* Too long for an error: it is among the commands of the whole plan. */
static void hint_repair(const struct plan *p, struct err *e)
{
	char id[STORE_NAME_MAX + 8];
	struct text t;

	text_init(&t, id, sizeof(id));
	text_add_shell(&t, p->a->container_id);
	err_hint(e, "to repair it: taskvpc explain %s | sed -n '/mktemp/,/^EOF$/p' | sh", id);
}

static int bpf_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	const struct bpf_owner owner = owner_of(p->a);
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	if (r == 0)
		r = bpf_find(nl, s->bpf.dev.ifindex, &owner, e);
	if (r != 1)
		return r;
	err_set(e, ERR_CHECK, 0,
		"the BPF program of %s, which takes packets to other tasks, is gone or another one",
		s->bpf.dev.name);
	hint_repair(p, e);
	return 1;
}

static void bpf_step_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct bpf_owner owner = owner_of(p->a);

	if (undo)
		return;
	text_add(t, "d=$(mktemp -d) && base64 -d >$d/" BPF_FILE " <<'EOF' && tc filter add dev ");
	text_add_shell(t, s->bpf.dev.name);
	text_add(t, " parent ffff: protocol all prio 1 bpf direct-action object-file $d/" BPF_FILE
		    " section " BPF_SECTION " && rm -r $d\n");
	bpf_print(&owner, t);
	text_add(t, "EOF");
}

const struct step_kind step_bpf = {
	.name = "bpf",
	.via = VIA_CALL,
	.apply = bpf_apply,
	.check = bpf_check,
	.print = bpf_step_print,
};
