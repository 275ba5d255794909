/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scope-bound release of memory and descriptors: early returns stay short and leak nothing. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define CLEANUP(f)    __attribute__((cleanup(f)))
#define cleanup_free  CLEANUP(cleanup_freep)
#define cleanup_close CLEANUP(cleanup_closep)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
