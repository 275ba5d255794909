/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an interface can be called. The kernel's own answer to a name that it refuses is "Invalid
 * argument", for whatever is wrong with the request.
 */
#include "kernel/link.h"

#include "base/text.h"

#include <net/if.h>
#include <string.h>

/* White space outside ASCII, as Go's unicode.IsSpace has it, in UTF-8. */
static bool has_wide_space(const char *s)
{
	static const char *const spaces[] = {
		"\xc2\x85", "\u00a0", "\u1680", "\u2028", "\u2029", "\u202f", "\u205f",
		"\u3000",   "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
		"\u2006",   "\u2007", "\u2008", "\u2009", "\u200a",
	};

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (strstr(s, spaces[i]))
			return true;
	return false;
}

const char *link_name_fault(const char *name)
{
	size_t len = strlen(name);

	if (len >= IFNAMSIZ)
		return "is longer than 15 bytes";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "is the name of a directory";
	if (strpbrk(name, "/:"))
		return "has a '/' or ':'";
	/* To the kernel, names are Latin-1, where 0xa0 is a space: so it is within letters. */
	if (strpbrk(name, " \t\n\v\f\r\xa0") || has_wide_space(name))
		return "has white space";
	if (!strcmp(name, "all") || !strcmp(name, "default")) /* of net.ipv4.conf */
		return "is what the kernel calls the settings of all interfaces";
	if (!text_is_utf8(name, len))
		return "is not UTF-8";
	/* "eth%d" asks the kernel to choose a name, which we would not know. */
	if (strchr(name, '%'))
		return "has a '%'";
	return NULL;
}
