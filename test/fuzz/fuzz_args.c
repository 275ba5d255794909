/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CNI_ARGS, and names: what is accepted as a name can leave no directory and end no word of a
 * shell. */
#include "fuzz.h"

#include "cni/args.h"
#include "cni/call.h"

static const struct verb add = { .name = "ADD", .env = ENV_ATTACHMENT };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), shown[512];
	struct env env = {
		.command = "ADD", .container_id = text, .netns = "/run/netns/a", .ifname = "eth0"
	};
	struct asked asked = { 0 };
	struct err e = { 0 };
	struct cidr c;

	if (!*text) { /* an empty variable is an unset one: env_read */
		free(text);
		return 0;
	}
	if (args_read(text, &asked, &e) < 0)
		must(e.code == ERR_ENVIRONMENT && e.msg[0]);
	must(asked.n_ips <= STORE_ADDRESSES);
	if (env_judge(&env, &add, &e) == 0)
		must(*text && !strchr(text, '/') && strcmp(text, "..") &&
		     !strpbrk(text, " ;\"'`$\n"));
	env.container_id = "c1";
	env.ifname = text;
	if (env_judge(&env, &add, &e) == 0)
		must(*text && strlen(text) < 16 && !strpbrk(text, "/: \n") && strcmp(text, ".") &&
		     strcmp(text, ".."));
	if (cidr_parse(text, &c)) {
		char again[IP_TEXT];
		struct cidr d;

		must(cidr_parse(cidr_text(&c, again), &d) && d.len == c.len &&
		     ip_equal(&c.ip, &d.ip));
	}
	text_printable(shown, sizeof(shown), text);
	for (const char *p = shown; *p; p++)
		must((unsigned char)*p >= ' ' && *p != 0x7f);
	free(text);
	return 0;
}
