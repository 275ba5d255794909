/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ipam.resolvConf`: the DNS settings of a file in the format of resolv.conf(5). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "ranges.h"

#define RESOLV_MAX 65536
#define BLANKS     " \t\r"

static void add_nameserver(struct pool_dns *dns, const char *word)
{
	struct ip ip;

	/* An address with a zone ("fe80::1%eth0") means nothing in another namespace. */
	if (dns->n_nameservers == ARRAY_SIZE(dns->nameservers) || !ip_parse(word, &ip))
		return;
	ip_text(&ip, dns->nameservers[dns->n_nameservers++]);
}

static void add_search(struct pool_dns *dns, const char *word)
{
	if (dns->n_search < ARRAY_SIZE(dns->search) &&
	    text_copy(dns->search[dns->n_search], sizeof(dns->search[0]), word))
		dns->n_search++;
}

static void add_option(struct pool_dns *dns, const char *word)
{
	if (dns->n_options < ARRAY_SIZE(dns->options) &&
	    text_copy(dns->options[dns->n_options], sizeof(dns->options[0]), word))
		dns->n_options++;
}

static void set_domain(struct pool_dns *dns, const char *word)
{
	text_copy(dns->domain, sizeof(dns->domain), word);
}

static void read_line(struct pool_dns *dns, char *line)
{
	static const struct {
		const char *keyword;
		void (*add)(struct pool_dns *dns, const char *word);
	} rows[] = { { "nameserver", add_nameserver },
		     { "domain", set_domain },
		     { "search", add_search },
		     { "options", add_option } };
	char *rest, *keyword = strtok_r(line, BLANKS, &rest), *word;

	for (unsigned i = 0; keyword && i < ARRAY_SIZE(rows); i++) {
		if (strcmp(keyword, rows[i].keyword) != 0)
			continue;
		/* The last `search` counts, as in resolv.conf(5). */
		if (rows[i].add == add_search)
			dns->n_search = 0;
		while ((word = strtok_r(NULL, BLANKS, &rest)) && *word != '#' && *word != ';')
			rows[i].add(dns, word);
		return;
	}
}

int resolv_read(const char *path, struct pool_dns *ret, struct err *e)
{
	/* Not blocking: a FIFO in its place must not hang the runtime. */
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	cleanup_free char *text = NULL;
	size_t len;
	int rc = fd < 0 ? -errno : io_read_all(fd, RESOLV_MAX, &text, &len);
	char *lines;

	if (rc < 0)
		return err_sys(e, ERR_CONFIG, -rc, "ipam.resolvConf: \"%s\" cannot be read", path);
	for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines))
		read_line(ret, line);
	return 0;
}
