/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps_parse_line(): each line that the kernel is known to print, and some that it does not. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source/maps.h"

#define DEVICE(major, minor) ((uint64_t)(major) << 32 | (minor))

/* A line, and what must come of it. */
struct row {
	const char *line;
	uint64_t start, end, offset_bytes, device, inode;
	const char *perms, *name;
};

static void expect(const struct row *row, size_t len)
{
	struct vmad_str line = guarded(row->line, len);
	struct maps_entry entry;

	assert_int_equal(maps_parse_line(line.p, line.len, &entry), 0);
	assert_int_equal(entry.start, row->start);
	assert_int_equal(entry.end, row->end);
	assert_int_equal(entry.offset_bytes, row->offset_bytes);
	assert_int_equal(entry.device, row->device);
	assert_int_equal(entry.inode, row->inode);
	assert_memory_equal(entry.perms, row->perms, 4);
	assert_int_equal(entry.name.len, strlen(row->name));
	assert_memory_equal(entry.name.p, row->name, entry.name.len);
}

/* With its newline, and without. */
static void expect_both_ways(const struct row *row)
{
	expect(row, strlen(row->line));
	expect(row, strlen(row->line) - 1);
}

static void a_file(void **state)
{
	(void)state;
	expect_both_ways(&(struct row){
		"55d0c0a1f000-55d0c0a20000 r--p 0001f000 fe:00 247134                     /usr/sbin/nginx\n",
		0x55d0c0a1f000, 0x55d0c0a20000, 0x1f000, DEVICE(0xfe, 0), 247134, "r--p", "/usr/sbin/nginx" });
}

static void no_name(void **state)
{
	(void)state;
	expect_both_ways(&(struct row){
		"7f0000016000-7f0000017000 ---p 00000000 00:00 0 \n",
		0x7f0000016000, 0x7f0000017000, 0, 0, 0, "---p", "" });
}

static void no_name_and_no_blank(void **state)
{
	(void)state;
	expect_both_ways(&(struct row){
		"08048000-08049000 rwxs 00000000 00:00 0\n", 0x8048000, 0x8049000, 0, 0, 0, "rwxs", "" });
}

static void vsyscall(void **state)
{
	(void)state;
	expect_both_ways(&(struct row){
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n",
		0xffffffffff600000, 0xffffffffff601000, 0, 0, 0, "--xp", "[vsyscall]" });
}

static void three_digit_device(void **state)
{
	(void)state;
	expect_both_ways(&(struct row){
		"00400000-00401000 r-xp 00000000 103:10f 4503599627370497                 /mnt/a\n",
		0x400000, 0x401000, 0, DEVICE(0x103, 0x10f), 4503599627370497, "r-xp", "/mnt/a" });
}

static void largest_numbers(void **state)
{
	(void)state;
	expect_both_ways(&(struct row){
		"0-ffffffffffffffff rw-s fffffffffffff000 fff:fffff 18446744073709551615 /x\n",
		0, UINT64_MAX, 0xfffffffffffff000, DEVICE(0xfff, 0xfffff), UINT64_MAX, "rw-s", "/x" });
}

static void name_is_as_printed(void **state)
{
	static const char *const names[] = {
		"/tmp/new\\012line", "/tmp/x (deleted) (deleted)", "/tmp/two  blanks and a back\\slash ",
		"/tmp/not utf-8 \xff\xfe\xc3(", "/tmp/\x1b[31mred\x07", "/SYSV0052e2c1 (deleted)", "/memfd:a name (deleted)",
		"/dev/zero (deleted)", "[anon:glibc: malloc]", "anon_inode:[perf_event]", "//deleted", "(unreachable)/x",
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "1000-2000 r--p 00000000 fe:00 10 %*s%s\n", 24, "", names[i]);
		expect_both_ways(&(struct row){ line, 0x1000, 0x2000, 0, DEVICE(0xfe, 0), 10, "r--p", names[i] });
	}
}

static void path_of_4095_newlines(void **state)
{
	static char line[20000], *name = line + 29;

	(void)state;
	strcpy(line, "1000-2000 r--p 00000000 1:2 3 /");
	for (int i = 0; i < 4095; i++)
		strcat(line + 31 + 4 * i, "\\012");
	strcat(line, "\n");
	name = strchr(line, '/');
	struct maps_entry entry;

	assert_int_equal(maps_parse_line(line, strlen(line), &entry), 0);
	assert_ptr_equal(entry.name.p, name);
	assert_int_equal(entry.name.len, 1 + 4 * 4095);
}

