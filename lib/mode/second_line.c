/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chain that marks, a table for each bit that networks use; and the rules behind it. */
#include "mode/second_line.h"

#include "mode/ruleset.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
	PREF_HOST = 76,
	PREF_SUBNETS = 77,
	PREF_END = 78
};

#define BITS       32
#define CHAIN_NAME 24
#define CHAIN_TEXT 900

int second_line_judge(uint32_t mark, struct err *e)
{
	if ((mark & (mark - 1)) == 0)
		return 0;
	err_set(e, ERR_CONFIG, 0, "guardMark: %u (0x%x) is more than one bit", mark, mark);
	err_hint(e, "use a power of two that no other program on this host uses, as %u (0x%x)",
		 GUARD_MARK, GUARD_MARK);
	return -EINVAL;
}

/*
 * Priority -90: behind the translation of published ports, and the last chain before routing, so
 * that a peer that restores marks (-150) clears no bit of ours. It marks what tasks send, which the
 * guard has let through, and what is sent to them; packets of others keep their mark.
 */
static const char chain_text[] =
	"add table inet " TASKVPC_TABLE "\n"
	"table inet " TASKVPC_TABLE " {\n"
	"	set tasks { type iface_index; flags timeout; }\n"
	"	set home4 { type ipv4_addr; flags timeout; }\n"
	"	set home6 { type ipv6_addr; flags timeout; }\n"
	"	chain %1$s { type filter hook prerouting priority -90; policy accept; }\n"
	"}\n"
	"flush chain inet " TASKVPC_TABLE " %1$s\n"
	"table inet " TASKVPC_TABLE " {\n"
	"	chain %1$s {\n"
	"		iif @tasks meta mark set meta mark | 0x%2$08x accept\n"
	"		ip daddr @home4 meta mark set meta mark | 0x%2$08x\n"
	"		ip6 daddr @home6 meta mark set meta mark | 0x%2$08x\n"
	"	}\n"
	"}\n";

static unsigned bit_of(uint32_t mark)
{
	unsigned bit = 0;

	while (mark >> bit > 1)
		bit++;
	return bit;
}

/* Written when first asked for: mostly one of them. */
const struct nft_ruleset *second_line_ruleset(uint32_t mark)
{
	static struct nft_ruleset rulesets[BITS];
	static char names[BITS][CHAIN_NAME], texts[BITS][CHAIN_TEXT];
	unsigned bit = bit_of(mark);
	struct nft_ruleset *r = &rulesets[bit];

	if (r->text)
		return r;
	snprintf(names[bit], CHAIN_NAME, "mark_0x%x", mark);
	/* cppcheck-suppress invalidPrintfArgType_s; its arguments have numbers */
	snprintf(texts[bit], CHAIN_TEXT, chain_text, names[bit], mark);
	*r = (struct nft_ruleset){ .name = "second line",
				   .table = TASKVPC_TABLE,
				   .sets = ruleset_sets,
				   .chains = { { names[bit], 3 } },
				   .text = texts[bit] };
	return r;
}

void plan_second_ruleset(struct plan *p)
{
	if (p->a->guard_mark)
		plan_ruleset(p, second_line_ruleset(p->a->guard_mark));
}

/* The end of the list first: the kernel passes over a goto without a target. */
static void plan_frame(struct plan *p, uint8_t family)
{
	struct rule_spec r = { .family = family, .priority = PREF_END, .action = RULE_NOP };
	int end = plan_rule(p, HOST, &r);

	plan_share(p, end);
	r.action = RULE_GOTO;
	r.target = PREF_END;
	r.priority = PREF_HOST;
	r.iif = "lo";
	plan_share_with(p, plan_rule(p, HOST, &r), end);
}

static void plan_subnet(struct plan *p, const struct cidr *c)
{
	struct rule_spec r = { .family = c->ip.family,
			       .priority = PREF_SUBNETS,
			       .mask = p->a->guard_mark, /* and mark 0: without the bit */
			       .action = RULE_UNREACHABLE };
	int from;

	r.from = (struct cidr){ cidr_first(c), c->len };
	from = plan_rule(p, HOST, &r);
	plan_share(p, from);
	r.to = r.from;
	r.from = (struct cidr){ .len = 0 };
	plan_share_with(p, plan_rule(p, HOST, &r), from);
}

static bool is_first(const struct attachment *a, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		const struct cidr *one = &a->addresses[k].cidr, *other = &a->addresses[i].cidr;

		if (one->len == other->len && cidr_contains(one, &other->ip))
			return false;
	}
	return true;
}

void plan_second_line(struct plan *p)
{
	const struct attachment *a = p->a;

	if (!a->guard_mark)
		return;
	if (attachment_has_family(a, AF_INET))
		plan_frame(p, AF_INET); /* IPv6 has no rp_filter in the kernel */
	if (attachment_has_family(a, AF_INET6))
		plan_frame(p, AF_INET6);
	for (unsigned i = 0; i < a->n_addresses; i++)
		if (a->addresses[i].cidr.len && is_first(a, i))
			plan_subnet(p, &a->addresses[i].cidr);
}
