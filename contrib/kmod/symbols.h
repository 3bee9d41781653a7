/* SPDX-License-Identifier: GPL-2.0 */
/*
 * symbols: the names that a reply tells, each once. A pointer is told only as the name of what begins exactly there:
 * nobody learns an address from a name. Nothing here sleeps but symbols_new().
 */
#ifndef VMADK_SYMBOLS_H
#define VMADK_SYMBOLS_H

#include <linux/types.h>

#include "array.h"

struct symbols;

/* For an array that was checked. NULL without memory. */
struct symbols *symbols_new(const struct vmadk_array *array);
void symbols_free(struct symbols *symbols);

/* A reference as the protocol has it: 0 for NULL, VMADK_UNRESOLVED, or its place + 1. */
u32 symbols_of(struct symbols *symbols, const void *address);

/* The same for a word of the module's own, a string literal. */
u32 symbols_word(struct symbols *symbols, const char *word);

/* Was there a name that found no room? Never where none was wanted (room 0). */
bool symbols_overflown(const struct symbols *symbols);

/* Writes all of them. 0 or -EFAULT. */
int symbols_write(const struct symbols *symbols, struct vmadk_array *array);

#endif
