// SPDX-License-Identifier: GPL-2.0-or-later
/* unload: not while it is used; afterwards without a trace. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ask.h"
#include "guest.h"

#define MODULE "/modules/vmad.ko"
#define UNTRIED "/untried/vmad.ko"

static int unload(void)
{
	return syscall(SYS_delete_module, "vmad", O_NONBLOCK) < 0 ? errno : 0;
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	must(fd >= 0);
	r = syscall(SYS_finit_module, fd, "", 0) < 0 ? errno : 0;
	close(fd);
	return r;
}

static void in_use(void)
{
	struct child child = child_new(NULL, NULL);
	struct stat st;

	device();
	must_equal(unload(), EAGAIN);
	close(device());
	must_equal(unload(), 0);
	must(stat(VMADK_DEVICE, &st) < 0 && errno == ENOENT);
	must(stat("/sys/module/vmad", &st) < 0 && errno == ENOENT);
	must_equal(load(MODULE), 0);
	child_end(&child);
}

static void ask_something(void)
{
	int fd = open(VMADK_DEVICE, O_RDWR | O_CLOEXEC);
	struct vmadk_rmap rmap = { .size = sizeof(rmap), .pid = getpid(), .address = (uintptr_t)&rmap,
				   .mappings = { .width = VMADK_MAPPING_WIDTH },
				   .pids = { .width = VMADK_PID_WIDTH },
				   .strings = { .width = VMADK_STRING_WIDTH } };

	must(fd >= 0);
	must(ioctl(fd, VMADK_IOC_RMAP, &rmap) == 0);
	must_equal(rmap.mapped, 1);
	close(fd);
}

static long free_kb(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kb = -1;

	while (kb < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "MemFree: %ld", &kb);
	fclose(file);
	return kb;
}

/* How many of them the kernel has allocated, some of them in reserve. */
static long mm_structs(void)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	char line[512];
	long count = -1;

	must(file);
	while (count < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "mm_struct %*d %ld", &count);
	fclose(file);
	must(count > 0);
	return count;
}

/* What is not given back would add up. */
static void again_and_again(void)
{
	long before = 0;

	for (int i = 0; i < 60; i++) {
		if (i == 10)
			before = free_kb();
		must_equal(unload(), 0);
		must_equal(load(MODULE), 0);
		ask_something();
	}
	printf("# %ld kB less are free after 50 times\n", before - free_kb());
	must(before - free_kb() < 8192);
}

static void write_to(void *arg)
{
	*(volatile char *)arg = 77;
}

#define ROUNDS 200
#define PAGES 100

/*
 * An mm that is kept by mistake stays in its cache; a page that is, in memory. The kernel's own reserves come and go
 * meanwhile.
 */
static void nothing_is_kept(void)
{
	long kb = 0, mms = 0;

	for (int i = 0; i < ROUNDS + 10; i++) {
		char *at = map_anon(PAGES * PAGE);
		struct child child = child_new(write_to, at);		/* its first page is its own */
		struct answer *answer;

		if (i == 10) {
			kb = free_kb();
			mms = mm_structs();
		}
		for (size_t page = 0; page < PAGES; page++)
			must_equal(ask_address(child.pid, at + page * PAGE, &answer), 0);
		munmap(at, PAGES * PAGE);
		child_end(&child);
	}
	printf("# after %d processes there are %ld mm_structs more, and %ld kB less are free\n", ROUNDS, mm_structs() - mms,
	       kb - free_kb());
	must(mm_structs() - mms < ROUNDS / 2);
	must(kb - free_kb() < (long)(ROUNDS * PAGES * PAGE / 1024 / 4));
}

#define TREES (VMADK_CAN_RMAP_FILE | VMADK_CAN_RMAP_ANON | VMADK_CAN_RMAP_HUGETLB | VMADK_CAN_RMAP_SCAN | VMADK_CAN_FILEMAP)

/* What INFO says of a module that was built as for such a kernel. */
static void tells_why(void)
{
	struct vmadk_reason reasons[8] = { 0 };
	struct vmadk_info info = { .size = sizeof(info), .reasons = array_of(reasons, COUNT(reasons), VMADK_REASON_WIDTH) };
	uint64_t missing = 0;

	must(ioctl(device(), VMADK_IOC_INFO, &info) == 0);
	must_equal(info.capabilities, VMADK_CAN_VMAS | VMADK_CAN_MEMBERS);
	must_equal(info.reasons.count, 5);
	for (uint32_t i = 0; i < info.reasons.count; i++) {
		must(strstr(reasons[i].text, "not tried"));
		missing |= reasons[i].capability;
	}
	must_equal(missing, TREES);
	info.reasons.room = 2;
	must(ioctl(device(), VMADK_IOC_INFO, &info) == 0);
	must_equal(info.reasons.count, 5);
}

static void untried_kernel(void)
{
	static struct vmadk_vma vmas[64];
	struct vmadk_vmas request = { .size = sizeof(request), .pid = getpid(), .end = UINT64_MAX,
				      .vmas = array_of(vmas, COUNT(vmas), VMADK_VMA_WIDTH),
				      .tables = { .width = VMADK_TABLE_WIDTH },
				      .members = { .width = VMADK_MEMBER_WIDTH },
				      .strings = { .width = VMADK_STRING_WIDTH } };
	struct answer *answer;

	must_equal(unload(), 0);
	must_equal(load(UNTRIED), 0);
	tells_why();
	must(ioctl(device(), VMADK_IOC_VMAS, &request) == 0);
	must(request.vmas.count > 3);
	must_equal(ask_address(getpid(), &request, &answer), EOPNOTSUPP);
	must_equal(ask_filemap(0, 0, 0, &answer), EOPNOTSUPP);
	close(device());
	must_equal(unload(), 0);
	must_equal(load(MODULE), 0);
}

int test_unload(void)
{
	static const struct guest_case cases[] = {
		{ "processes that were asked about are freed when they end", nothing_is_kept },
		{ "unloading is refused while the device is open, and clean afterwards", in_use },
		{ "built as for a kernel that it was not tried on: VMAs only, and why", untried_kernel },
		{ "unloaded and loaded 60 times", again_and_again },
	};

	return run_cases(cases, COUNT(cases));
}
