/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test of the client needs; cmocka.h wants these headers in front of it. */
#ifndef TEST_CLIENT_TEST_H
#define TEST_CLIENT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#endif
