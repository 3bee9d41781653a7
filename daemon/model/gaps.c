/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/gaps.h"

void gaps_init(struct gaps *gaps, const struct layout *layout, uint64_t min_address, uint64_t after)
{
	*gaps = (struct gaps){ .layout = layout, .min_address = min_address, .at = after };
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static const char *guard_reason(enum layout_guard guard)
{
	return guard == LAYOUT_SHADOW_STACK ? "shadow stack guard gap" : "stack guard gap";
}

/* The area above `at`, or NULL; `at` moves out of areas that it lies in. */
static const struct layout_area *area_above(struct gaps *gaps)
{
	const struct layout *layout = gaps->layout;

	while (gaps->area < layout->count && layout->areas[gaps->area].start <= gaps->at) {
		if (gaps->at < layout->areas[gaps->area].end)
			gaps->at = layout->areas[gaps->area].end;
		gaps->area++;
	}
	return gaps->area < layout->count ? &layout->areas[gaps->area] : NULL;
}

/* Where the piece of the hole that begins at `at` ends, and what it is. */
static uint64_t piece_end(const struct gaps *gaps, const struct layout_area *above, uint64_t hole_end, const char **ret_reason)
{
	uint64_t at = gaps->at, guard = above ? layout_guard_bytes(above->guard) : 0;
	uint64_t guard_start = hole_end > guard ? hole_end - guard : 0;

	*ret_reason = NULL;
	if (at < gaps->min_address) {
		*ret_reason = "below vm.mmap_min_addr";
		return lower(gaps->min_address, hole_end);
	}
	if (at >= guard_start) {
		*ret_reason = guard_reason(above->guard);
		return hole_end;
	}
	if (at >= LAYOUT_TOP)
		*ret_reason = "above 47 bits: mapped only by a hint";
	return at < LAYOUT_TOP ? lower(guard_start, LAYOUT_TOP) : guard_start;
}

bool gaps_next(struct gaps *gaps, struct vmad_gap *ret_gap)
{
	const struct layout_area *above = area_above(gaps);
	uint64_t start = gaps->at, hole_end = above ? above->start : layout_top(gaps->layout), end;
	const char *reason;

	/* no VMA at all: a thread of the kernel, which has no address space to have gaps in */
	if (!gaps->layout->count || start >= hole_end)
		return false;
	end = piece_end(gaps, above, hole_end, &reason);
	gaps->at = end;
	*ret_gap = (struct vmad_gap){
		.has = reason ? VMAD_HAS(gap, reason) : 0,
		.start = start,
		.end = end,
		.size_bytes = end - start,
		.reason = reason,
	};
	return true;
}

bool gaps_sum(const struct layout *layout, uint64_t min_address, uint64_t *ret_count, struct vmad_gap *ret_largest)
{
	struct vmad_gap gap, largest = { 0 };
	struct gaps gaps;

	*ret_count = 0;
	gaps_init(&gaps, layout, min_address, 0);
	while (gaps_next(&gaps, &gap)) {
		(*ret_count)++;
		if (!gap.has && gap.size_bytes > largest.size_bytes)
			largest = gap;
	}
	*ret_largest = largest;
	return largest.size_bytes != 0;
}
