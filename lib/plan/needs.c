/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which module of the kernel does a step need? The kernel loads modules by itself where they are
 * installed; where one is not, its error tells that a kind is unknown, and no more.
 */
#include "plan/step.h"

#include <errno.h>
#include <string.h>

struct need {
	const char *module, *option;
};

static const struct need *need_of_ruleset(const char *name)
{
	static const struct {
		const char *name;
		struct need need;
	} rows[] = {
		{ "masquerade",
		  { "nft_chain_nat nft_masq", "CONFIG_NFT_NAT and CONFIG_NFT_MASQ" } },
		{ "published ports",
		  { "nft_chain_nat nft_fib_inet", "CONFIG_NFT_NAT and CONFIG_NFT_FIB_INET" } },
	};
	static const struct need any = { "nf_tables nft_ct nf_conntrack",
					 "CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, "
					 "CONFIG_NF_TABLES_BRIDGE, CONFIG_NFT_CT and "
					 "CONFIG_NF_CONNTRACK" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i].need;
	return &any;
}

static const struct need *need_of(const struct step *s)
{
	static const struct {
		const struct step_kind *kind;
		struct need need;
	} rows[] = {
		{ &step_veth, { "veth", "CONFIG_VETH" } },
		{ &step_bridge, { "bridge", "CONFIG_BRIDGE" } },
		{ &step_macvlan, { "macvlan", "CONFIG_MACVLAN" } },
		{ &step_ifb, { "ifb", "CONFIG_IFB" } },
		{ &step_qdisc, { "sch_tbf", "CONFIG_NET_SCH_TBF" } },
		{ &step_redirect,
		  { "cls_u32 act_mirred", "CONFIG_NET_CLS_U32 and CONFIG_NET_ACT_MIRRED" } },
		{ &step_bpf, { "cls_bpf", "CONFIG_NET_CLS_BPF" } },
	};
	static const struct need ingress = { "sch_ingress", "CONFIG_NET_SCH_INGRESS" };

	if (s->kind == &step_qdisc && s->qdisc.ingress)
		return &ingress;
	if (s->kind == &step_ruleset)
		return need_of_ruleset(s->ruleset.rules->name);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind == s->kind)
			return &rows[i].need;
	return NULL;
}

/* Of a link the kernel says that it does not know the kind, of a qdisc or rule that it is absent.
 */
static bool tells_of_absence(const struct step *s, const struct err *e)
{
	int error = e->sys;
	bool link = s->kind == &step_veth || s->kind == &step_bridge || s->kind == &step_macvlan ||
		    s->kind == &step_ifb;

	/* libnftables has no number for it, but the kernel's words. */
	if (s->kind == &step_ruleset &&
	    (strstr(e->msg, "No such file or directory") || strstr(e->msg, "not supported")))
		return true;
	return error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EPROTONOSUPPORT ||
	       (error == ENOENT && !link);
}

void plan_hint_need(const struct step *s, struct err *e)
{
	const struct need *need = tells_of_absence(s, e) ? need_of(s) : NULL;

	if (need && !e->details[0])
		err_hint(e, "modprobe -a %s, or use a kernel with %s", need->module, need->option);
}
