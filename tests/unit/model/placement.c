/* SPDX-License-Identifier: GPL-2.0-or-later */
/* placement: over layouts of which one can see where the kernel would go, each way that it has of deciding. */
#include "layouts.h"

#include <string.h>

#include "model/placement.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define BASE UINT64_C(0x7ffff7fff000)

static const struct auxv usual_auxv = { .loader = 0x7ffff7fc6000, .program_headers = 0x400040, .vdso = 0x7ffff7fc4000 };

/* One hole of 64 KiB below the loader, one of 3 MiB below that, then all down to the heap. */
static const char usual[] =
	"400000-401000 r-xp 00000000 fe:00 7 /bin/x\n"
	"405000-426000 rw-p 00000000 00:00 0 [heap]\n"
	"7ffff7a00000-7ffff7c00000 r-xp 00000000 fe:00 9 /lib/libc.so\n"
	"7ffff7f00000-7ffff7fb0000 rw-p 00000000 00:00 0 \n"
	"7ffff7fc0000-7ffff7fc4000 r--p 00000000 00:00 0 [vvar]\n"
	"7ffff7fc4000-7ffff7fc6000 r-xp 00000000 00:00 0 [vdso]\n"
	"7ffff7fc6000-7ffff7ff0000 r-xp 00000000 fe:00 8 /lib/ld.so\n"
	"7ffff7ff0000-7ffff7fff000 rw-p 0002a000 fe:00 8 /lib/ld.so\n"
	"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";

static struct placement_facts known(void)
{
	return (struct placement_facts){
		.rules = { .known = true, .huge_size = 2 * MIB, .aligns_multiples = true, .keeps_to_top = true },
		.page_size = PAGE,
		.min_address = 65536,
		.complete = true,
		.has_auxv = true,
		.has_stacks = true,
		.has_limits = true,
		.limits = { LIMITS_UNLIMITED, LIMITS_UNLIMITED, 8 * MIB },
		.status = { .has_mm = true, .size_bytes = 10 * MIB, .data_bytes = MIB },
		.vma_limit = 65530,
		.overcommit = 1,
		.memory_bytes = 16 * GIB,
	};
}

static struct placement find_aligned(const char *maps, struct auxv auxv, struct placement_facts facts, uint64_t length, uint64_t align)
{
	static struct placement placement;	/* its strings point into it */
	struct layout layout = { .auxv = auxv };

	layout_of(&layout, maps, strlen(maps));
	placement_find(&layout, &facts, length, align, &placement);
	layout_free(&layout);
	return placement;
}

static struct placement find(const char *maps, struct auxv auxv, struct placement_facts facts, uint64_t length)
{
	return find_aligned(maps, auxv, facts, length, 0);
}

static bool says(const struct placement *placement, const char *words)
{
	return memmem(placement->why, placement->why_len, words, strlen(words)) != NULL;
}

static void expect_at(const struct placement *placement, uint64_t start, const char *words)
{
	assert_true(placement->record.has & VMAD_HAS(placement, start));
	assert_int_equal(placement->record.start, start);
	assert_true(placement->record.certain);
	assert_false(placement->record.has & (VMAD_HAS(placement, candidates) | VMAD_HAS(placement, error_name)));
	assert_true(says(placement, words));
}

static void expect_doubt(const struct placement *placement, const char *words)
{
	assert_false(placement->record.certain);
	assert_true(says(placement, words));
}

static void the_highest_hole(void **state)
{
	struct placement placement = find(usual, usual_auxv, known(), 1);

	(void)state;
	expect_at(&placement, 0x7ffff7fc0000 - PAGE, "top-down from mmap_base 7ffff7fff000");
	assert_int_equal(placement.record.length_bytes, PAGE);
	assert_int_equal(placement.record.mmap_base, BASE);
	placement = find(usual, usual_auxv, known(), 64 * 1024);
	expect_at(&placement, 0x7ffff7fb0000, "the highest hole that is large enough: 7ffff7fb0000-7ffff7fc0000");
	placement = find(usual, usual_auxv, known(), 64 * 1024 + 1);
	expect_at(&placement, 0x7ffff7f00000 - 68 * 1024, "7ffff7c00000-7ffff7f00000");
	placement = find(usual, usual_auxv, known(), 3 * MIB + PAGE);
	expect_at(&placement, 0x7ffff7a00000 - 3 * MIB - PAGE, "426000-7ffff7a00000");
}

