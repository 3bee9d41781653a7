// SPDX-License-Identifier: GPL-2.0-or-later
/* files: FILEMAP on files that the test itself maps. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "guest.h"

static int memory_file(size_t pages)
{
	int fd = memfd_create("a file", MFD_CLOEXEC);

	must(fd >= 0 && ftruncate(fd, (off_t)(pages * PAGE)) == 0);
	return fd;
}

static struct answer *ask(int fd, uint64_t first, uint64_t last)
{
	struct answer *answer;

	must_equal(ask_filemap(fd, first, last, &answer), 0);
	must_equal(answer->filemap.result, 0);
	return answer;
}

static void ranges(void)
{
	int fd = memory_file(16);
	char *low = map(4 * PAGE, MAP_SHARED, fd, 0), *high = map(8 * PAGE, MAP_PRIVATE, fd, 8 * PAGE);
	struct answer *answer = ask(fd, 0, UINT64_MAX);
	struct stat st;

	must(fstat(fd, &st) == 0);
	must_equal(answer->filemap.inode, st.st_ino);
	must_equal(answer->mapping_count, 2);
	must_equal(count_mappings(answer, getpid(), low, VMADK_STATE_UNREAD), 1);
	must_equal(count_mappings(answer, getpid(), high, VMADK_STATE_UNREAD), 1);
	answer = ask(fd, 2, 2);
	must_equal(answer->mapping_count, 1);
	must_equal(answer->mappings[0].address, (uintptr_t)low + 2 * PAGE);
	must_equal(answer->mappings[0].vma_start, (uintptr_t)low);
	must_equal(ask(fd, 4, 7)->mapping_count, 0);
	must_equal(ask(fd, 3, 8)->mapping_count, 2);
	must_equal(ask(fd, 16, UINT64_MAX)->mapping_count, 0);
	must_equal(ask(fd, UINT64_MAX, UINT64_MAX)->mapping_count, 0);
	answer = ask(fd, 15, 15);
	must_equal(answer->mappings[0].address, (uintptr_t)high + 7 * PAGE);
	munmap(low, 4 * PAGE);
	munmap(high, 8 * PAGE);
	must_equal(ask(fd, 0, UINT64_MAX)->mapping_count, 0);
}

static void by_path_only(void)
{
	int fd = open("/tmp/by path", O_RDWR | O_CREAT, 0600), path;
	struct child child;
	char *at;

	must(ftruncate(fd, PAGE) == 0);
	at = map(PAGE, MAP_SHARED, fd, 0);
	path = open("/tmp/by path", O_PATH);
	must(path >= 0);
	unlink("/tmp/by path");
	child = child_new(NULL, NULL);
	must_equal(ask(path, 0, 0)->mapping_count, 2);
	must_equal(count_mappings(ask(path, 0, 0), child.pid, at, VMADK_STATE_UNREAD), 1);
	child_end(&child);
	must_equal(ask(path, 0, 0)->mapping_count, 1);
}

static void the_program(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct answer *answer = ask(fd, 0, UINT64_MAX);

	must(answer->mapping_count > 3);
	must(count_mappings(answer, getpid(), NULL, VMADK_STATE_UNREAD) > 1);
}

/* A mapping of a file on overlayfs is one of the file below. */
static void overlay(void)
{
	char *at;
	int fd;

	mkdir("/tmp/lower", 0755);
	mkdir("/tmp/upper", 0755);
	mkdir("/tmp/work", 0755);
	mkdir("/tmp/merged", 0755);
	fd = open("/tmp/lower/file", O_RDWR | O_CREAT, 0600);
	must(fd >= 0 && ftruncate(fd, 4 * (off_t)PAGE) == 0);
	close(fd);
	if (mount("overlay", "/tmp/merged", "overlay", 0, "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work") < 0)
		skip_because("no overlayfs: %m");
	fd = open("/tmp/merged/file", O_RDONLY);
	must(fd >= 0);
	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 2 * PAGE);
	must(at != MAP_FAILED);
	must_equal(count_mappings(ask(fd, 2, 2), getpid(), at, VMADK_STATE_UNREAD), 1);
	must_equal(count_mappings(ask(open("/tmp/lower/file", O_RDONLY), 2, 2), getpid(), at, VMADK_STATE_UNREAD), 1);
	must(umount2("/tmp/merged", MNT_DETACH) == 0);
}

static void hugetlb(void)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	char *at;

	if (fd < 0 || ftruncate(fd, 4 * HUGE) < 0)
		skip_because("no hugetlb file: %m");
	at = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, HUGE);
	if (at == MAP_FAILED)
		skip_because("no huge pages: %m");
	must_equal(ask(fd, 0, HUGE / PAGE - 1)->mapping_count, 0);
	must_equal(ask(fd, HUGE / PAGE + 3, HUGE / PAGE + 3)->mappings[0].address, (uintptr_t)at + 3 * PAGE);
	must_equal(ask(fd, 2 * HUGE / PAGE, UINT64_MAX)->mapping_count, 0);
}

int test_files(void)
{
	static const struct guest_case cases[] = {
		{ "ranges of a file, and the address of the first page", ranges },
		{ "a descriptor that is only a path; a deleted file; a child", by_path_only },
		{ "the program itself", the_program },
		{ "a file on overlayfs, asked for above and below", overlay },
		{ "a hugetlb file: pages of the base size", hugetlb },
	};

	return run_cases(cases, COUNT(cases));
}
