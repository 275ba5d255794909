/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors on their way out: which exit code is it, whoever found it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli.h"

#define OWN 1000 /* codes of errors that know their exit code begin here: no CNI code does */

int cli_error(struct err *e, enum cli_exit status, const char *fmt, ...)
{
	char msg[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	err_set(e, ERR_IO, 0, "%s", msg);
	e->code = OWN + (int)status;
	return -EINVAL;
}

int cli_status(const struct err *e)
{
	static const struct {
		enum err_code code;
		enum cli_exit status;
	} rows[] = {
		{ ERR_VERSION, EXIT_CONFIG }, { ERR_FIELD, EXIT_CONFIG },
		{ ERR_DECODE, EXIT_CONFIG },  { ERR_CONFIG, EXIT_CONFIG },
		{ ERR_EXISTS, EXIT_TAKEN },   { ERR_ADDRESS, EXIT_TAKEN },
		{ ERR_PORT, EXIT_TAKEN },     { ERR_EXHAUSTED, EXIT_TAKEN },
		{ ERR_CHECK, EXIT_NO },       { ERR_UNKNOWN_CONTAINER, EXIT_ABSENT },
	};

	if (e->code >= OWN)
		return e->code - OWN;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (e->code == (int)rows[i].code)
			return (int)rows[i].status;
	return EXIT_FAILED;
}
