/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vma_record(): a line of maps as a record; vma_matches(): each filter, and its edges. */
#include "unit.h"

#include <string.h>

#include "model/vma.h"

static struct vmad_vma record_of(const char *line)
{
	struct vmad_str copy = guarded(line, strlen(line));
	struct maps_entry entry;

	assert_int_equal(maps_parse_line(copy.p, copy.len, &entry), 0);
	return vma_record(&entry);
}

static void facts(void **state)
{
	struct vmad_vma vma = record_of("7f10a2c28000-7f10a2dbd000 r-xp 00028000 103:102 4503599627370497 /lib/libc.so.6\n");

	(void)state;
	assert_int_equal(vma.start, 0x7f10a2c28000);
	assert_int_equal(vma.end, 0x7f10a2dbd000);
	assert_int_equal(vma.size_bytes, 0x195000);
	assert_memory_equal(vma.perms, "r-xp", 4);
	assert_int_equal(vma.offset_bytes, 0x28000);
	assert_int_equal(vma.device, UINT64_C(0x103) << 32 | 0x102);
	assert_int_equal(vma.inode, 4503599627370497);
	assert_int_equal(vma.has, VMAD_HAS(vma, path));
	assert_str(vma.path, "/lib/libc.so.6");
	assert_false(vma.deleted);
	assert_string_equal(vma.kind, "private-file");
}

static void deleted(void **state)
{
	static const struct {
		const char *shown, *path;
		bool deleted;
	} rows[] = {
		{ "/tmp/x", "/tmp/x", false },
		{ "/tmp/x (deleted)", "/tmp/x", true },
		{ "/tmp/x (deleted) (deleted)", "/tmp/x (deleted)", true },
		{ "/tmp/x (deleted) ", "/tmp/x (deleted) ", false },
		{ "/tmp/x(deleted)", "/tmp/x(deleted)", false },
		{ "/ (deleted)", "/", true },
		{ "/memfd: (deleted)", "/memfd:", true },
		{ "/dev/zero (deleted)", "/dev/zero", true },
		{ "/SYSV00000000 (deleted)", "/SYSV00000000", true },
		{ "/two  blanks\\ (deleted)", "/two  blanks\\", true },
		{ "/new\\012line", "/new\\012line", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmad_vma vma;
		char line[128];

		snprintf(line, sizeof(line), "1000-2000 r--p 00000000 fe:00 7    %s\n", rows[i].shown);
		vma = record_of(line);
		assert_int_equal(vma.has, VMAD_HAS(vma, path));
		assert_int_equal(vma.path.len, strlen(rows[i].path));
		assert_memory_equal(vma.path.p, rows[i].path, vma.path.len);
		assert_int_equal(vma.deleted, rows[i].deleted);
	}
}

static void names(void **state)
{
	struct vmad_vma vma = record_of("1000-2000 rw-p 00000000 00:00 0 [heap]");

	(void)state;
	assert_int_equal(vma.has, VMAD_HAS(vma, name));
	assert_str(vma.name, "[heap]");
	vma = record_of("1000-2000 rw-p 00000000 00:00 0 [anon:x (deleted)]");
	assert_str(vma.name, "[anon:x (deleted)]");
	assert_false(vma.deleted);
	vma = record_of("1000-2000 rw-s 00000000 00:0e 7 anon_inode:[x] (deleted)");
	assert_str(vma.name, "anon_inode:[x] (deleted)");
	assert_false(vma.deleted);
	assert_int_equal(record_of("1000-2000 rw-p 00000000 00:00 0 ").has, 0);
}

static void nothing_asked(void **state)
{
	const struct vma_filter all = { 0 };
	struct vmad_vma low = record_of("0-1000 rw-p 0 00:00 0"), high = record_of("fffffffffffff000-ffffffffffffffff --xp 0 00:00 0");

	(void)state;
	assert_true(vma_matches(&all, &low));
	assert_true(vma_matches(&all, &high));
	assert_false(vma_is_beyond(&all, UINT64_MAX));
}

static void ranges(void **state)
{
	static const struct {
		uint64_t start, end;
		bool matches;
	} rows[] = {
		{ 0x2000, 0x4000, true }, { 0x2000, 0x3000, true }, { 0x2fff, 0x3000, true }, { 0x3000, 0x4000, false },
		{ 0x1000, 0x2000, false }, { 0x1000, 0x2001, true }, { 0x2001, 0x2002, true }, { 0, 0, true }, { 0x2fff, 0, true },
		{ 0x3000, 0, false }, { 0, 0x2000, false }, { 0, 0x2001, true }, { UINT64_MAX, 0, false }, { 0, UINT64_MAX, true },
	};
	struct vmad_vma vma = record_of("2000-3000 rw-p 0 00:00 0");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vma_filter filter = { .start = rows[i].start, .end = rows[i].end };

		assert_int_equal(vma_matches(&filter, &vma), rows[i].matches);
	}
	assert_false(vma_is_beyond(&(struct vma_filter){ .end = 0x2000 }, 0x1fff));
	assert_true(vma_is_beyond(&(struct vma_filter){ .end = 0x2000 }, 0x2000));
}

