/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, samples, and a line of JSON for each series. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double bench_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

void bench_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void samples_add(struct samples *s, double us, double cpu_us)
{
	if (s->n == SAMPLES_MAX)
		return;
	s->us[s->n++] = us;
	s->cpu_us += cpu_us;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_percentile(struct samples *s, double percent)
{
	unsigned at = (unsigned)((double)s->n * percent / 100.0);

	if (!s->n)
		return 0;
	qsort(s->us, s->n, sizeof(s->us[0]), ascending);
	return s->us[at < s->n ? at : s->n - 1];
}

void emit(const char *suite, const char *of, const char *what, long at, struct samples *s)
{
	double p50 = samples_percentile(s, 50), p99 = samples_percentile(s, 99);

	printf("{\"suite\":\"%s\",\"of\":\"%s\",\"what\":\"%s\",\"at\":%ld,\"unit\":\"us\",\"n\":%"
	       "u,"
	       "\"p50\":%.1f,\"p99\":%.1f,\"min\":%.1f,\"cpu\":%.1f}\n",
	       suite, of, what, at, s->n, p50, p99, s->n ? s->us[0] : 0,
	       s->n ? s->cpu_us / s->n : 0);
	fflush(stdout);
}

void emit_value(const char *suite, const char *of, const char *what, long at, const char *unit,
		double value)
{
	printf("{\"suite\":\"%s\",\"of\":\"%s\",\"what\":\"%s\",\"at\":%ld,\"unit\":\"%s\","
	       "\"value\":%.2f}\n",
	       suite, of, what, at, unit, value);
	fflush(stdout);
}
