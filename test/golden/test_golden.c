/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Golden plans: each drawing's record, encoded and decoded again, must plan and print what the file
 * beside this one says. `UPDATE=1 make test-golden` writes the files; read the difference in git.
 */
#include "drawings.h"

#include "base/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PRINTED 32768

static const char *folder = "test/golden";

/* The plan as text, from a record that went through the store's form. */
static void print_drawing(const struct drawing *d, char *ret)
{
	struct attachment *a = calloc(1, sizeof(*a)), *again = calloc(1, sizeof(*a));
	struct plan *p = calloc(1, sizeof(*p));
	struct text t;
	struct err e;
	char *body;
	size_t len;

	assert_true(a && again && p);
	d->fill(a);
	strcpy(a->netns, "/run/netns/t1");
	strcpy(a->mode, d->mode->name);
	assert_int_equal(attachment_encode(a, &body, &len, &e), 0);
	assert_int_equal(attachment_decode(body, len, ATTACHMENT_SCHEMA, again, &e), 0);
	d->mode->plan(again, p);
	text_init(&t, ret, PRINTED);
	text_add(&t, "# %s: to attach\n", d->name);
	plan_print(p, PLAN_PRINT_APPLY, &t);
	text_add(&t, "# %s: to detach\n", d->name);
	plan_print(p, PLAN_PRINT_UNDO, &t);
	assert_false(t.overflow);
	free(body);
	free(a);
	free(again);
	free(p);
}

static void write_golden(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void read_golden(const char *path, char **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len;

	if (fd < 0)
		fail_msg("no %s: UPDATE=1 writes it", path);
	assert_int_equal(io_read_all(fd, PRINTED, ret, &len), 0);
	close(fd);
}

static void test_golden_plans(void **state)
{
	char printed[PRINTED], path[256], *golden;

	(void)state;
	for (size_t i = 0; i < n_drawings; i++) {
		print_drawing(&drawings[i], printed);
		snprintf(path, sizeof(path), "%s/%s.plan", folder, drawings[i].name);
		if (getenv("UPDATE"))
			write_golden(path, printed);
		read_golden(path, &golden);
		assert_string_equal(printed, golden);
		free(golden);
	}
}

/* Two tasks of one subnet share what is shared, two of different subnets do not share the gateway.
 */
static void test_tags(void **state)
{
	struct attachment *a = calloc(1, sizeof(*a));
	struct plan *p = calloc(1, sizeof(*p));
	uint64_t one[STORE_TAGS], two[STORE_TAGS];
	unsigned n, same = 0;

	(void)state;
	drawings[0].fill(a);
	strcpy(a->netns, "/run/netns/t1");
	drawings[0].mode->plan(a, p);
	n = plan_tags(p, one, STORE_TAGS);
	strcpy(a->netns, "/run/netns/t2");
	a->ifindex++;
	cidr_parse("10.0.2.4/24", &a->addresses[0].cidr);
	ip_parse("10.0.2.1", &a->addresses[0].gateway);
	drawings[0].mode->plan(a, p);
	assert_int_equal(plan_tags(p, two, STORE_TAGS), n);
	for (unsigned i = 0; i < n; i++)
		same += one[i] == two[i];
	/* the table, the store marker, src_valid_mark, and the frame of the second line; not the gateway
	 * with its element, nor the subnet's route and rules; ip_forward and lo are not taken back */
	assert_int_equal(n, 7);
	assert_int_equal(same, 4);
	free(a);
	free(p);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_plans),
		cmocka_unit_test(test_tags),
	};

	if (argc > 1)
		folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
