/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "page_bar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "size.h"

static const char *const names[PAGE_STATES + 1] = {
#define PAGESTATE(id, name, help) [PAGE_##id] = name,
#include "vmad/pagestates.def"
#undef PAGESTATE
	[PAGE_STATES] = "other",
};

/* Marks of the states, and of a cell that is mostly none. */
#define SOME (PAGE_STATES + 1)
static const struct { const char *utf8, *ascii; } marks[] = {
	[PAGE_PRESENT] = { "\u2588", "#" },
	[PAGE_SWAPPED] = { "\u2592", "s" },
	[PAGE_GUARD] = { "\u2573", "x" },
	[PAGE_MARKER] = { "?", "?" },
	[PAGE_NONE] = { "\u00b7", "." },
	[PAGE_STATES] = { "!", "!" },
	[SOME] = { "\u2591", ":" },
};

enum page_state page_state_of(const char *name)
{
	enum page_state state = 0;

	while (state < PAGE_STATES && (!name || strcmp(name, names[state]) != 0))
		state++;
	return state;
}

int page_bar_add(struct page_bar *bar, enum page_state state, uint64_t bytes)
{
	bar->sum[state] += bytes;
	if (bar->count && bar->stretch[bar->count - 1].state == state) {
		bar->stretch[bar->count - 1].bytes += bytes;
		return 0;
	}
	if (bar->count == bar->room) {
		size_t room = 2 * bar->room + 64;
		struct stretch *longer = realloc(bar->stretch, room * sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		bar->stretch = longer;
		bar->room = room;
	}
	bar->stretch[bar->count++] = (struct stretch){ state, bytes };
	return 0;
}

void page_bar_free(struct page_bar *bar)
{
	free(bar->stretch);
	*bar = (struct page_bar){ 0 };
}

int page_bar_sums(const struct page_bar *bar, bool exact, struct text *out)
{
	const char *separator = "";
	int r = 0;

	for (size_t state = 0; state <= PAGE_STATES; state++) {
		char size[SIZE_HUMAN_MAX];

		if (!bar->sum[state])
			continue;
		if (exact)
			snprintf(size, sizeof(size), "%" PRIu64, bar->sum[state]);
		else
			size_human(bar->sum[state], size);
		r |= text_printf(out, "%s%s %s", separator, names[state], size);
		separator = ", ";
	}
	return r;
}

/* What one cell stands for: the bytes of each state in it. */
static size_t mark_of(const uint64_t in[static PAGE_STATES + 1])
{
	size_t most = PAGE_NONE;
	bool some = false;

	for (size_t state = 0; state <= PAGE_STATES; state++) {
		some |= state != PAGE_NONE && in[state];
		if (in[state] > in[most])
			most = state;
	}
	return most == PAGE_NONE && some ? SOME : most;
}

/* Takes the bytes of the next cell off the stretches. */
static size_t take_cell(const struct page_bar *bar, size_t *at, uint64_t *used, uint64_t bytes)
{
	uint64_t in[PAGE_STATES + 1] = { 0 };

	while (bytes && *at < bar->count) {
		uint64_t left = bar->stretch[*at].bytes - *used, part = left < bytes ? left : bytes;

		in[bar->stretch[*at].state] += part;
		bytes -= part;
		*used += part;
		if (*used == bar->stretch[*at].bytes) {
			++*at;
			*used = 0;
		}
	}
	return mark_of(in);
}

static int draw_legend(const bool seen[static SOME + 1], bool utf8, struct text *out)
{
	int r = 0;

	for (size_t mark = 0; mark <= SOME; mark++)
		if (seen[mark])
			r |= text_printf(out, "%s %s  ", utf8 ? marks[mark].utf8 : marks[mark].ascii, mark == SOME ? "something" : names[mark]);
	return r | text_append(out, "\n", 1);
}

int page_bar_draw(const struct page_bar *bar, size_t width, bool utf8, struct text *out)
{
	uint64_t total = 0, used = 0, drawn = 0;
	bool seen[SOME + 1] = { false };
	size_t at = 0;
	int r = 0;

	for (size_t state = 0; state <= PAGE_STATES; state++)
		total += bar->sum[state];
	for (size_t cell = 0; cell < width && total; cell++) {
		/* the division is exact enough for 2^64 bytes, and the last cell ends at the end */
		uint64_t end = cell + 1 == width ? total : (uint64_t)((long double)total * (long double)(cell + 1) / (long double)width);
		size_t mark;

		if (end == drawn)
			continue;
		mark = take_cell(bar, &at, &used, end - drawn);
		drawn = end;
		seen[mark] = true;
		r |= text_printf(out, "%s", utf8 ? marks[mark].utf8 : marks[mark].ascii);
	}
	return r | text_append(out, "\n", 1) | draw_legend(seen, utf8, out);
}
