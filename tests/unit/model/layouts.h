/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layouts: an address space written as maps would print it. */
#ifndef TESTS_LAYOUTS_H
#define TESTS_LAYOUTS_H

#include "unit.h"

#include "model/layout.h"

/* Adds each line; what is called [stack] grows down. */
static inline void layout_of(struct layout *layout, const char *maps, size_t len)
{
	struct vmad_str text = { maps, len }, line;

	while (next_line(&text, &line)) {
		struct maps_entry entry;
		struct vmad_vma vma;

		assert_int_equal(maps_parse_line(line.p, line.len, &entry), 0);
		vma = vma_record(&entry);
		assert_int_equal(layout_add(layout, &vma, vma.kind == kind_name(KIND_STACK) ? LAYOUT_STACK : LAYOUT_OPEN), 0);
	}
}

#endif