/* Each differs from a good line in one thing. */
static void not_a_line(void **state)
{
	static const char *const lines[] = {
		"", "\n", " ", "Rss:                   4 kB\n", "VmFlags: rd mr\n",
		"1000-2000", "1000 2000 r--p 00000000 fe:00 10 /x", "1000-2000  r--p 00000000 fe:00 10 /x",
		"-2000 r--p 00000000 fe:00 10 /x", "1000- r--p 00000000 fe:00 10 /x", "2000-1000 r--p 00000000 fe:00 10 /x",
		"11112222333344445-11112222333344446 r--p 00000000 fe:00 10 /x",
		"1000-2000 r--q 00000000 fe:00 10 /x", "1000-2000 r-p 00000000 fe:00 10 /x", "1000-2000 xwrp 00000000 fe:00 10 /x",
		"1000-2000 r--p 0000000g fe:00 10 /x", "1000-2000 r--p 00000000 fe00 10 /x", "1000-2000 r--p 00000000 fe: 10 /x",
		"1000-2000 r--p 00000000 :00 10 /x", "1000-2000 r--p 00000000 123456789:00 10 /x",
		"1000-2000 r--p 00000000 fe:00 /x", "1000-2000 r--p 00000000 fe:00 18446744073709551616 /x",
		"1000-2000 r--p 00000000 fe:00 10/x", "1000-2000 r--p 00000000 fe:00 -1 /x", "ABC000-ABD000 r--p 00000000 fe:00 10 /x",
	};
	struct maps_entry untouched, entry;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	entry = untouched;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct vmad_str line = guarded(lines[i], strlen(lines[i]));

		if (maps_parse_line(line.p, line.len, &entry) != -EINVAL)
			fail_msg("taken for a line of maps: %s", lines[i]);
		assert_memory_equal(&entry, &untouched, sizeof(entry));
	}
}

/* A good line, cut anywhere before its inode, is none; and nothing beyond the cut is looked at. */
static void cut_anywhere(void **state)
{
	static const char whole[] = "55d0c0a1f000-55d0c0a20000 r--p 0001f000 fe:00 2";
	struct maps_entry entry;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_int_equal(maps_parse_line(guarded(whole, len).p, len, &entry), -EINVAL);
	assert_int_equal(maps_parse_line(guarded(whole, sizeof(whole) - 1).p, sizeof(whole) - 1, &entry), 0);
}

static size_t parse_all(const char *path)
{
	struct vmad_str text = fixture(path), line;
	struct maps_entry entry;
	uint64_t before = 0;
	size_t count = 0;

	for (; next_line(&text, &line); count++) {
		if (maps_parse_line(line.p, line.len, &entry) < 0)
			fail_msg("%s: %.*s", path, (int)line.len, line.p);
		assert_true(entry.start >= before);
		before = entry.end;
	}
	return count;
}

static void every_tree(void **state)
{
	(void)state;
	assert_int_equal(parse_all("linux-6.18/4242/maps"), 37);
	assert_int_equal(parse_all("linux-3.8/700/maps"), 6);
	assert_int_equal(parse_all("linux-2.6/600/maps"), 5);
	assert_int_equal(parse_all("odd/101/maps"), 7);
	assert_int_equal(parse_all("odd/102/maps"), 15);
	assert_int_equal(parse_all("odd/109/maps"), 2);
	assert_int_equal(parse_all("odd/2/maps"), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a line with a file", a_file),
		CASE("a line without a name", no_name),
		CASE("a line without a name, without the blank behind the inode", no_name_and_no_blank),
		CASE("vsyscall lies in the upper half: addresses are unsigned", vsyscall),
		CASE("device numbers of three digits", three_digit_device),
		CASE("the largest numbers", largest_numbers),
		CASE("a name is taken as it is printed", name_is_as_printed),
		CASE("a path of 4096 bytes, nearly all newlines", path_of_4095_newlines),
		CASE("what is no line is refused, and nothing is filled", not_a_line),
		CASE("a line that is cut short is refused, without looking beyond", cut_anywhere),
		CASE("every line of the captured trees", every_tree),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
