/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share. Each is one file with LLVMFuzzerTestOneInput: it reads hostile bytes
 * as the plugins would, and holds what it got against a property that must be true of any input.
 * Built with AddressSanitizer and UBSan by `make fuzz`; the corpus is in test/fuzz/corpus/TARGET.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mode/mode.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* must: the property does not hold: libFuzzer keeps the input. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* fuzz_text: a NUL-terminated copy; the caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* fuzz_mode: a mode of a plugin by its number, whatever that is. */
const struct mode *fuzz_mode(unsigned n);

/*
 * fuzz_plan: plan from the record, print both ways, and the same again from its encoded form. Any
 * record that was accepted must survive this, unchanged.
 */
void fuzz_plan(const struct mode *mode, const struct attachment *a);

#endif