static void huge_pages(void **state)
{
	struct placement_facts facts = known();
	struct placement placement = find(usual, usual_auxv, facts, 2 * MIB);

	(void)state;
	/* the hole of 3 MiB has no room for 2 MiB more: what lies below does, and fits exactly at its top */
	expect_at(&placement, 0x7ffff7a00000 - 2 * MIB, "aligned to 2 MiB because its length is a multiple of 2 MiB");
	facts.rules.keeps_to_top = false;
	placement = find(usual, usual_auxv, facts, 2 * MIB);
	expect_at(&placement, 0x7ffff7a00000 - 4 * MIB, "aligned");
	facts.rules.aligns_multiples = false;
	placement = find(usual, usual_auxv, facts, 2 * MIB);
	expect_at(&placement, 0x7ffff7f00000 - 2 * MIB, "7ffff7c00000-7ffff7f00000");
	facts = known();
	placement = find(usual, usual_auxv, facts, 4 * MIB + PAGE);
	expect_at(&placement, 0x7ffff7a00000 - 4 * MIB - PAGE, "top-down");
	facts.rules.aligns_larger = true;
	placement = find(usual, usual_auxv, facts, 4 * MIB + PAGE);
	expect_at(&placement, 0x7ffff7a00000 - 6 * MIB, "aligned to 2 MiB because its length is more than 2 MiB");
}

static void no_room_for_alignment(void **state)
{
	static const char full[] =
		"10000-7fffe0001000 rw-p 00000000 00:00 0 \n"
		"7fffe0201000-7ffff7fc6000 rw-p 00000000 00:00 0 \n"
		"7ffff7fc6000-7ffff7fff000 r-xp 00000000 fe:00 8 /lib/ld.so\n"
		"7ffff8fff000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
	struct placement placement = find(full, usual_auxv, known(), 2 * MIB);

	(void)state;
	/* 2 MiB more are found above mmap_base first: the kernel goes there, from the bottom up, before it gives the alignment up */
	expect_at(&placement, 0x7ffff8000000, "above it");
	placement = find(full, usual_auxv, known(), 14 * MIB);
	assert_true(says(&placement, "not aligned for huge pages"));
	assert_int_equal(placement.record.start, BASE);
}

static void the_stack_keeps_its_guard(void **state)
{
	static const char full[] =
		"10000-7ffff7fc6000 rw-p 00000000 00:00 0 \n"
		"7ffff7fc6000-7ffff7fff000 r-xp 00000000 fe:00 8 /lib/ld.so\n"
		"7ffff81ff000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
	struct placement placement = find(full, usual_auxv, known(), MIB);

	(void)state;
	expect_at(&placement, BASE, "no hole below mmap_base is large enough; the lowest one above it that is: 7ffff7fff000-7ffff80ff000");
	placement = find(full, usual_auxv, known(), MIB + PAGE);
	assert_true(placement.record.certain);
	assert_false(placement.record.has & VMAD_HAS(placement, start));
	assert_string_equal(placement.record.error_name, "ENOMEM");
	assert_true(says(&placement, "refused: no hole is large enough"));
}

