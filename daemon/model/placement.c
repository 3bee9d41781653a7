/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/placement.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Numbers of arch/x86: include/asm/elf.h, processor.h, mm/mmap.c. */
#define RANDOM_MAX (UINT64_C(1) << 44)			/* vm.mmap_rnd_bits is at most 32, in pages */
#define BOTTOM_UP_LOW ((LAYOUT_TOP / 3 + 4095) & ~UINT64_C(4095))	/* TASK_UNMAPPED_BASE */
#define STACK_GAP_MIN (UINT64_C(128) << 20)		/* mmap_base stays so far below the top */

/* The first mapping of exec may lie so many pages below mmap_base where a static program wants a larger alignment: the vDSO would fill a larger hole. */
#define STATIC_SLACK_PAGES 8

/* Where the search begins. */
struct search {
	struct placement_range base;		/* mmap_base */
	struct placement_range bottom;		/* where a search from the bottom begins */
	struct placement_range floor;		/* the lowest address that may be used */
	bool bottom_up;
	const char *anchor;			/* what mmap_base was inferred from; NULL: nothing */
};

/* One of the cases that are possible. */
struct one_case {
	uint64_t base, bottom, floor;
	bool bottom_up, guard_carries;
};

static void say(struct placement *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A further line of why; one that does not fit is left out. */
static void say(struct placement *to, const char *format, ...)
{
	size_t at = to->why_len ? to->why_len + 1 : 0, room = sizeof(to->why) - at;
	va_list ap;
	int len;

	if (at >= sizeof(to->why))
		return;
	va_start(ap, format);
	len = vsnprintf(to->why + at, room, format, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= room)
		return;
	if (at)
		to->why[at - 1] = '\n';
	to->why_len = at + (size_t)len;
}

#define DOUBT(to, ...) ((to)->record.certain = false, say(to, "not certain: " __VA_ARGS__))

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Where an area's guard begins. */
static uint64_t guard_start(const struct layout_area *area)
{
	uint64_t guard = layout_guard_bytes(area->guard);

	return area->start > guard ? area->start - guard : 0;
}

/*
 * The end of the highest hole within [low, high) that has room, or 0. An area's guard counts where the hole below the area is looked at, which is when the hole as
 * such has room; the search then goes on below the guard, since 6.1 (carries) also where the guard reaches over the next areas and holes.
 */
static uint64_t highest_hole(const struct layout *layout, uint64_t low, uint64_t high, uint64_t length, bool carries)
{
	uint64_t limit = high;

	for (size_t i = layout->count + 1; i-- > 0 && limit > low;) {
		const struct layout_area *above = i < layout->count ? &layout->areas[i] : NULL;
		uint64_t top = above ? lower(limit, above->start) : limit, bottom = i ? higher(layout->areas[i - 1].end, low) : low;

		if (top <= bottom || top - bottom < length)
			continue;
		if (!above || guard_start(above) >= top)
			return top;
		top = guard_start(above);
		if (top > bottom && top - bottom >= length)
			return top;
		if (carries)
			limit = top;
	}
	return 0;
}

/* The start of the lowest hole within [low, high) that has room, or 0. */
static uint64_t lowest_hole(const struct layout *layout, uint64_t low, uint64_t high, uint64_t length)
{
	uint64_t bottom = low;

	for (size_t i = 0; i < layout->count; i++) {
		uint64_t top = lower(guard_start(&layout->areas[i]), high);

		if (top > bottom && top - bottom >= length)
			return bottom;
		bottom = higher(bottom, layout->areas[i].end);
	}
	return high > bottom && high - bottom >= length ? bottom : 0;
}

/* vm_unmapped_area(), without any alignment; 0: there is no room. From the top down, then, if that fails, from the bottom up. */
static uint64_t unmapped_area(const struct layout *layout, const struct one_case *one, uint64_t length)
{
	uint64_t end = one->bottom_up ? 0 : highest_hole(layout, one->floor, one->base, length, one->guard_carries);

	return end ? end - length : lowest_hole(layout, higher(one->bottom, one->floor), LAYOUT_TOP, length);
}

static bool wants_huge(const struct mmap_rules *rules, uint64_t length)
{
	if (length < rules->huge_size)
		return false;
	return length % rules->huge_size == 0 ? rules->aligns_multiples : rules->aligns_larger;
}

/* __get_unmapped_area(): for huge pages a longer hole is looked for, and the mapping put at a multiple in it; if there is none, as for all others. */
static uint64_t place(const struct layout *layout, const struct one_case *one, const struct mmap_rules *rules, uint64_t length)
{
	uint64_t huge = rules->huge_size, at = 0, offset;

	if (wants_huge(rules, length))
		at = unmapped_area(layout, one, length + huge);
	if (!at)
		return unmapped_area(layout, one, length);
	offset = -at & (huge - 1);
	return !offset && !one->bottom_up && rules->keeps_to_top ? at + huge : at + offset;
}

/* The group that exec mapped highest: nothing lay between it and mmap_base. */
static void infer_base(const struct layout *layout, const struct placement_facts *facts, struct search *search)
{
	uint64_t slack = STATIC_SLACK_PAGES * facts->page_size, vdso = layout->vdso.end < layout->stack_start ? layout->vdso.end : 0;

	if (layout->loader.end && layout->loader.end >= vdso) {
		search->anchor = "the end of the dynamic loader, which exec maps first";
		search->base = (struct placement_range){ layout->loader.end, layout->loader.end };
	} else if (layout->auxv.loader == 0 && vdso && layout->program.end > vdso && layout->program.end < layout->stack_start) {
		search->anchor = "the end of the program, which has no loader and is mapped first";
		search->base = (struct placement_range){ layout->program.end, layout->program.end + slack };
	} else if (layout->auxv.loader == 0 && vdso) {
		search->anchor = "the end of the vDSO, which exec maps first";
		search->base = (struct placement_range){ vdso, vdso };
	}
}

/* Nothing tells mmap_base: it lies above what is mapped below the stack, and not near the top. */
static struct placement_range possible_base(const struct layout *layout)
{
	uint64_t high = LAYOUT_TOP - STACK_GAP_MIN, low = 0;

	for (size_t i = 0; i < layout->count; i++) {
		if (!layout->stack_start || layout->areas[i].end <= layout->stack_start)
			low = layout->areas[i].end;
	}
	return (struct placement_range){ lower(low, high), high };
}

/*
 * With the old layout (personality ADDR_COMPAT_LAYOUT, vm.legacy_va_layout) exec's first mapping begins where all searches do, a third up the space; from the top
 * down nothing comes to lie there unless the stack may grow to tens of TiB.
 */
static bool is_bottom_up(const struct layout *layout)
{
	uint64_t first = layout->loader.end ? layout->loader.start : layout->vdso.start;

	return first >= BOTTOM_UP_LOW && first <= BOTTOM_UP_LOW + RANDOM_MAX;
}

static struct search prepare(const struct layout *layout, const struct placement_facts *facts)
{
	struct search search = {
		.bottom = { BOTTOM_UP_LOW, BOTTOM_UP_LOW + RANDOM_MAX },
		/* Before 6.3 the search went below vm.mmap_min_addr, and what was found there was refused. */
		.floor = { facts->page_size, higher(facts->page_size, facts->min_address) },
	};

	if (facts->has_auxv)
		infer_base(layout, facts, &search);
	if (facts->has_auxv && is_bottom_up(layout)) {
		search.bottom_up = true;
		search.anchor = layout->loader.end ? "the start of the dynamic loader, which exec maps first" : NULL;
		if (search.anchor)
			search.bottom = (struct placement_range){ layout->loader.start, layout->loader.start };
	}
	if (!search.anchor)
		search.base = possible_base(layout);
	return search;
}

static void add_candidate(struct placement *to, uint64_t start)
{
	for (size_t i = 0; i < to->candidate_count; i++) {
		if (to->candidates[i] == start)
			return;
	}
	to->candidates[to->candidate_count++] = start;
}

#define CASES 8

/* All ends of all ranges; the first one is the most likely. A case without room counts as address 0. */
static void try_cases(const struct layout *layout, const struct placement_facts *facts, const struct search *search, uint64_t length,
		      struct placement *to)
{
	_Static_assert(CASES <= PLACEMENT_CANDIDATES_MAX, "each case may be a candidate");
	bool guards_matter = false;

	for (int i = 0; i < CASES; i++) {
		struct one_case one = {
			.base = i & 1 ? search->base.high : search->base.low,
			.bottom = i & 2 ? search->bottom.high : search->bottom.low,
			.floor = i & 4 ? search->floor.low : search->floor.high,
			.bottom_up = search->bottom_up,
			.guard_carries = true,
		};
		uint64_t at = place(layout, &one, &facts->rules, length);

		add_candidate(to, at);
		one.guard_carries = false;
		guards_matter |= place(layout, &one, &facts->rules, length) != at;
	}
	if (guards_matter)
		DOUBT(to, "kernels differ in what the guard gap of a stack means for holes that lie below another area");
}

static void put_candidates(struct placement *to)
{
	size_t at = 0;

	for (size_t i = 0; i < to->candidate_count; i++) {
		if (to->candidates[i])
			at += (size_t)snprintf(to->candidates_text + at, sizeof(to->candidates_text) - at, "%s0x%" PRIx64, at ? " " : "",
					       to->candidates[i]);
	}
	if (!at)
		return;
	to->record.has |= VMAD_HAS(placement, candidates);
	to->record.candidates = (struct vmad_str){ to->candidates_text, at };
}

static void say_direction(const struct search *search, struct placement *to)
{
	uint64_t from = search->bottom_up ? search->bottom.low : search->base.low;

	if (!search->anchor) {
		DOUBT(to, "nothing tells where the kernel begins to search; it may be above all that is mapped below the stack");
		return;
	}
	say(to, "%s from mmap_base %" PRIx64 " (%s)", search->bottom_up ? "bottom-up" : "top-down", from, search->anchor);
	to->record.has |= VMAD_HAS(placement, mmap_base);
	to->record.mmap_base = from;
}

/* The hole that holds an address, up to the guard of what is above it. */
static void say_hole(const struct layout *layout, const struct search *search, uint64_t start, uint64_t length, struct placement *to)
{
	uint64_t bottom = search->floor.high, top = LAYOUT_TOP;
	bool above = !search->bottom_up && start + length > search->base.high;

	for (size_t i = 0; i < layout->count; i++) {
		if (layout->areas[i].end > start) {
			top = guard_start(&layout->areas[i]);
			break;
		}
		bottom = higher(bottom, layout->areas[i].end);
	}
	if (!above && !search->bottom_up && start < search->base.low)
		top = lower(top, search->base.low);
	say(to, "%s: %" PRIx64 "-%" PRIx64, above ? "no hole below mmap_base is large enough; the lowest one above it that is" :
	    search->bottom_up ? "the lowest hole that is large enough" : "the highest hole that is large enough", bottom, top);
}

static void say_alignment(const struct mmap_rules *rules, uint64_t length, uint64_t start, struct placement *to)
{
	bool multiple = length % rules->huge_size == 0;

	if (!wants_huge(rules, length))
		return;
	if (start % rules->huge_size)
		say(to, "not aligned for huge pages: no hole has %" PRIu64 " MiB more than the length", rules->huge_size >> 20);
	else
		say(to, "aligned to %" PRIu64 " MiB because its length is %s %" PRIu64 " MiB", rules->huge_size >> 20,
		    multiple ? "a multiple of" : "more than", rules->huge_size >> 20);
}

static void refuse(struct placement *to)
{
	to->record.has |= VMAD_HAS(placement, error_name);
	to->record.error_name = "ENOMEM";
}

/* Limits that refuse any mapping, wherever it would go; the order is do_mmap()'s. */
static bool is_refused(const struct layout *layout, const struct placement_facts *facts, uint64_t length, struct placement *to)
{
	const struct limits *limits = &facts->limits;

	if (facts->vma_limit && layout->vma_count > facts->vma_limit) {
		refuse(to);
		say(to, "refused: it has %" PRIu64 " VMAs, and vm.max_map_count is %" PRIu64, layout->vma_count, facts->vma_limit);
		return true;
	}
	if (facts->has_limits && facts->status.has_mm && limits->address_space_bytes != LIMITS_UNLIMITED &&
	    (facts->status.size_bytes + length) / facts->page_size > limits->address_space_bytes / facts->page_size) {
		refuse(to);
		say(to, "refused: with it the process would have %" PRIu64 " bytes mapped, and RLIMIT_AS is %" PRIu64,
		    facts->status.size_bytes + length, limits->address_space_bytes);
		return true;
	}
	return false;
}

/* Limits that depend on more than is known here. */
static void doubt_limits(const struct layout *layout, const struct placement_facts *facts, uint64_t length, struct placement *to)
{
	const struct limits *limits = &facts->limits;
	const struct status_facts *status = &facts->status;

	if (!facts->has_limits || !status->has_mm)
		DOUBT(to, "the limits of the process cannot be read");
	else if (limits->data_bytes != LIMITS_UNLIMITED && status->data_bytes + length > limits->data_bytes)
		DOUBT(to, "RLIMIT_DATA refuses it if it is writable");
	else if (status->locked_bytes && status->locked_bytes + length > limits->locked_bytes)
		DOUBT(to, "RLIMIT_MEMLOCK refuses it if mlockall(MCL_FUTURE) is on");
	if (facts->vma_limit && layout->vma_count == facts->vma_limit)
		DOUBT(to, "it has as many VMAs as vm.max_map_count allows");
	if (facts->overcommit == 2)
		DOUBT(to, "vm.overcommit_memory is 2: it is refused where the host's commit limit is reached");
	else if (facts->overcommit == 0 && length > facts->memory_bytes)
		DOUBT(to, "it is larger than the host's memory and swap: refused unless MAP_NORESERVE or PROT_NONE");
}

static void doubt_knowledge(const struct layout *layout, const struct placement_facts *facts, struct placement *to)
{
	if (!facts->complete)
		DOUBT(to, "the process ended while its VMAs were read");
	if (!facts->rules.known)
		DOUBT(to, "how the kernel places mappings is not known here (another architecture, a captured tree, or a kernel with ways of its own)");
	if (layout_is_32bit(layout))
		DOUBT(to, "all of it is below 4 GiB: a 32-bit task, which has another mmap_base");
	if (!facts->has_stacks)
		DOUBT(to, "an area may grow down without being known for it, and keeps a guard gap then");
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* From the address of the mapping to the first multiple in it. */
static uint64_t trimmed(uint64_t start, uint64_t align)
{
	return align ? round_up(start, align) : start;
}

static void conclude(const struct layout *layout, const struct placement_facts *facts, const struct search *search, uint64_t mapped,
		     struct placement *to)
{
	uint64_t start = to->candidates[0], align = to->record.has & VMAD_HAS(placement, align_bytes) ? to->record.align_bytes : 0;

	say_direction(search, to);
	if (!start) {
		refuse(to);
		say(to, "refused: no hole is large enough");
	} else {
		to->record.has |= VMAD_HAS(placement, start);
		to->record.start = trimmed(start, align);
		say_hole(layout, search, start, mapped, to);
		say_alignment(&facts->rules, mapped, start, to);
	}
	if (start && align) {
		say(to, "mmap knows no alignment: %" PRIu64 " bytes (length + align - a page) are mapped at %" PRIx64
		    ", and all but the length from the first multiple on is unmapped", mapped, start);
		for (size_t i = 0; i < to->candidate_count; i++)
			to->candidates[i] = to->candidates[i] ? trimmed(to->candidates[i], align) : 0;
	}
	if (to->candidate_count > 1 && search->anchor)
		DOUBT(to, "where the search begins or ends is not known exactly, and that matters for this length");
}

void placement_find(const struct layout *layout, const struct placement_facts *facts, uint64_t length, uint64_t align,
		    struct placement *ret)
{
	struct search search = prepare(layout, facts);
	uint64_t mapped;

	*ret = (struct placement){ .record.certain = true };
	/* What is longer than the space is not there to be found; the cut keeps sums within 64 bits. */
	length = round_up(lower(length, LAYOUT_TOP_WIDE), facts->page_size);
	align = align > facts->page_size ? lower(align, UINT64_C(1) << 56) : 0;
	mapped = align ? length + align - facts->page_size : length;
	ret->record.length_bytes = length;
	if (align) {
		ret->record.has |= VMAD_HAS(placement, align_bytes);
		ret->record.align_bytes = align;
	}
	if (!is_refused(layout, facts, mapped, ret)) {
		try_cases(layout, facts, &search, mapped, ret);
		conclude(layout, facts, &search, mapped, ret);
		doubt_knowledge(layout, facts, ret);
		if (ret->record.has & VMAD_HAS(placement, start))
			doubt_limits(layout, facts, mapped, ret);
		if (!ret->record.certain)
			put_candidates(ret);
	}
	ret->record.why = (struct vmad_str){ ret->why, ret->why_len };
}
