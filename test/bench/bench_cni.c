/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a runtime waits for: `bench_cni CONTESTANTS OWN_DIR PEER_DIR SUITE...` calls plugins as
 * libcni does and prints a line of JSON for each series. Contestants take turns, so that a noisy
 * minute of the machine is everybody's. Run by run.sh, in namespaces of its own.
 */
#include "suites.h"

#include "floor.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS      101
#define PEER_ROUNDS 31 /* they take ten to a hundred times as long */
#define WARM_UP     2

#define LEFT_BEHIND_US 30e6

const struct contestants *all;

static const char *own_dir;
static char *empty_program;

/* The children of deferred releases are ours (main): until they end they take turns with the
 * kernel's RTNL lock. */
static void reap_left_behind(void)
{
	const struct timespec moment = { .tv_nsec = 1000 * 1000 };
	double began = bench_now_us();
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid > 0)
			continue;
		if (bench_now_us() - began > LEFT_BEHIND_US)
			bench_fail("a plugin has left a process behind");
		nanosleep(&moment, NULL);
	}
}

void settle(void)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	reap_left_behind();
	nanosleep(&pause, NULL);
}

/* VERSION, which does nothing but start, read, write and end. */
static struct run ask_version(char *program)
{
	static char verb[] = "CNI_COMMAND=VERSION";
	char *const argv[] = { program, NULL }, *const env[] = { verb, NULL };

	settle();
	return bench_spawn(argv, env, "{\"cniVersion\":\"1.0.0\"}", NULL);
}

/* ---- one at a time ---- */

void take(struct samples *s, struct run run, const char *name, const char *verb)
{
	if (run.failed)
		bench_fail("%s: %s failed", name, verb);
	samples_add(s, run.us, run.cpu_us);
}

static void round_of(const struct contestant *c, struct series *s, unsigned task, bool counts)
{
	struct run add, del;

	settle();
	add = runtime_call(c, "ADD", task);
	settle();
	del = runtime_call(c, "DEL", task);
	if (counts) {
		take(&s->add, add, c->name, "ADD");
		take(&s->del, del, c->name, "DEL");
	}
}

static void round_of_floor(const struct floor_kind *kind, struct series *s, unsigned task,
			   bool counts)
{
	double add, del;

	settle();
	add = floor_add(kind, task);
	settle();
	del = floor_del(kind, task);
	if (counts) {
		samples_add(&s->add, add, 0);
		samples_add(&s->del, del, 0);
	}
}

void emit_series(const char *suite, const char *of, long at, struct series *s)
{
	if (!s->add.n)
		return;
	emit(suite, of, "ADD", at, &s->add);
	emit(suite, of, "DEL", at, &s->del);
}

/* A task more stays attached throughout, so that nobody makes and removes the shared parts. */
static void hold(const char *verb, unsigned task)
{
	for (unsigned c = 0; c < all->n; c++)
		if (runtime_call(&all->list[c], verb, task + c).failed)
			bench_fail("%s: %s failed", all->list[c].name, verb);
}

void suite_latency(void)
{
	static struct series series[CONTESTANTS], floor_series[FLOORS];
	static struct samples empty, version;
	unsigned task = 0;
	char path[256];

	tasks_make(0, all->n + ROUNDS + WARM_UP);
	snprintf(path, sizeof(path), "%s/awsvpc", own_dir);
	hold("ADD", ROUNDS + WARM_UP);
	floor_open();
	for (; task < ROUNDS + WARM_UP; task++) {
		for (unsigned c = 0; c < all->n; c++)
			if (all->list[c].ours || task < PEER_ROUNDS + WARM_UP)
				round_of(&all->list[c], &series[c], task, task >= WARM_UP);
		for (unsigned f = 0; f < FLOORS; f++)
			round_of_floor(&floors[f], &floor_series[f], task, task >= WARM_UP);
		take(&empty, ask_version(empty_program), "empty", "run");
		take(&version, ask_version(path), "awsvpc", "VERSION");
	}
	floor_close();
	hold("DEL", ROUNDS + WARM_UP);
	emit("latency", "empty C process", "run", 0, &empty);
	emit("latency", "awsvpc", "VERSION", 0, &version);
	for (unsigned c = 0; c < all->n; c++)
		emit_series("latency", all->list[c].name, 0, &series[c]);
	for (unsigned f = 0; f < FLOORS; f++)
		emit_series("floor", floors[f].name, 0, &floor_series[f]);
	tasks_drop(0, all->n + ROUNDS + WARM_UP);
}

/* What each binary costs before it does anything: VERSION. */
static void suite_start(void)
{
	static const char *const names[] = { "awsvpc",    "task-bridge", "task-host",
					     "task-none", "task-ipam",   "loopback" };
	static struct samples series[ARRAY_SIZE(names)], empty;
	char path[256];

	for (unsigned k = 0; k < ROUNDS; k++) {
		take(&empty, ask_version(empty_program), "empty", "run");
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
			snprintf(path, sizeof(path), "%s/%s", own_dir, names[i]);
			take(&series[i], ask_version(path), names[i], "VERSION");
		}
	}
	emit("start", "empty C process", "run", 0, &empty);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		emit("start", names[i], "VERSION", 0, &series[i]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} suites[] = {
		{ "latency", suite_latency }, { "start", suite_start },
		{ "memory", suite_memory },   { "parallel", suite_parallel },
		{ "scale", suite_scale },     { "gc", suite_gc },
		{ "packets", suite_packets }, { "churn", suite_churn },
	};

	if (argc < 6)
		bench_fail("usage: bench_cni CONTESTANTS EMPTY OWN_DIR PEER_DIR SUITE...");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		bench_fail("cannot become the parent of what plugins leave behind");
	empty_program = argv[2];
	own_dir = argv[3];
	all = contestants_load(argv[1], own_dir, argv[4]);
	for (int i = 5; i < argc; i++)
		for (unsigned s = 0; s < ARRAY_SIZE(suites); s++)
			if (strcmp(argv[i], suites[s].name) == 0)
				suites[s].run();
	return 0;
}
