/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kind_of(): every row of kinds.def, and lines that look like another kind. */
#include "unit.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "model/kind.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *line, *kind;
} rows[] = {
	{ "1000-2000 rw-p 0 00:00 0", "private-anon" },
	{ "1000-2000 rw-p 0 00:00 0 ", "private-anon" },
	{ "1000-2000 rw-p 0 00:00 0 [anon:glibc: malloc]", "private-anon" },
	{ "1000-2000 rw-p 0 00:00 0 [anon:]", "private-anon" },
	{ "1000-2000 rw-s 0 00:01 7 /dev/zero (deleted)", "shared-anon" },
	{ "1000-2000 rw-s 0 00:01 7 [anon_shmem:ring]", "shared-anon" },
	{ "1000-2000 r-xp 0 fe:00 9 /bin/cat", "private-file" },
	{ "1000-2000 r-xp 0 fe:00 9 /bin/cat (deleted)", "private-file" },
	{ "1000-2000 rw-s 0 fe:00 9 /var/db", "shared-file" },
	{ "1000-2000 rw-s 0 00:18 9 /dev/shm/sem.x", "shared-file" },
	{ "1000-2000 rw-p 0 00:18 9 /dev/shm/x (deleted)", "private-file" },
	{ "1000-2000 rw-s 0 00:18 9 /dev/mqueue/q", "shared-file" },
	{ "1000-2000 rw-s 0 00:01 9 /memfd:x (deleted)", "memfd" },
	{ "1000-2000 rw-p 0 00:01 9 /memfd: (deleted)", "memfd" },
	{ "1000-2000 rw-s 0 00:01 9 /memfd:x (deleted) (deleted)", "memfd" },
	{ "1000-2000 rw-s 0 00:01 9 /SYSV00000000 (deleted)", "sysv" },
	{ "1000-2000 rw-p 0 00:00 0 [heap]", "heap" },
	{ "1000-2000 rw-p 0 00:00 0 [stack]", "stack" },
	{ "1000-2000 rw-p 0 00:00 0 [stack:4711]", "stack" },
	{ "1000-2000 r-xp 0 00:00 0 [vdso]", "vdso" },
	{ "1000-2000 r--p 0 00:00 0 [vvar]", "vvar" },
	{ "1000-2000 r--p 0 00:00 0 [vvar_vclock]", "vvar" },
	{ "ffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]", "vsyscall" },
	{ "1000-2000 rw-p 0 00:0f 9 /anon_hugepage (deleted)", "hugetlb" },
	{ "1000-2000 rw-s 0 00:22 9 /dev/hugepages/x", "hugetlb" },
	{ "1000-2000 rw-s fee00000 00:05 87 /dev/mem", "device" },
	{ "1000-2000 rw-p 0 00:05 5 /dev/zero", "device" },
	{ "1000-2000 rw-s 0 00:05 5 /dev/dri/card0", "device" },
	{ "1000-2000 rw-s 0 00:0e 7 anon_inode:[perf_event]", "special" },
	{ "1000-2000 rw-s 0 00:0e 7 anon_inode:[io_uring]", "special" },
	{ "1000-2000 rw-s 0 00:07 7 socket:[12345]", "special" },
	{ "1000-2000 r-xp 0 00:00 0 [uprobes]", "special" },
	{ "1000-2000 rw-s 0 00:10 7 /[aio] (deleted)", "special" },
	{ "1000-2000 rw-s 0 00:0e 7 /secretmem (deleted)", "special" },
	{ "1000-2000 rw-s 0 00:0c 7 /dmabuf:", "special" },
	{ "1000-2000 rw-s 0 00:00 0", "special" },

	/* What the kernel names always has a mark; these are files of such names. */
	{ "1000-2000 r--p 0 fe:00 9 /memfd:x", "private-file" },
	{ "1000-2000 rw-s 0 fe:00 9 /SYSV00000000", "shared-file" },
	{ "1000-2000 r--p 0 fe:00 9 /anon_hugepage", "private-file" },
	{ "1000-2000 r--p 0 fe:00 9 /secretmem", "private-file" },
	{ "1000-2000 r--p 0 fe:00 9 /[aio]", "private-file" },
	{ "1000-2000 r--p 0 fe:00 9 /tmp/memfd:x (deleted)", "private-file" },
	{ "1000-2000 r--p 0 fe:00 9 /tmp/[heap]", "private-file" },
	{ "1000-2000 rw-s 0 fe:00 9 /devil/x", "shared-file" },
	{ "1000-2000 r--p 0 fe:00 9 /", "private-file" },
	{ "1000-2000 r--p 0 fe:00 9 / (deleted)", "private-file" },
	{ "1000-2000 rw-p 0 00:00 0 [heap", "special" },
	{ "1000-2000 rw-p 0 00:00 0 [", "special" },
	{ "1000-2000 rw-p 0 00:00 0  (deleted)", "special" },
};

