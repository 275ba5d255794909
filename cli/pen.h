/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines for a terminal that are never wider than it is: what does not fit goes to the next line. */
#ifndef CLI_PEN_H
#define CLI_PEN_H

#include "output.h"

struct pen {
	int room;           /* characters of a line */
	const char *prefix; /* of each line that a line goes on in */
	int indent;         /* where it goes on, with the prefix */
	int at;             /* characters so far */
	int blanks;         /* of these, those at the end, which are not written yet */
};

/* pen_begin: a line that starts with @start. */
void pen_begin(struct pen *pen, const char *start);
/* pen_blanks: none of them at the end of a line. */
void pen_blanks(struct pen *pen, int n);
/* pen_put: @text, padded to @width; cut with an ellipsis where it does not fit. */
void pen_put(struct pen *pen, enum tone tone, int width, const char *text);
/* pen_word: @text behind @gap blanks, on the next line if this one is full. Nothing is cut. */
void pen_word(struct pen *pen, enum tone tone, int gap, const char *text);
/* pen_words: a sentence, word by word. */
void pen_words(struct pen *pen, enum tone tone, const char *text);
void pen_end(struct pen *pen);

#endif
