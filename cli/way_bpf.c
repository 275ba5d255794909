/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Past the host's stack (hostRouting: bpf): does the program at the sender's link take the packet?
 * It does if it hangs there as the record wants it, and the route to the other task has its
 * consent.
 */
#include <errno.h>
#include <string.h>

#include "kernel/bpf.h"
#include "way.h"

static bool has_program(const json *row)
{
	return row && !strcmp(live_text(row, "hostRouting"), "bpf");
}

static struct bpf_owner owner_of(const json *row)
{
	struct bpf_owner owner = { .n_ips = 0 };

	mac_parse(live_text(row, "mac"), &owner.mac);
	for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a)) {
		struct cidr c;

		if (owner.n_ips < BPF_OWNER_IPS && cidr_parse(live_text(a, "address"), &c))
			owner.ips[owner.n_ips++] = c.ip;
	}
	return owner;
}

/* The program of this version, with and without a second line, or of the previous release. Return:
 * as bpf_find. */
static int find_program(struct way *w, const struct bpf_owner *of, struct err *e)
{
	static const struct {
		bool direct, family_first;
	} forms[] = { { true, false }, { false, false }, { false, true } };
	int r = 1;

	for (size_t i = 0; i < ARRAY_SIZE(forms) && r == 1; i++) {
		struct bpf_owner owner = *of;

		owner.direct = forms[i].direct;
		owner.family_first = forms[i].family_first;
		r = bpf_find(&w->host->route, w->iif, &owner, e);
	}
	return r;
}

int way_past_stack(struct way *w, struct err *e)
{
	const json *from = way_owner(w, &w->p.src), *to = way_owner(w, &w->p.dst);
	const struct route_spec route = { .dst = cidr_host(&w->p.dst),
					  .priority = BPF_ROUTE_METRIC };
	struct bpf_owner owner;
	json *hop;
	int r;

	if (!w->iif || !has_program(from) || !has_program(to))
		return 0;
	owner = owner_of(from);
	if (!mac_equal(&owner.mac, &w->p.mac)) /* the guard's */
		return 0;
	r = find_program(w, &owner, e);
	if (r == 0)
		r = route_is_taken(&w->host->route, &route, e);
	if (r != 0)
		return r < 0 ? r : 0;
	hop = way_tell(w, "bpf", "a program takes it to the task %s, past the host's rules",
		       live_text(to, "task"));
	way_command(hop, "tc filter show dev %s ingress", live_text(from, "hostInterface"));
	way_why(hop,
		"hostRouting: bpf, in both tasks: the program judges the source as the guard does, "
		"and asks the kernel for the route.");
	return 1;
}
