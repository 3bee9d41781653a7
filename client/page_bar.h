/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bar of vmactl pages: the memory of a range, without its gaps, as a line as wide as the terminal, and what it
 * comes to in each state.
 */
#ifndef CLIENT_PAGE_BAR_H
#define CLIENT_PAGE_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum page_state {
#define PAGESTATE(id, name, help) PAGE_##id,
#include "vmad/pagestates.def"
#undef PAGESTATE
	PAGE_STATES	/* of a vmad that knows more */
};

struct page_bar {
	struct stretch {
		enum page_state state;
		uint64_t bytes;
	} *stretch;
	size_t count, room;
	uint64_t sum[PAGE_STATES + 1];
};

enum page_state page_state_of(const char *name);

/* 0, or -ENOMEM. */
int page_bar_add(struct page_bar *bar, enum page_state state, uint64_t bytes);
void page_bar_free(struct page_bar *bar);

/* "present 345M, guard 12K, none 1T": states that there are. 0, or -ENOMEM. */
int page_bar_sums(const struct page_bar *bar, bool exact, struct text *out);

/*
 * The bar, `width` cells wide, and a line that says what its marks mean. A cell has the mark of the state that most of
 * it is in; where that is none, but not all of it is, the mark of something. utf8: with block elements. 0, or -ENOMEM.
 */
int page_bar_draw(const struct page_bar *bar, size_t width, bool utf8, struct text *out);

#endif