static void bottom_up(void **state)
{
	static const struct auxv auxv = { .loader = 0x2aaaaaaab000, .program_headers = 0x400040, .vdso = 0x2aaaaaad4000 };
	static const char legacy[] =
		"400000-401000 r-xp 00000000 fe:00 7 /bin/x\n"
		"2aaaaaaab000-2aaaaaad0000 r-xp 00000000 fe:00 8 /lib/ld.so\n"
		"2aaaaaad4000-2aaaaaad6000 r-xp 00000000 00:00 0 [vdso]\n"
		"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
	struct placement placement = find(legacy, auxv, known(), PAGE);

	(void)state;
	expect_at(&placement, 0x2aaaaaad0000, "bottom-up from mmap_base 2aaaaaaab000");
	placement = find(legacy, auxv, known(), 4 * PAGE);
	expect_at(&placement, 0x2aaaaaad0000, "2aaaaaad0000-2aaaaaad4000");
	placement = find(legacy, auxv, known(), 5 * PAGE);
	expect_at(&placement, 0x2aaaaaad6000, "the lowest hole that is large enough");
	placement = find(legacy, auxv, known(), 2 * MIB);
	expect_at(&placement, 0x2aaaaac00000, "aligned to 2 MiB");
}

static void a_static_program(void **state)
{
	static const struct auxv auxv = { .program_headers = 0x400040, .vdso = 0x7ffff7ffb000 };
	static const char maps[] =
		"400000-401000 r-xp 00000000 fe:00 7 /bin/x\n"
		"7ffff7ff7000-7ffff7ffb000 r--p 00000000 00:00 0 [vvar]\n"
		"7ffff7ffb000-7ffff7ffd000 r-xp 00000000 00:00 0 [vdso]\n"
		"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
	static const char old[] =	/* the vDSO stood above the stack */
		"400000-401000 r-xp 00000000 fe:00 7 /bin/x\n"
		"7ffff7ff7000-7ffff7ffb000 rw-p 00000000 00:00 0 \n"
		"7fffeffde000-7fffeffff000 rw-p 00000000 00:00 0 [stack]\n"
		"7ffffffdb000-7ffffffdd000 r-xp 00000000 00:00 0 [vdso]\n";
	struct placement placement = find(maps, auxv, known(), PAGE);

	(void)state;
	expect_at(&placement, 0x7ffff7ff6000, "the end of the vDSO, which exec maps first");
	placement = find(old, (struct auxv){ .program_headers = 0x400040, .vdso = 0x7ffffffdb000 }, known(), PAGE);
	expect_doubt(&placement, "not certain: nothing tells where the kernel begins to search");
}

/* As linkers made it before 2018: the kernel fills the hole with what it maps next, and mmap_base is above it all the same. */
static void a_loader_with_a_hole(void **state)
{
	static const char maps[] =
		"400000-401000 r-xp 00000000 fe:00 7 /bin/x\n"
		"7ffff7dda000-7ffff7dfe000 r-xp 00000000 fe:00 8 /lib/ld.so\n"
		"7ffff7ff5000-7ffff7ff9000 r--p 00000000 00:00 0 [vvar]\n"
		"7ffff7ff9000-7ffff7ffb000 r-xp 00000000 00:00 0 [vdso]\n"
		"7ffff7ffd000-7ffff7fff000 rw-p 00023000 fe:00 8 /lib/ld.so\n"
		"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
	struct auxv auxv = { .loader = 0x7ffff7dda000, .program_headers = 0x400040, .vdso = 0x7ffff7ff9000 };
	struct placement placement = find(maps, auxv, known(), PAGE);

	(void)state;
	expect_at(&placement, 0x7ffff7ffc000, "top-down from mmap_base 7ffff7fff000");
}

/* A loader that is not there any more leaves nothing to tell mmap_base by: the vDSO lies an unknown way below it. */
static void no_loader_any_more(void **state)
{
	static const char maps[] =
		"400000-401000 r-xp 00000000 fe:00 7 /bin/x\n"
		"7ffff7fc4000-7ffff7fc6000 r-xp 00000000 00:00 0 [vdso]\n"
		"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
	struct placement placement = find(maps, usual_auxv, known(), PAGE);

	(void)state;
	expect_doubt(&placement, "nothing tells where the kernel begins to search");
}