static const char *kind_of_line(const char *line)
{
	struct maps_entry entry;
	struct vmad_str copy = guarded(line, strlen(line));

	if (maps_parse_line(copy.p, copy.len, &entry) < 0)
		fail_msg("no line of maps: %s", line);
	return kind_name(kind_of(&entry));
}

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(kind_of_line(rows[i].line), rows[i].kind) != 0)
			fail_msg("%s: %s, expected %s", rows[i].line, kind_of_line(rows[i].line), rows[i].kind);
}

/* A row that comes into kinds.def needs a line above. */
static void every_row(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		bool seen = false;

		for (size_t i = 0; i < COUNT(rows); i++)
			seen = seen || !strcmp(rows[i].kind, kind_name((enum kind)kind));
		if (!seen)
			fail_msg("no line shows a %s", kind_name((enum kind)kind));
	}
}

/* Whatever a prefix is cut to, it is no crash and reads nothing beyond it. */
static void every_prefix(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t len = strlen(rows[i].line); len > 0; len--) {
			struct vmad_str cut = guarded(rows[i].line, len);
			struct maps_entry entry;

			if (maps_parse_line(cut.p, cut.len, &entry) == 0)
				assert_in_range(kind_of(&entry), 0, KINDS - 1);
			munmap((void *)((uintptr_t)cut.p & ~(uintptr_t)4095), 8192);
		}
	}
}

static void mounts(void **state)
{
	static const char mountinfo[] =
		"24 30 0:22 / /sys rw,nosuid - sysfs sysfs rw\n"
		"36 24 0:199 / /mnt/huge\\040pages rw,relatime shared:9 master:1 - hugetlbfs hugetlbfs rw,pagesize=2M\n"
		"37 24 259:1048575 / /mnt/-\\040hugetlbfs\\040 rw - ext4 hugetlbfs rw\n"
		"a line that is none - hugetlbfs x\n";
	int fd = file_of(mountinfo, sizeof(mountinfo) - 1);

	(void)state;
	assert_string_equal(kind_of_line("1000-2000 rw-s 0 00:c7 9 /mnt/huge pages/x"), "shared-file");
	kind_learn_mounts(fd);
	assert_string_equal(kind_of_line("1000-2000 rw-s 0 00:c7 9 /mnt/huge pages/x"), "hugetlb");
	assert_string_equal(kind_of_line("1000-2000 rw-s 0 00:c7 0"), "special");
	assert_string_equal(kind_of_line("1000-2000 rw-s 0 00:16 9 /sys/x"), "shared-file");
	assert_string_equal(kind_of_line("1000-2000 rw-p 0 103:fffff 9 /mnt/y"), "private-file");
	assert_int_not_equal(lseek(fd, 0, SEEK_CUR), -1);	/* it is still ours */
	close(fd);
}

/* A huge memfd is of the same device as every mapping with MAP_HUGETLB. */
static void devices(void **state)
{
	int fd = memfd_create("unit", MFD_HUGETLB | MFD_CLOEXEC);
	char line[128];
	struct stat st;

	(void)state;
	if (fd < 0)
		skip_because("this kernel has no hugetlbfs");
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	snprintf(line, sizeof(line), "1000-2000 rw-s 0 %02x:%02x 9 /memfd:x (deleted)", major(st.st_dev), minor(st.st_dev));
	assert_string_equal(kind_of_line(line), "memfd");
	kind_learn_devices();
	kind_learn_devices();
	assert_string_equal(kind_of_line(line), "hugetlb");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("lines of every kind, and lines that look like another", lines),
		CASE("each row of kinds.def has a line", every_row),
		CASE("lines that are cut anywhere", every_prefix),
		CASE("mounted hugetlbfs, by its device", mounts),
		CASE("MAP_HUGETLB, by its device", devices),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
