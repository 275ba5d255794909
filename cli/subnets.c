/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subnets: where the addresses are. Users of VPCs ask most of all why a subnet is full although
 * hardly a task runs; so every address is counted as one of: used, leaked, cooling, reserved, free.
 */
#include "subnets.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ipam/lease.h"
#include "output.h"
#include "store/store.h"

#define BAR       20
#define COUNT_MAX (1ULL << 53)

/* ---- counting ---- */

static uint64_t leaked_in(const json *attachments, const struct ip_span *span, const char *dir)
{
	uint64_t n = 0;

	for (const json *row = json_first(attachments); row; row = json_next(row)) {
		const json *list = json_get(row, "addresses");

		if (strcmp(live_text(row, "state"), "dead") != 0 ||
		    strcmp(live_text(row, "store"), dir) != 0)
			continue;
		for (const json *a = json_first(list); a; a = json_next(a)) {
			struct cidr cidr;

			n += cidr_parse(live_text(a, "address"), &cidr) &&
			     span_contains(span, &cidr.ip);
		}
	}
	return n;
}

static void add_count(json *row, const char *key, uint64_t n)
{
	json_add_integer(row, key, (int64_t)(n < COUNT_MAX ? n : COUNT_MAX));
}

struct counting {
	const struct network *network;
	const json *attachments;
	const char *dir;
	struct store *store; /* NULL: there is none yet */
	json *rows;
};

static int add_range(const struct counting *c, const struct pool_range *range, struct err *e)
{
	const struct ip_span all = cidr_span(&range->subnet);
	uint64_t leaked = leaked_in(c->attachments, &range->usable, c->dir), size = span_size(&all);
	struct store_usage usage;
	int r = lease_count(c->store, range, &usage, e);
	uint64_t taken = usage.used + usage.cooling;
	char text[IP_TEXT];
	json *row;

	if (r < 0)
		return r;
	leaked = leaked < usage.used ? leaked : usage.used;
	row = json_add_object(c->rows, NULL);
	json_add_string(row, "network", c->network->name);
	json_add_string(row, "subnet", range->id);
	json_add_string(row, "cidr", cidr_text(&range->subnet, text));
	json_add_string(row, "az", range->az);
	json_add_string(row, "gateway", ip_text(&range->gateway, text));
	add_count(row, "size", size);
	add_count(row, "used", usage.used - leaked);
	add_count(row, "leaked", leaked);
	add_count(row, "cooling", usage.cooling);
	add_count(row, "reserved", size - range->capacity);
	add_count(row, "free", range->capacity > taken ? range->capacity - taken : 0);
	return 0;
}

static int add_pool(struct counting *c, const struct pool *pool, struct err *e)
{
	char warn[256];
	int r = store_open(c->dir, STORE_READ, &c->store, warn, sizeof(warn), e);

	if (r < 0)
		return r;
	r = 0;
	for (unsigned i = 0; i < pool->n_sets; i++)
		for (unsigned k = 0; k < pool->sets[i].n_ranges && r == 0; k++)
			r = add_range(c, &pool->sets[i].ranges[k], e);
	store_close(c->store);
	c->store = NULL;
	return r;
}

static int add_network(struct counting *c, struct err *e)
{
	const json *plugin = json_first(json_get(c->network->list, "plugins"));
	const json *ipam = json_get(plugin, "ipam");
	bool aws = !strcmp(network_mode(c->network->list), "awsvpc");
	cleanup_pool struct pool pool = { .n_sets = 0 };
	struct err ignored;
	const char *type;

	if (json_is_absent(ipam) || pool_is_foreign(ipam, &type) ||
	    pool_read(ipam, NULL, aws ? RESERVE_AWS : RESERVE_MINIMAL, &pool, &ignored) < 0)
		return 0;
	return add_pool(c, &pool, e);
}

int subnets_json(const struct cli *cli, const json *attachments, json **ret, struct err *e)
{
	cleanup_networks struct networks all = { .n = 0 };
	cleanup_json json *rows = json_array();
	int r = live_networks(cli, &all, e);

	for (unsigned i = 0; i < all.n && r == 0; i++) {
		char dir[256];
		struct counting c = { .network = all.of[i],
				      .attachments = attachments,
				      .dir = network_data_dir(all.of[i]->list, dir),
				      .rows = rows };

		r = add_network(&c, e);
	}
	if (r < 0)
		return r;
	*ret = rows;
	rows = NULL;
	return 0;
}

/* ---- showing ---- */

