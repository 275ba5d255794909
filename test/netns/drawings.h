/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attachments that tests draw plans of: one a mode and use. */
#ifndef TEST_NETNS_DRAWINGS_H
#define TEST_NETNS_DRAWINGS_H

#include "awsvpc/awsvpc.h"
#include "bridge/bridge.h"
#include "none/none.h"

struct drawing {
	const char *name; /* also of the golden file */
	const struct mode *mode;
	void (*fill)(struct attachment *a);
	bool creates_namespace;
};

extern const struct drawing drawings[];
extern const size_t n_drawings;

#endif
