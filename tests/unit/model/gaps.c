/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps: what is unmapped, and what of it nobody gets. */
#include "layouts.h"

#include <string.h>

#include "model/gaps.h"

#define MIN_ADDRESS 0x10000

struct expected {
	uint64_t start, end;
	const char *reason;
};

static void expect_gap(const struct vmad_gap *gap, const struct expected *expected)
{
	assert_int_equal(gap->start, expected->start);
	assert_int_equal(gap->end, expected->end);
	assert_int_equal(gap->size_bytes, expected->end - expected->start);
	assert_int_equal(!!(gap->has & VMAD_HAS(gap, reason)), expected->reason != NULL);
	if (expected->reason)
		assert_string_equal(gap->reason, expected->reason);
}

static void expect(const char *maps, uint64_t after, const struct expected *expected, size_t count)
{
	struct layout layout = { 0 };
	struct vmad_gap gap;
	struct gaps gaps;

	layout_of(&layout, maps, strlen(maps));
	gaps_init(&gaps, &layout, MIN_ADDRESS, after);
	for (size_t i = 0; i < count; i++) {
		assert_true(gaps_next(&gaps, &gap));
		expect_gap(&gap, &expected[i]);
	}
	assert_false(gaps_next(&gaps, &gap));
	layout_free(&layout);
}

#define EXPECT(maps, after, ...) \
	expect(maps, after, (struct expected[]){ __VA_ARGS__ }, sizeof((struct expected[]){ __VA_ARGS__ }) / sizeof(struct expected))

static const char small[] =
	"400000-401000 r-xp 00000000 fe:00 7 /bin/x\n"
	"401000-402000 rw-p 00001000 fe:00 7 /bin/x\n"
	"7ffff7fc0000-7ffff7fff000 r-xp 00000000 fe:00 8 /lib/ld.so\n"
	"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";

static void all(void **state)
{
	(void)state;
	EXPECT(small, 0, { 0, 0x10000, "below vm.mmap_min_addr" }, { 0x10000, 0x400000, NULL }, { 0x402000, 0x7ffff7fc0000, NULL },
	       { 0x7ffff7fff000, 0x7fffffede000, NULL }, { 0x7fffffede000, 0x7ffffffde000, "stack guard gap" });
}

static void from_a_cursor(void **state)
{
	(void)state;
	EXPECT(small, 0x400000, { 0x402000, 0x7ffff7fc0000, NULL }, { 0x7ffff7fff000, 0x7fffffede000, NULL },
	       { 0x7fffffede000, 0x7ffffffde000, "stack guard gap" });
	EXPECT(small, 0x7fffffede000, { 0x7fffffede000, 0x7ffffffde000, "stack guard gap" });
}

static void a_hole_smaller_than_its_guard(void **state)
{
	(void)state;
	EXPECT("7fffffee0000-7ffffff00000 rw-p 00000000 00:00 0 \n"
	       "7ffffff10000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n", 0x7fffffee0000,
	       { 0x7ffffff00000, 0x7ffffff10000, "stack guard gap" });
}

static void what_is_left_below_the_top(void **state)
{
	(void)state;
	EXPECT("10000-7ff000000000 rw-p 00000000 00:00 0 \n", 0x10000, { 0x7ff000000000, 0x7ffffffff000, NULL });
}

static void beyond_47_bits(void **state)
{
	(void)state;
	EXPECT("10000-7ff000000000 rw-p 00000000 00:00 0 \n"
	       "ff000000000000-ff000000001000 rw-p 00000000 00:00 0 \n", 0x10000, { 0x7ff000000000, 0x7ffffffff000, NULL },
	       { 0x7ffffffff000, 0xff000000000000, "above 47 bits: mapped only by a hint" },
	       { 0xff000000001000, 0xfffffffffff000, "above 47 bits: mapped only by a hint" });
}

static void a_32_bit_task(void **state)
{
	(void)state;
	EXPECT("8048000-8049000 r-xp 00000000 fe:00 7 /bin/x\n"
	       "ffc00000-ffd00000 rw-p 00000000 00:00 0 [stack]\n", 0x8048000, { 0x8049000, 0xffb00000, NULL },
	       { 0xffb00000, 0xffc00000, "stack guard gap" }, { 0xffd00000, 0xffffe000, NULL });
}

static void guards_by_their_flags(void **state)
{
	struct vmad_vma vma = { .start = 0x700000000000, .end = 0x700000010000, .size_bytes = 0x10000 };
	struct layout layout = { 0 };
	struct vmad_gap gap;
	struct gaps gaps;

	(void)state;
	assert_int_equal(layout_add(&layout, &vma, LAYOUT_SHADOW_STACK), 0);
	gaps_init(&gaps, &layout, 0, 0);
	assert_true(gaps_next(&gaps, &gap));
	expect_gap(&gap, &(struct expected){ 0, 0x6ffffffff000, NULL });
	assert_true(gaps_next(&gaps, &gap));
	expect_gap(&gap, &(struct expected){ 0x6ffffffff000, 0x700000000000, "shadow stack guard gap" });
	layout_free(&layout);
}

static void the_largest(void **state)
{
	struct layout layout = { 0 };
	struct vmad_gap largest;
	uint64_t count;

	(void)state;
	layout_of(&layout, small, strlen(small));
	assert_true(gaps_sum(&layout, MIN_ADDRESS, &count, &largest));
	assert_int_equal(count, 5);
	expect_gap(&largest, &(struct expected){ 0x402000, 0x7ffff7fc0000, NULL });
	layout_free(&layout);
}

static void no_address_space(void **state)
{
	struct layout layout = { 0 };
	struct vmad_gap gap;
	uint64_t count;

	(void)state;
	assert_false(gaps_sum(&layout, MIN_ADDRESS, &count, &gap));
	assert_int_equal(count, 0);
}

/* Gaps and VMAs together are the whole space, without overlap. */
static void a_captured_process(void **state)
{
	struct vmad_str maps = fixture("linux-6.18/4242/maps");
	struct layout layout = { 0 };
	struct vmad_gap gap;
	struct gaps gaps;
	uint64_t sum = 0;

	(void)state;
	layout_of(&layout, maps.p, maps.len);
	assert_int_equal(layout.vma_count, 36);
	for (size_t i = 0; i < layout.count; i++)
		sum += layout.areas[i].end - layout.areas[i].start;
	gaps_init(&gaps, &layout, MIN_ADDRESS, 0);
	while (gaps_next(&gaps, &gap))
		sum += gap.size_bytes;
	assert_int_equal(sum, LAYOUT_TOP);
	layout_free(&layout);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("every hole, the guard below the stack and what is below vm.mmap_min_addr apart", all),
		CASE("a cursor goes on behind what was given", from_a_cursor),
		CASE("a hole that is all guard", a_hole_smaller_than_its_guard),
		CASE("the hole below the top", what_is_left_below_the_top),
		CASE("a mapping beyond 47 bits", beyond_47_bits),
		CASE("a 32-bit task ends below 4 GiB", a_32_bit_task),
		CASE("a shadow stack keeps a page free", guards_by_their_flags),
		CASE("how many there are, and the largest", the_largest),
		CASE("a thread of the kernel has no gaps", no_address_space),
		CASE("a captured process: areas and gaps are the whole space", a_captured_process),
	};

	return cmocka_run_group_tests_name("gaps", cases, NULL, NULL);
}
