/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The five answers there are. */
#include <stdarg.h>
#include <stdio.h>

#include <string.h>

#include "compare.h"

#define TELL(answer, fmt)                                                                          \
	do {                                                                                       \
		va_list ap_;                                                                       \
		va_start(ap_, fmt);                                                                \
		vsnprintf((answer)->detail, sizeof((answer)->detail), fmt, ap_);                   \
		va_end(ap_);                                                                       \
	} while (0)

int answer_quote(const char *msg)
{
	const char *remark = strstr(msg, " (");

	return remark ? (int)(remark - msg) : (int)strlen(msg);
}

void answer_yes(struct answer *ret, const char *fmt, ...)
{
	*ret = (struct answer){ .verdict = ANSWER_YES };
	TELL(ret, fmt);
}

void answer_no(struct answer *ret, const char *fmt, ...)
{
	*ret = (struct answer){ .verdict = ANSWER_NO };
	TELL(ret, fmt);
}

void answer_word(struct answer *ret, const char *word, const char *fmt, ...)
{
	*ret = (struct answer){ .verdict = ANSWER_WORD };
	snprintf(ret->word, sizeof(ret->word), "%s", word);
	TELL(ret, fmt);
}

void answer_figure(struct answer *ret, int64_t figure, const char *fmt, ...)
{
	*ret = (struct answer){ .verdict = ANSWER_FIGURE, .figure = figure };
	TELL(ret, fmt);
}

void not_tried(struct answer *ret, const char *fmt, ...)
{
	*ret = (struct answer){ .verdict = NOT_TRIED };
	TELL(ret, fmt);
}
