/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports that are kept as files. */
#ifndef CLI_REPORT_FILE_H
#define CLI_REPORT_FILE_H

#include <stdio.h>

#include "json/json.h"

typedef void report_fn(FILE *out, const json *doc);

/* report_file_judge: can @path, the value of --@option, be written? Return: 0, or EXIT_USAGE. */
int report_file_judge(const char *option, const char *path, struct err *e);
/* report_file_write: the file is replaced whole or not at all; a link stays one. */
int report_file_write(const char *path, report_fn *report, const json *doc, struct err *e);

#endif