static const struct kind {
	const char *key, *wide, *plain;
	enum tone tone;
} kinds[] = {
	{ "reserved", "░", "=", TONE_DIM }, { "used", "█", "#", TONE_GOOD },
	{ "leaked", "▓", "!", TONE_BAD },   { "cooling", "▒", "~", TONE_WARN },
	{ "free", "·", ".", TONE_DIM },
};

static const char *glyph(const struct kind *kind)
{
	return out_is_utf8() ? kind->wide : kind->plain;
}

static int64_t number(const json *row, const char *key)
{
	int64_t n = 0;

	json_integer(json_get(row, key), &n);
	return n;
}

/* How many of @width characters a kind gets: in proportion, but none that there is gets none. */
static int64_t share(int64_t n, int64_t size, int64_t width)
{
	int64_t part = size ? (int64_t)((__int128)n * width / size) : 0;

	return n && !part ? 1 : part;
}

/* Of a small subnet, each character is an address. */
static void cell_bar(const json *row, const struct column *col, struct cell *ret)
{
	int64_t size = number(row, "size"), width = size < BAR ? size : BAR, left = width;
	struct text t;

	(void)col;
	text_init(&t, ret->text, sizeof(ret->text));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool last = i + 1 == ARRAY_SIZE(kinds);
		int64_t n = last ? left : share(number(row, kinds[i].key), size, width);

		if (n <= 0)
			continue;
		text_add(&t, "%s", out_tone(kinds[i].tone));
		for (; n > 0 && left > 0; n--, left--)
			text_add(&t, "%s", glyph(&kinds[i]));
		text_add(&t, "%s", out_tone(TONE_PLAIN));
	}
}

/* JSON counts to 2^53: of a larger subnet the table tells the power. */
static void cell_count(const json *row, const struct column *col, struct cell *ret)
{
	struct cidr c;

	if ((uint64_t)number(row, col->key) < COUNT_MAX ||
	    !cidr_parse(live_text(row, "cidr"), &c)) {
		cell_number(row, col, ret);
		return;
	}
	*ret = (struct cell){ .tone = TONE_PLAIN };
	snprintf(ret->text, sizeof(ret->text), "~2^%u", ip_bits(&c.ip) - c.len);
}

static const struct column columns[] = {
	{ "NETWORK", "network", NULL },
	{ "SUBNET", "subnet", NULL },
	{ "CIDR", "cidr", NULL },
	{ "AZ", "az", NULL },
	{ "", "size", cell_bar },
	{ "USED", "used", cell_number },
	{ "LEAKED", "leaked", cell_number },
	{ "COOLING", "cooling", cell_number },
	{ "RESERVED", "reserved", cell_number },
	{ "FREE", "free", cell_count },
	{ NULL, NULL, NULL },
};

static void legend(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		printf("%s%s%s%s %s", i ? "   " : "", out_tone(kinds[i].tone), glyph(&kinds[i]),
		       out_tone(TONE_PLAIN), kinds[i].key);
	putchar('\n');
}

static int run(struct cli *c, int argc, char **argv, struct err *e)
{
	cleanup_json json *attachments = NULL, *rows = NULL;
	int rest, r = cli_options(c, argc, argv, c, &rest, e);

	if (r)
		return r < 0 ? r : EXIT_DONE;
	r = cli_words(c, argc, argv, rest, 0, e);
	if (r == 0)
		r = live_attachments(c, &attachments, e);
	if (r == 0)
		r = subnets_json(c, attachments, &rows, e);
	if (r < 0)
		return r;
	out_list(c, rows, columns, "no network has subnets of ours");
	if (!c->json && json_count(rows))
		legend();
	return EXIT_DONE;
}

const struct command command_subnets = {
	.name = "subnets",
	.synopsis = "[OPTION]...",
	.help = "count the addresses of each subnet: used, free, or why not",
	.lesson =
		"Every address of a subnet is one of these:\n\n"
		"  used      a task has it\n"
		"  leaked    a task had it that is gone without being removed: `taskvpc gc`\n"
		"  cooling   was released just now; given again only if there is no other, so that\n"
		"            packets for the old task do not reach a new one\n"
		"  reserved  is never given. In a VPC these are the first four (network, router,\n"
		"            DNS, one for later) and the last, so a /28 has 11 for tasks; elsewhere\n"
		"            network, gateway and broadcast address. And what the network excludes\n"
		"  free      what is left\n",
	.examples = "  taskvpc subnets\n"
		    "  taskvpc subnets --json | jq '.[] | select(.free + .cooling == 0)'\n",
	.flags = COMMAND_ROOT,
	.run = run,
};
