/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON with numbers up to 64 bits: jansson's integers end at 63, and the gap above the last VMA is larger than that.
 */
#ifndef CLIENT_NUMBER_H
#define CLIENT_NUMBER_H

#include <jansson.h>
#include <stdint.h>

/*
 * As json_loadb(). Where a number does not fit, all of this text's numbers come as reals: what is beyond 2^53 is then
 * rounded, which only sizes near 2^64 are.
 */
json_t *number_load(const char *p, size_t len, json_error_t *ret_error);

/* A member that is a whole number of 0 or more; 0 where it is absent or something else. */
uint64_t number_member(const json_t *object, const char *name);

/* The same of a value. */
uint64_t number_value(const json_t *value);

#endif
