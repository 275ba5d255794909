/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked into the binaries of `make coverage` alone: a child that ends by _exit() leaves its counts
 * too, which gcov writes at exit() only.
 */
#include <stdlib.h>

void __gcov_dump(void);
_Noreturn void __real__exit(int code);
_Noreturn void __wrap__exit(int code);

void __wrap__exit(int code)
{
	__gcov_dump();
	__real__exit(code);
}
