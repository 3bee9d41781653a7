/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sort.h"

#include <stdlib.h>

void sort_unless_sorted(void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b))
{
	for (size_t i = 1; i < count; i++) {
		const char *item = (const char *)items + i * size;

		if (compare(item - size, item) > 0) {
			qsort(items, count, size, compare);
			return;
		}
	}
}