/* A static program that may be loaded anywhere: a larger alignment of its own may have left a few pages above it. */
static void a_static_pie(void **state)
{
	static const struct auxv auxv = { .program_headers = 0x7ffff7fe0040, .vdso = 0x7ffff7fd8000 };
	static const char maps[] =
		"7ffff7fd8000-7ffff7fda000 r-xp 00000000 00:00 0 [vdso]\n"
		"7ffff7fe0000-7ffff7fff000 r-xp 00000000 fe:00 7 /bin/x\n"
		"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n";
	struct placement placement = find(maps, auxv, known(), 8 * PAGE);

	(void)state;
	expect_doubt(&placement, "not certain: where the search begins or ends is not known exactly");
	assert_str(placement.record.candidates, "0x7ffff7fd0000 0x7ffff7fff000");
	placement = find(maps, auxv, known(), 9 * PAGE);
	expect_at(&placement, 0x7ffff7fd8000 - 9 * PAGE, "the end of the program, which has no loader");
}

static void over_allocate_and_trim(void **state)
{
	struct placement placement = find_aligned(usual, usual_auxv, known(), 64 * 1024, MIB);

	(void)state;
	/* 64 KiB + 1 MiB - 4 KiB end at 7ffff7f00000 */
	expect_at(&placement, 0x7ffff7e00000, "mmap knows no alignment: 1110016 bytes (length + align - a page) are mapped at 7ffff7df1000");
	assert_int_equal(placement.record.align_bytes, MIB);
	placement = find_aligned(usual, usual_auxv, known(), 64 * 1024, PAGE);
	expect_at(&placement, 0x7ffff7fb0000, "top-down");
	assert_false(placement.record.has & VMAD_HAS(placement, align_bytes));
}

static void limits_refuse(void **state)
{
	struct placement_facts facts = known();
	struct placement placement;

	(void)state;
	facts.limits.address_space_bytes = 20 * MIB;
	placement = find(usual, usual_auxv, facts, 10 * MIB);
	expect_at(&placement, 0x7ffff7a00000 - 10 * MIB, "top-down");
	placement = find(usual, usual_auxv, facts, 10 * MIB + 1);
	assert_true(placement.record.certain && !(placement.record.has & VMAD_HAS(placement, start)));
	assert_true(says(&placement, "RLIMIT_AS is 20971520"));
	facts = known();
	facts.vma_limit = 8;
	placement = find(usual, usual_auxv, facts, PAGE);
	assert_true(placement.record.certain && !(placement.record.has & VMAD_HAS(placement, start)));
	assert_true(says(&placement, "it has 9 VMAs, and vm.max_map_count is 8"));
	facts.vma_limit = 9;
	placement = find(usual, usual_auxv, facts, PAGE);
	expect_doubt(&placement, "as many VMAs as vm.max_map_count allows");
}

static void too_long(void **state)
{
	static const uint64_t lengths[] = { 128 * TIB, UINT64_C(1) << 60, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct placement placement = find_aligned(usual, usual_auxv, known(), lengths[i], UINT64_C(1) << 63);

		assert_true(placement.record.certain && !(placement.record.has & VMAD_HAS(placement, start)));
		assert_true(says(&placement, "no hole is large enough"));
	}
}

