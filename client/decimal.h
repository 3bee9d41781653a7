/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decimal: a whole number in digits, and nothing else: strtoull() would take blanks, signs, and what does not fit. */
#ifndef CLIENT_DECIMAL_H
#define CLIENT_DECIMAL_H

#include <stdint.h>

/* 0, -EINVAL for what is none, or -ERANGE for one that is more than most. */
int decimal_parse(const char *text, uint64_t most, uint64_t *ret);

#endif
