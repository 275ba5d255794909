/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the shared NAT. Its rules are one text for the host, so three of the keys are one for
 * all of its networks: who names none takes what is loaded, who names another is refused.
 */
#include "mode/nat.h"

#include "kernel/sysctl.h"
#include "mode/ruleset.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_UNPRIVILEGED 1024
#define LAST_PORT          65535
#define PORTS_LEAST        4096 /* fewer starve: to one destination there is one flow a port */

bool port_range_parse(const char *text, const char *separators, struct port_range *ret)
{
	char *end;

	ret->first = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || !*end || !strchr(separators, *end))
		return false;
	text = end + strspn(end, separators);
	ret->last = strtoul(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && ret->first >= 1 &&
	       ret->first <= ret->last && ret->last <= LAST_PORT;
}

int port_range_local(struct port_range *ret, struct err *e)
{
	char text[64];
	int r = sysctl_read("net/ipv4/ip_local_port_range", text, sizeof(text), e);

	if (r < 0)
		return r;
	if (r == 1 || !port_range_parse(text, "\t ", ret))
		*ret = (struct port_range){ NAT_FIRST, NAT_LAST };
	return 0;
}

bool nat_is_set(const struct nat_conf *c)
{
	return c->ports[0] || c->flows || c->flows_to || c->n_protected;
}

static int judge_range(const char *text, struct err *e)
{
	struct port_range range;

	if (!*text || (port_range_parse(text, "-", &range) && range.first >= FIRST_UNPRIVILEGED &&
		       range.last - range.first + 1 >= PORTS_LEAST))
		return 0;
	err_set(e, ERR_CONFIG, 0,
		"masqueradePortRange: \"%s\" is no range of %d ports or more from %d on", text,
		PORTS_LEAST, FIRST_UNPRIVILEGED);
	err_hint(e, "allowed: \"FIRST-LAST\", such as \"32768-60999\": ports where nothing listens");
	return -EINVAL;
}

/* "51820/udp". Return: success. */
static bool parse_protected(const char *text, struct protected_port *ret)
{
	static const struct {
		const char *name;
		uint32_t number;
	} protocols[] = { { "/tcp", IPPROTO_TCP }, { "/udp", IPPROTO_UDP }, { "/sctp", IPPROTO_SCTP } };
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || port < 1 || port > LAST_PORT)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(end, protocols[i].name) == 0) {
			*ret = (struct protected_port){ protocols[i].number, (uint32_t)port };
			return true;
		}
	return false;
}

int nat_judge(const struct nat_conf *c, struct err *e)
{
	struct protected_port port;

	for (unsigned i = 0; i < c->n_protected; i++) {
		if (parse_protected(c->protected[i], &port))
			continue;
		err_set(e, ERR_CONFIG, 0, "protectedPorts[%u]: \"%s\" is no port", i,
			c->protected[i]);
		err_hint(e, "allowed: \"PORT/tcp\", \"PORT/udp\", \"PORT/sctp\", such as "
			    "\"51820/udp\"");
		return -EINVAL;
	}
	return judge_range(c->ports, e);
}

/* Without rules the kernel's own range is the default: no service is expected there. */
static int choose_default(struct nat *ret, struct err *e)
{
	struct port_range local;
	int r = port_range_local(&local, e);

	if (r < 0)
		return r;
	if (local.first < FIRST_UNPRIVILEGED)
		local.first = FIRST_UNPRIVILEGED;
	if (local.last < local.first + PORTS_LEAST - 1)
		local = (struct port_range){ NAT_FIRST, NAT_LAST };
	*ret = (struct nat){ (uint32_t)local.first, (uint32_t)local.last, NAT_FLOWS, NAT_FLOWS_TO };
	return 0;
}

static int refuse(const char *key, const char *value, const struct nat *loaded, struct err *e)
{
	err_set(e, ERR_CONFIG, EEXIST,
		"%s: %s differs from the rules of this host, which have masqueradePortRange %u-%u, "
		"maxFlows %u, maxFlowsPerDestination %u",
		key, value, loaded->first, loaded->last, loaded->flows, loaded->flows_to);
	err_hint(e, "the key is one for all networks of a host: give all of them the same value "
		    "(or none), or end the tasks that live by now (taskvpc ls)");
	return -EEXIST;
}

static int refuse_number(const char *key, uint32_t value, const struct nat *loaded, struct err *e)
{
	char text[16];
	struct text t;

	text_init(&t, text, sizeof(text));
	text_add(&t, "%u", value);
	return refuse(key, text, loaded, e);
}

/* What is configured must be what is loaded. */
static int judge_loaded(const struct nat_conf *c, const struct nat *loaded, struct err *e)
{
	struct port_range range;

	if (port_range_parse(c->ports, "-", &range) &&
	    (range.first != loaded->first || range.last != loaded->last))
		return refuse("masqueradePortRange", c->ports, loaded, e);
	if (c->flows && c->flows != loaded->flows)
		return refuse_number("maxFlows", c->flows, loaded, e);
	if (c->flows_to && c->flows_to != loaded->flows_to)
		return refuse_number("maxFlowsPerDestination", c->flows_to, loaded, e);
	return 0;
}

static int choose(const struct nat_conf *c, struct nat *ret, struct err *e)
{
	struct port_range range;
	int r = choose_default(ret, e);

	if (port_range_parse(c->ports, "-", &range)) {
		ret->first = (uint32_t)range.first;
		ret->last = (uint32_t)range.last;
	}
	if (c->flows)
		ret->flows = c->flows;
	if (c->flows_to)
		ret->flows_to = c->flows_to;
	return r;
}

int nat_resolve(const struct nat_conf *c, bool translates, struct plan_io *io,
		struct attachment *a, struct err *e)
{
	struct nft_values loaded;
	struct netlink *nl;
	int r;

	a->n_protected = c->n_protected;
	for (unsigned i = 0; i < c->n_protected; i++)
		parse_protected(c->protected[i], &a->protected[i]);
	if (!translates && !nat_is_set(c))
		return 0;
	r = plan_io_nft(io, &nl, e);
	if (r == 0)
		r = nft_ruleset_values(nl, io->batch, &ruleset_nat, &loaded, e);
	if (r == 1)
		return choose(c, &a->nat, e);
	if (r < 0)
		return r;
	a->nat = (struct nat){ loaded.v[0], loaded.v[1], loaded.v[2], loaded.v[3] };
	return judge_loaded(c, &a->nat, e);
}
