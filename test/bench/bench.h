/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the benchmarks share: time, samples, namespaces, and a runtime that calls plugins. A series
 * of samples leaves the driver as one line of JSON; report.jq makes the tables and charts of them.
 */
#ifndef BENCH_H
#define BENCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "json/json.h"

#define SAMPLES_MAX 20000

double bench_now_us(void); /* CLOCK_MONOTONIC */

/* bench_fail: say why on stderr and exit 1: a benchmark that cannot go on has nothing to tell. */
void bench_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- samples ---- */
struct samples {
	unsigned n;
	double us[SAMPLES_MAX];
	double cpu_us; /* the sum */
};
void samples_add(struct samples *s, double us,
		 double cpu_us); /* no more than SAMPLES_MAX are kept */
double samples_percentile(struct samples *s, double percent); /* sorts; 0 if there is none */

/*
 * emit: a line of JSON on stdout:
 * {"suite":…,"of":…,"what":…,"at":…,"n":…,"p50":…,"p99":…,"min":…,"cpu":…} in microseconds; "cpu"
 * is the mean, 0 where there is no process. @at: what the suite varies (tasks present, callers,
 * leases).
 */
void emit(const char *suite, const char *of, const char *what, long at, struct samples *s);
/* emit_value: as emit, for a single figure of @unit. */
void emit_value(const char *suite, const char *of, const char *what, long at, const char *unit,
		double value);

/* ---- namespaces of tasks ---- */
#define BENCH_NETNS "/run/netns"

void tasks_make(unsigned first, unsigned n); /* BENCH_NETNS/b<i>, lo down, as runtimes leave them */
void tasks_drop(unsigned first, unsigned n);

/* ---- a runtime ---- */
struct contestant {
	const char *name;
	const char *peer;  /* name of the one it is compared with; NULL: none */
	const char *floor; /* name of its kernel floor; NULL: none */
	bool ours;
	const json *chain; /* its plugins, from contestants.json */
	unsigned ports;    /* published for each task */
};

#define CONTESTANTS 24

struct contestants {
	unsigned n;
	struct contestant list[CONTESTANTS];
};

/* contestants_load: those whose plugins are all there; the others are named on stderr. */
const struct contestants *contestants_load(const char *file, const char *own_dir,
					   const char *peer_dir);
const struct contestant *contestant_get(const struct contestants *all, const char *name);

struct run {
	double us;     /* exec to exit and end of output; of a chain: of all its plugins */
	double cpu_us; /* of it on a processor: what a busy machine does not change */
	bool failed;
};

/*
 * runtime_call: @verb of the chain for task @i. ADD keeps its result for CHECK and DEL, as libcni
 * does. Config, environment and pipes are prepared before the clock starts.
 */
struct run runtime_call(const struct contestant *c, const char *verb, unsigned i);

/* runtime_addresses: the first IPv4 address and gateway in the result of task's last ADD. */
void runtime_addresses(unsigned task, struct in_addr *ret_own, struct in_addr *ret_gateway);

/* runtime_peak_kb: peak resident memory of the first plugin of the chain in this verb. */
long runtime_peak_kb(const struct contestant *c, const char *verb, unsigned task);

/*
 * bench_spawn: run @argv and wait for it.
 * @input: for its stdin; NULL: none. @ret_output: what it wrote, the caller frees it; NULL: not
 * wanted.
 */
struct run bench_spawn(char *const argv[], char *const envp[], const char *input,
		       char **ret_output);

/* bench_peak_kb: peak resident memory of a program, read at its end (VmHWM). */
long bench_peak_kb(char *const argv[], char *const envp[], const char *input);

#endif
