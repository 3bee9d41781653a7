/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes as people write and read them. */
#ifndef CLIENT_SIZE_H
#define CLIENT_SIZE_H

#include <stddef.h>
#include <stdint.h>

/* Decimal, with K, M, G or T (powers of 1024; "k", "KiB" too), or hex with 0x: 0, -EINVAL, or -ERANGE. */
int size_parse(const char *text, uint64_t *ret_bytes);

/* As util-linux writes them: 512B, 4K, 1.6M, 128T. */
#define SIZE_HUMAN_MAX 32
void size_human(uint64_t bytes, char out[SIZE_HUMAN_MAX]);

#endif
