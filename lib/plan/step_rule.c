/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy routing rule: which table decides about a packet, or that none does. */
#include "plan/io.h"

#include <sys/socket.h>

static void rule_step_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	rule_add(b, &s->rule, s->shared ? TOLERATE_EXISTS : TOLERATE_NOTHING);
}

static void rule_step_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	rule_del(b, &s->rule, TOLERATE_ABSENT);
}

static void print_net(const char *word, const struct cidr *c, struct text *t)
{
	char text[IP_TEXT];

	if (ip_is_set(&c->ip))
		text_add(t, " %s %s", word, cidr_text(c, text));
}

static void print_selectors(const struct rule_spec *r, struct text *t)
{
	print_net("from", &r->from, t);
	print_net("to", &r->to, t);
	if (r->iif) {
		text_add(t, " iif ");
		text_add_shell(t, r->iif);
	}
	if (r->mask)
		text_add(t, " fwmark 0x%x/0x%x", r->mark, r->mask);
}

static void print_action(const struct rule_spec *r, struct text *t)
{
	if (r->action == RULE_LOOKUP)
		text_add(t, " table %u", r->table);
	else if (r->action == RULE_GOTO)
		text_add(t, " goto %u", r->target);
	else
		text_add(t, r->action == RULE_NOP ? " nop" : " unreachable");
}

static void rule_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct rule_spec *r = &s->rule;

	(void)p;
	text_add(t, "ip %srule %s pref %u", r->family == AF_INET6 ? "-6 " : "",
		 undo ? "del" : "add", r->priority);
	print_selectors(r, t);
	print_action(r, t);
	text_add(t, " protocol %u", RULE_PROTOCOL);
}

static int rule_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	struct netlink *nl;
	char rule[160];
	struct text t;
	int r = plan_io_route(io, s->side, &nl, e);

	(void)p;
	if (r == 0)
		r = rule_find(nl, &s->rule, e);
	if (r != 1)
		return r;
	text_init(&t, rule, sizeof(rule));
	print_selectors(&s->rule, &t);
	print_action(&s->rule, &t);
	err_set(e, ERR_CHECK, 0, "the IPv%d routing rule %u:%s is gone %s",
		s->rule.family == AF_INET6 ? 6 : 4, s->rule.priority, rule,
		s->side == TASK ? "in the task" : "on the host");
	return 1;
}

const struct step_kind step_rule = {
	.name = "rule",
	.via = VIA_ROUTE,
	.add = rule_step_add,
	.drop = rule_step_drop,
	.check = rule_check,
	.print = rule_print,
};

static void rules_end_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)s;
	(void)io;
	(void)b;
}

/* A request without a source takes away one rule, from whatever address. */
static void rules_end_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	for (int i = 0; i < STORE_ADDRESSES; i++)
		rule_del(b, &s->rule, TOLERATE_ABSENT);
}

static void rules_end_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	if (!undo)
		return;
	text_add(t, "sh -c 'while ");
	rule_print(s, p, true, t);
	text_add(t, " 2>/dev/null; do :; done'");
}

const struct step_kind step_rules_end = {
	.name = "rules end",
	.via = VIA_ROUTE,
	.add = rules_end_add,
	.drop = rules_end_drop,
	.print = rules_end_print,
};
