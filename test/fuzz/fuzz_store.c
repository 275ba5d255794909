/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's files, garbled, truncated or of another version: the first byte tells where the input
 * is written over which file. Opening, reading, leasing and releasing must neither crash nor hang,
 * and an index made anew of whatever records are left agrees with them.
 */
#include "fuzz.h"

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

static char dir[] = "/dev/shm/taskvpc-fuzz-XXXXXX";

static int compose(void *ctx, const struct store_grant *grant, struct store_body *ret,
		   struct err *e)
{
	(void)ctx, (void)grant, (void)e;
	ret->text = "{}";
	ret->len = 2;
	return 0;
}

static struct store *open_store(void)
{
	struct store *s = NULL;
	char warn[256];
	struct err e;

	return store_open(dir, STORE_CREATE, &s, warn, sizeof(warn), &e) == 0 ? s : NULL;
}

static void lease(struct store *s, const char *id)
{
	struct store_range range = { .span = { ip_from_num(AF_INET, 0x0a000004),
					       ip_from_num(AF_INET, 0x0a0000ff) },
				     .capacity = 252 };
	struct store_want *w = calloc(1, sizeof(*w));
	struct store_holder holder;
	struct store_grant grant;
	struct err e;

	must(w);
	w->key = (struct store_key){ "net", id, "eth0" };
	w->choices[0] = (struct store_choice){ .ranges = &range, .n_ranges = 1 };
	w->n_choices = 1;
	store_lease(s, w, compose, NULL, &grant, &holder, &e);
	free(w);
}

static void garble(const char *name, size_t at, const uint8_t *p, size_t len, int cut)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	must(pwrite(fd, p, len, (off_t)at) == (ssize_t)len);
	if (cut)
		must(ftruncate(fd, (off_t)(at + len)) == 0);
	close(fd);
}

static void start_afresh(void)
{
	static const char *const files[] = { "lock", "records", "index" };
	char path[64];
	struct store *s;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	s = open_store();
	must(s);
	lease(s, "a");
	lease(s, "b");
	store_close(s);
}

static void use(struct store *s)
{
	struct store_record *record = calloc(1, sizeof(*record));
	const struct store_key key = { "net", "a", "eth0" };
	uint64_t cursor = 0, before;
	struct err e;
	int r;

	must(record);
	do {
		before = cursor;
		r = store_next(s, NULL, &cursor, record, &e);
	} while (r != STORE_ABSENT && cursor != before);
	store_get(s, &key, record, &e);
	lease(s, "c");
	store_release(s, &key, 0, NULL, NULL, &e);
	free(record);
}

static void use_new_index(void)
{
	struct store *s;
	struct err e;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "%s/index", dir);
	unlink(path);
	s = open_store();
	if (!s)
		return;
	r = store_verify(s, &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.msg);
	must(r == 0);
	store_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int made;
	struct store *s;

	if (size < 4)
		return 0;
	if (!made)
		must(mkdtemp(dir));
	made = 1;
	start_afresh();
	garble(data[0] & 1 ? "index" : "records", (size_t)(data[1] | data[2] << 8), data + 3,
	       size - 3, data[0] & 2);
	s = open_store();
	if (s)
		use(s);
	store_close(s);
	use_new_index();
	return 0;
}
