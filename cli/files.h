/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files of state: JSON that is replaced whole, and locks that end with their process. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "json/json.h"

/*
 * files_keep_newest: call @forget with the path of each file of @dir that @select takes, but for the
 * @kept that were written last. Two processes that call it at once forget the same files.
 */
void files_keep_newest(const char *dir, int kept, int (*select)(const struct dirent *entry),
		       void (*forget)(const char *path));
/* file_path: "DIR/NAME" and @suffix. Return: whether it fits. */
bool file_path(char ret[static PATH_MAX], const char *dir, const char *name, const char *suffix);

/* file_read_json: @ret is a new root. Return: 0, -ENOENT (*e untouched), or a negative errno. */
int file_read_json(const char *path, json **ret, struct err *e);
/* file_write_text, _json: write "PATH.new" and rename it, mode @mode (JSON: 0600). */
int file_write_text(const char *path, const char *text, unsigned mode, struct err *e);
int file_write_json(const char *path, const json *doc, struct err *e);

/*
 * file_lock: @how F_RDLCK, F_WRLCK, F_UNLCK; of the open file, so children that inherit it hold it
 * too. Return: 0, -EAGAIN if another holds it, or a negative errno.
 */
int file_lock(int fd, short how);
/* file_is_locked: does anybody hold a lock, of whichever kind? */
bool file_is_locked(const char *path);

#endif
