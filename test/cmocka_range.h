/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmocka 2.0 deprecates assert_in_range(), and cmocka 1.1 has no other: the Makefile includes this
 * before each test program of cmocka, which means the new macro where there is one.
 */
#ifndef TEST_CMOCKA_RANGE_H
#define TEST_CMOCKA_RANGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef assert_uint_in_range
#undef assert_in_range
#define assert_in_range(value, min, max) assert_uint_in_range(value, min, max)
#endif

#endif