static void kinds(void **state)
{
	struct vmad_vma heap = record_of("2000-3000 rw-p 0 00:00 0 [heap]");

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct vma_filter one = { .kinds = UINT32_C(1) << kind }, others = { .kinds = ~(UINT32_C(1) << kind) };

		assert_int_equal(vma_matches(&one, &heap), kind == KIND_HEAP);
		assert_int_equal(vma_matches(&others, &heap), kind != KIND_HEAP);
	}
}

static void perms(void **state)
{
	static const char all[][4] = { "r-.", "w-.", "x-.", "ps." };
	struct vmad_vma vma = record_of("2000-3000 r-xs 0 00:00 0");

	(void)state;
	for (int i = 0; i < 81; i++) {
		char wanted[5] = { all[0][i % 3], all[1][i / 3 % 3], all[2][i / 9 % 3], all[3][i / 27] };
		struct vma_filter filter = { 0 };
		bool expected = wanted[0] != '-' && wanted[1] != 'w' && wanted[2] != '-' && wanted[3] != 'p';

		memcpy(filter.perms, wanted, 4);
		assert_int_equal(vma_matches(&filter, &vma), expected);
	}
}

static void deleted_or_not(void **state)
{
	const struct vma_filter yes = { .deleted = VMA_DELETED_YES }, no = { .deleted = VMA_DELETED_NO };
	struct vmad_vma gone = record_of("2000-3000 r--p 0 fe:00 1 /x (deleted)"), there = record_of("2000-3000 r--p 0 fe:00 1 /x");
	struct vmad_vma anon = record_of("2000-3000 r--p 0 00:00 0");

	(void)state;
	assert_true(vma_matches(&yes, &gone) && !vma_matches(&yes, &there) && !vma_matches(&yes, &anon));
	assert_true(!vma_matches(&no, &gone) && vma_matches(&no, &there) && vma_matches(&no, &anon));
}

static void sizes(void **state)
{
	struct vmad_vma vma = record_of("2000-5000 r--p 0 fe:00 1 /x");

	(void)state;
	assert_true(vma_matches(&(struct vma_filter){ .min_size_bytes = 0x3000 }, &vma));
	assert_false(vma_matches(&(struct vma_filter){ .min_size_bytes = 0x3001 }, &vma));
	assert_false(vma_matches(&(struct vma_filter){ .min_size_bytes = UINT64_MAX }, &vma));
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *shown;
		bool matches;
	} rows[] = {
		{ "/lib/*", "/lib/x86/libc.so.6", true }, { "*libc*", "/lib/libc.so.6", true }, { "/lib", "/lib/libc.so.6", false },
		{ "/x", "/x (deleted)", true }, { "/x (deleted)", "/x (deleted)", false }, { "/x (deleted)", "/x (deleted) (deleted)", true },
		{ "[[]heap]", "[heap]", true }, { "[heap]", "[heap]", false }, { "*", "", false }, { "?*", "[heap]", true },
		{ "/a\\*", "/a*", true }, { "/a\\*", "/ab", false }, { "/*", "/\xff\xfe", true }, { "/\xff*", "/\xff\xfe", true },
		{ "*\\\\012*", "/new\\012line", true }, { "[!/]*", "anon_inode:[x]", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vma_filter filter = { .path = rows[i].pattern };
		struct vmad_vma vma;
		char line[128];

		snprintf(line, sizeof(line), "1000-2000 r--p 00000000 fe:00 7 %s", rows[i].shown);
		vma = record_of(line);
		if (vma_matches(&filter, &vma) != rows[i].matches)
			fail_msg("%s and %s", rows[i].pattern, rows[i].shown);
	}
}

