/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sort: qsort(3) for what is in order most of the time, which is then neither copied nor moved. */
#ifndef MODEL_SORT_H
#define MODEL_SORT_H

#include <stddef.h>

void sort_unless_sorted(void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b));

#endif
