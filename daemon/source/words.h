/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words: procfs files that are arrays of 64-bit words: pagemap, and the files of page frames. They want whole words at
 * whole offsets.
 */
#ifndef SOURCE_WORDS_H
#define SOURCE_WORDS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads `count` words from the one with this index on. Returns how many there were (fewer, or 0, at the end), or a
 * negative errno.
 */
long words_read(int fd, uint64_t index, uint64_t *words, size_t count);

#endif
