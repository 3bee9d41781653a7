/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/kind.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

const char *kind_name(enum kind kind)
{
	static const char *const names[] = {
#define KIND(id, name, help) name,
#include "vmad/kinds.def"
#undef KIND
	};

	return names[kind];
}

/* Written by one thread; who reads sees those that are counted. */
#define HUGETLB_DEVICES_MAX 32
static uint64_t hugetlb_devices[HUGETLB_DEVICES_MAX];
static atomic_size_t hugetlb_device_count;

static void add_hugetlb_device(uint64_t device)
{
	for (size_t i = 0; i < hugetlb_device_count; i++) {
		if (hugetlb_devices[i] == device)
			return;
	}
	if (hugetlb_device_count == HUGETLB_DEVICES_MAX)
		return;
	hugetlb_devices[hugetlb_device_count] = device;
	hugetlb_device_count++;
}

static bool is_hugetlb_device(uint64_t device)
{
	for (size_t i = 0; i < hugetlb_device_count; i++) {
		if (hugetlb_devices[i] == device)
			return true;
	}
	return false;
}

void kind_learn_devices(void)
{
	/*
	 * 64 KiB (arm64) to 16 GiB (powerpc): sizes that the kernel does not have fail, and take no memory either way.
	 * MFD_HUGE_SHIFT is MAP_HUGE_SHIFT by another name; glibc has only this one.
	 */
	for (unsigned shift = 16; shift <= 34; shift++) {
		int fd = memfd_create("vmad", MFD_CLOEXEC | MFD_HUGETLB | shift << MAP_HUGE_SHIFT);
		struct stat st;

		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0)
			add_hugetlb_device((uint64_t)major(st.st_dev) << 32 | minor(st.st_dev));
		close(fd);
	}
}

/* Up to nine digits, and what must follow them; NULL where that is not so. */
static const char *parse_number(const char *p, char follows, uint64_t *ret)
{
	const char *begin = p;

	for (*ret = 0; *p >= '0' && *p <= '9' && p - begin < 9; p++)
		*ret = *ret * 10 + (uint64_t)(*p - '0');
	return p > begin && *p == follows ? p + 1 : NULL;
}

/* mountinfo: "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", proc(5) */
bool kind_parse_mount(const char *line, uint64_t *ret_device)
{
	uint64_t id, parent, major_number, minor_number;
	const char *p = strstr(line, " - hugetlbfs ") ? line : NULL;

	p = p ? parse_number(p, ' ', &id) : NULL;
	p = p ? parse_number(p, ' ', &parent) : NULL;
	p = p ? parse_number(p, ':', &major_number) : NULL;
	p = p ? parse_number(p, ' ', &minor_number) : NULL;
	if (p)
		*ret_device = major_number << 32 | minor_number;
	return p != NULL;
}

void kind_learn_mounts(int mountinfo_fd)
{
	FILE *file = fdopen(dup(mountinfo_fd), "re");
	char *line = NULL;
	size_t size = 0;
	uint64_t device;

	while (file && getline(&line, &size, file) > 0) {
		if (kind_parse_mount(line, &device))
			add_hugetlb_device(device);
	}
	free(line);
	if (file)
		fclose(file);
}

static bool starts_with(struct vmad_str text, struct vmad_str prefix)
{
	return text.len >= prefix.len && !memcmp(text.p, prefix.p, prefix.len);
}

static bool is_deleted(struct vmad_str text)
{
	static const struct vmad_str mark = VMAD_STR(" (deleted)");

	return text.len >= mark.len && !memcmp(text.p + text.len - mark.len, mark.p, mark.len);
}

struct named_kind {
	struct vmad_str text;
	enum kind private_kind, shared_kind;
	bool deleted;		/* the kernel always says so: without that, it is a file of such a name */
};

/* Names in brackets, whole or up to a colon; fs/proc/task_mmu.c get_vma_name(), and before 3.19 [stack:TID]. */
static const struct named_kind names[] = {
	{ VMAD_STR("[heap]"), KIND_HEAP, KIND_HEAP },
	{ VMAD_STR("[stack]"), KIND_STACK, KIND_STACK },
	{ VMAD_STR("[stack:"), KIND_STACK, KIND_STACK },
	{ VMAD_STR("[vdso]"), KIND_VDSO, KIND_VDSO },
	{ VMAD_STR("[vvar"), KIND_VVAR, KIND_VVAR },
	{ VMAD_STR("[vsyscall]"), KIND_VSYSCALL, KIND_VSYSCALL },
	{ VMAD_STR("[anon:"), KIND_PRIVATE_ANON, KIND_PRIVATE_ANON },
	{ VMAD_STR("[anon_shmem:"), KIND_SHARED_ANON, KIND_SHARED_ANON },
};

/*
 * Paths that no file system has: mm/memfd.c, ipc/shm.c, mm/shmem.c, fs/hugetlbfs, fs/aio.c, mm/secretmem.c,
 * drivers/dma-buf; then what lies below /dev.
 */
static const struct named_kind paths[] = {
	{ VMAD_STR("/memfd:"), KIND_MEMFD, KIND_MEMFD, .deleted = true },
	{ VMAD_STR("/SYSV"), KIND_SYSV, KIND_SYSV, .deleted = true },
	{ VMAD_STR("/dev/zero (deleted)"), KIND_PRIVATE_FILE, KIND_SHARED_ANON },
	{ VMAD_STR("/anon_hugepage"), KIND_HUGETLB, KIND_HUGETLB, .deleted = true },
	{ VMAD_STR("/[aio]"), KIND_SPECIAL, KIND_SPECIAL, .deleted = true },
	{ VMAD_STR("/secretmem"), KIND_SPECIAL, KIND_SPECIAL, .deleted = true },
	{ VMAD_STR("/dmabuf:"), KIND_SPECIAL, KIND_SPECIAL },
	{ VMAD_STR("/dev/hugepages/"), KIND_HUGETLB, KIND_HUGETLB },
	{ VMAD_STR("/dev/shm/"), KIND_PRIVATE_FILE, KIND_SHARED_FILE },
	{ VMAD_STR("/dev/mqueue/"), KIND_PRIVATE_FILE, KIND_SHARED_FILE },
	{ VMAD_STR("/dev/"), KIND_DEVICE, KIND_DEVICE },
	{ VMAD_STR("/"), KIND_PRIVATE_FILE, KIND_SHARED_FILE },
};

static enum kind look_up(const struct named_kind *table, size_t count, const struct maps_entry *entry,
			 enum kind otherwise)
{
	for (size_t i = 0; i < count; i++) {
		if (starts_with(entry->name, table[i].text) && (!table[i].deleted || is_deleted(entry->name)))
			return entry->perms[3] == 's' ? table[i].shared_kind : table[i].private_kind;
	}
	return otherwise;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum kind kind_of(const struct maps_entry *entry)
{
	if (entry->inode && is_hugetlb_device(entry->device))
		return KIND_HUGETLB;
	if (!entry->name.len)
		return entry->perms[3] == 's' ? KIND_SPECIAL : KIND_PRIVATE_ANON;
	if (entry->name.p[0] == '/')
		return look_up(paths, COUNT(paths), entry, KIND_SPECIAL);
	return look_up(names, COUNT(names), entry, KIND_SPECIAL);
}