/* A pattern that makes a naive matcher try every way to split the text. */
static void pattern_bomb(void **state)
{
	char text[4096], pattern[256];
	double began = now_ms();

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i + 3 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	strcpy(pattern + sizeof(pattern) - 4, "*b");
	assert_false(glob_matches(pattern, (struct vmad_str){ text, sizeof(text) }));
	assert_true(now_ms() - began < 5000);
}

/* A part of a file: [start, end) of it against the VMA's own part. */
static void parts_of_files(void **state)
{
	static const struct {
		const char *line;
		uint64_t device, inode, start, end;
		bool matches;
	} rows[] = {
		{ "5000-8000 r--p 00002000 fe:00 7 /x", UINT64_C(0xfe) << 32, 7, 0, UINT64_MAX, true },
		{ "5000-8000 r--p 00002000 fe:00 7 /x", UINT64_C(0xfe) << 32, 8, 0, UINT64_MAX, false },
		{ "5000-8000 r--p 00002000 fe:00 7 /x", UINT64_C(0xfe) << 32 | 1, 7, 0, UINT64_MAX, false },
		{ "5000-8000 r--p 00002000 fe:00 7 /x", UINT64_C(0xfe) << 32, 7, 0, 0x2000, false },
		{ "5000-8000 r--p 00002000 fe:00 7 /x", UINT64_C(0xfe) << 32, 7, 0, 0x2001, true },
		{ "5000-8000 r--p 00002000 fe:00 7 /x", UINT64_C(0xfe) << 32, 7, 0x4fff, 0x5000, true },
		{ "5000-8000 r--p 00002000 fe:00 7 /x", UINT64_C(0xfe) << 32, 7, 0x5000, 0x6000, false },
		{ "5000-8000 rw-s 00000000 00:01 0 /SYSV00000000 (deleted)", 1, 0, 0, UINT64_MAX, true },
		{ "5000-8000 rw-p 00000000 00:00 0", 0, 0, 0, UINT64_MAX, false },
		{ "5000-8000 rw-p fffffffffffff000 fe:00 7 /x", UINT64_C(0xfe) << 32, 7, UINT64_MAX - 1, UINT64_MAX, true },
		{ "5000-8000 rw-p fffffffffffff000 fe:00 7 /x", UINT64_C(0xfe) << 32, 7, 0, 0x1000, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vma_filter filter = { .of_file = true, .file = { rows[i].device, rows[i].inode, rows[i].start, rows[i].end } };
		struct vmad_vma vma = record_of(rows[i].line);

		if (vma_matches(&filter, &vma) != rows[i].matches)
			fail_msg("row %zu: %s", i, rows[i].line);
	}
}

/* All that is asked must hold. */
static void together(void **state)
{
	struct vma_filter filter = { .start = 0x2000, .end = 0x3000, .kinds = 1 << KIND_PRIVATE_FILE, .perms = "r..", .path = "/x",
				     .deleted = VMA_DELETED_YES, .min_size_bytes = 4096 };
	struct vmad_vma vma = record_of("2000-3000 r--p 0 fe:00 1 /x (deleted)");

	(void)state;
	assert_true(vma_matches(&filter, &vma));
	filter.min_size_bytes++;
	assert_false(vma_matches(&filter, &vma));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a line's facts", facts),
		CASE("(deleted) once, twice, and not quite", deleted),
		CASE("names that are no paths, and none at all", names),
		CASE("a filter that asks nothing lets all through", nothing_asked),
		CASE("start and end", ranges),
		CASE("kinds", kinds),
		CASE("perms: all 81 patterns", perms),
		CASE("deleted or not", deleted_or_not),
		CASE("sizes", sizes),
		CASE("patterns of paths and names", patterns),
		CASE("a pattern cannot take for ever", pattern_bomb),
		CASE("parts of files", parts_of_files),
		CASE("all that is asked must hold", together),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