/* Each thing that is not known is said, and the answer is not certain then. */
static void doubts(void **state)
{
	static const struct {
		struct placement_facts change;	/* members that are not 0 or false are taken away from what is known */
		const char *words;
	} rows[] = {
		{ { .complete = true }, "the process ended" },
		{ { .has_stacks = true }, "grow down" },
		{ { .has_limits = true }, "limits of the process cannot be read" },
		{ { .has_auxv = true }, "nothing tells where" },
		{ { .rules.known = true }, "how the kernel places mappings is not known" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct placement_facts facts = known();
		struct placement placement;

		facts.complete = !rows[i].change.complete;
		facts.has_stacks = !rows[i].change.has_stacks;
		facts.has_limits = !rows[i].change.has_limits;
		facts.has_auxv = !rows[i].change.has_auxv;
		facts.rules.known = !rows[i].change.rules.known;
		placement = find(usual, facts.has_auxv ? usual_auxv : (struct auxv){ 0 }, facts, PAGE);
		expect_doubt(&placement, rows[i].words);
		assert_true(placement.record.has & VMAD_HAS(placement, start));
		assert_true(placement.record.has & VMAD_HAS(placement, candidates));
	}
}

static void memory_that_is_not_there(void **state)
{
	struct placement_facts facts = known();
	struct placement placement;

	(void)state;
	facts.overcommit = 0;
	placement = find(usual, usual_auxv, facts, 16 * GIB);
	expect_at(&placement, 0x7ffff7a00000 - 16 * GIB, "top-down");
	placement = find(usual, usual_auxv, facts, 16 * GIB + PAGE);
	expect_doubt(&placement, "larger than the host's memory and swap");
	facts.overcommit = 2;
	placement = find(usual, usual_auxv, facts, PAGE);
	expect_doubt(&placement, "vm.overcommit_memory is 2");
	facts = known();
	facts.limits.data_bytes = 2 * MIB;
	placement = find(usual, usual_auxv, facts, 2 * MIB);
	expect_doubt(&placement, "RLIMIT_DATA");
	facts = known();
	facts.status.locked_bytes = 7 * MIB;
	placement = find(usual, usual_auxv, facts, 2 * MIB);
	expect_doubt(&placement, "RLIMIT_MEMLOCK");
}

static void a_32_bit_task(void **state)
{
	struct placement placement = find("8048000-8049000 r-xp 00000000 fe:00 7 /bin/x\n"
					  "ffc00000-ffd00000 rw-p 00000000 00:00 0 [stack]\n", (struct auxv){ 0 }, known(), PAGE);

	(void)state;
	expect_doubt(&placement, "a 32-bit task");
}

static void the_captured_process(void **state)
{
	struct vmad_str maps = fixture("linux-6.18/4242/maps");
	struct layout layout = { .auxv = { .loader = 0x7f58de836000, .program_headers = 0x5615495bd040, .vdso = 0x7f58de834000 } };
	struct placement_facts facts = known();
	struct placement placement;

	(void)state;
	layout_of(&layout, maps.p, maps.len);
	placement_find(&layout, &facts, PAGE, 0, &placement);
	expect_at(&placement, 0x7f58de5de000 - PAGE, "top-down from mmap_base 7f58de86b000");
	placement_find(&layout, &facts, GIB, 0, &placement);
	expect_at(&placement, 0x7f589e400000, "aligned to 2 MiB");
	layout_free(&layout);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("the highest hole below mmap_base that is large enough", the_highest_hole),
		CASE("alignment for huge pages, as each kernel has it", huge_pages),
		CASE("no room for the alignment", no_room_for_alignment),
		CASE("nothing below mmap_base: above it, up to the stack's guard", the_stack_keeps_its_guard),
		CASE("the old layout goes from the bottom up", bottom_up),
		CASE("a static program's vDSO is mapped first, where it is below the stack", a_static_program),
		CASE("a loader with a hole between code and data", a_loader_with_a_hole),
		CASE("a loader that was unmapped", no_loader_any_more),
		CASE("a static PIE leaves a few pages in doubt", a_static_pie),
		CASE("align: more is mapped, and trimmed", over_allocate_and_trim),
		CASE("RLIMIT_AS and vm.max_map_count refuse", limits_refuse),
		CASE("lengths that no address space has", too_long),
		CASE("what is not known is said", doubts),
		CASE("overcommit, RLIMIT_DATA and RLIMIT_MEMLOCK may refuse", memory_that_is_not_there),
		CASE("a 32-bit task is never certain", a_32_bit_task),
		CASE("a captured process", the_captured_process),
	};

	return cmocka_run_group_tests_name("placement", cases, NULL, NULL);
}
