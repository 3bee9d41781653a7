// SPDX-License-Identifier: GPL-2.0-or-later
/* vmas: VMAS against /proc/PID/maps and smaps of the same process. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "guest.h"

#define ROOM 70000

static struct vmadk_vma vmas[ROOM];
static struct vmadk_table tables[64];
static struct vmadk_member members[64 * 32];
static struct vmadk_string strings[1024];

static struct vmadk_vmas request_of(pid_t pid)
{
	return (struct vmadk_vmas){ .size = sizeof(struct vmadk_vmas), .pid = pid, .end = UINT64_MAX,
				    .flags = VMADK_VMAS_MEMBERS,
				    .vmas = array_of(vmas, ROOM, VMADK_VMA_WIDTH),
				    .tables = array_of(tables, COUNT(tables), VMADK_TABLE_WIDTH),
				    .members = array_of(members, COUNT(members), VMADK_MEMBER_WIDTH),
				    .strings = array_of(strings, COUNT(strings), VMADK_STRING_WIDTH) };
}

static struct vmadk_vmas ask(struct vmadk_vmas request)
{
	must(ioctl(device(), VMADK_IOC_VMAS, &request) == 0);
	return request;
}

static int refused(struct vmadk_vmas request)
{
	return ioctl(device(), VMADK_IOC_VMAS, &request) ? errno : 0;
}

/* The VMA that holds an address. */
static const struct vmadk_vma *vma_at(pid_t pid, const void *address, struct vmadk_vmas *ret_reply)
{
	struct vmadk_vmas request = request_of(pid);

	request.cursor = (uintptr_t)address;
	request.end = request.cursor + 1;
	*ret_reply = ask(request);
	must_equal(ret_reply->vmas.count, 1);
	must(vmas[0].start <= request.cursor && request.cursor < vmas[0].end);
	return &vmas[0];
}

struct line {
	unsigned long start, end, offset, inode;
	unsigned int major, minor;
	char perms[5];
};

/* Next line of maps, without the vsyscall page, which is no VMA. */
static bool next_line(FILE *maps, struct line *line)
{
	char text[8192];

	while (fgets(text, sizeof(text), maps)) {
		must(sscanf(text, "%lx-%lx %4s %lx %x:%x %lu", &line->start, &line->end, line->perms, &line->offset, &line->major,
			    &line->minor, &line->inode) == 7);
		if (!strstr(text, "[vsyscall]"))
			return true;
	}
	return false;
}

static void compare(const struct vmadk_vma *vma, const struct line *line)
{
	must_equal(vma->start, line->start);
	must_equal(vma->end, line->end);
	must_equal(!!(vma->flags & 1), line->perms[0] == 'r');
	must_equal(!!(vma->flags & 2), line->perms[1] == 'w');
	must_equal(!!(vma->flags & 4), line->perms[2] == 'x');
	must_equal(!!(vma->flags & 0x80), line->perms[3] == 's');	/* VM_MAYSHARE */
	must_equal(!!(vma->has & VMADK_VMA_FILE), line->inode != 0);
	must_equal(vma->inode, line->inode);
	must_equal(vma->device_major, line->major);
	must_equal(vma->device_minor, line->minor);
	must(!(vma->has & VMADK_VMA_FILE) || vma->pgoff * PAGE == line->offset);
	must_equal(vma->pad, 0);
}

static void compare_all(pid_t pid)
{
	char path[64];
	struct vmadk_vmas reply;
	struct line line;
	uint32_t i = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	must(maps);
	setvbuf(maps, NULL, _IOFBF, PAGE);
	reply = ask(request_of(pid));
	for (; next_line(maps, &line); i++) {
		must(i < reply.vmas.count);
		compare(&vmas[i], &line);
	}
	must_equal(reply.vmas.count, i);
	must_equal(reply.result, 0);
	fclose(maps);
}

static void other_process(void)
{
	struct child child = child_new(NULL, NULL);

	compare_all(child.pid);
	compare_all(1);
	child_end(&child);
}

static double now_s(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Neighbours that differ in what they permit, so that none are merged; fewer where that takes long (KASAN). */
static char *many(size_t count)
{
	double began = now_s();
	char *at = mmap(NULL, count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(at != MAP_FAILED);
	for (size_t i = 0; i < count && now_s() - began < 20; i += 2)
		must(mprotect(at + i * PAGE, PAGE, PROT_READ) == 0);
	return at;
}

static void forty_thousand_begin(void *arg)
{
	*(char **)arg = many(40000);
}

static void forty_thousand(void)
{
	char *at;
	struct child child;

	must(write_word("/proc/sys/vm/max_map_count", "100000"));
	child = child_new(forty_thousand_begin, &at);
	compare_all(child.pid);
	child_end(&child);
}

/* The whole list out of small arrays is the list. */
static void resumed_with(pid_t pid, uint32_t room)
{
	static struct vmadk_vma whole[ROOM];
	struct vmadk_vmas reply = ask(request_of(pid)), next = request_of(pid);
	uint32_t count = reply.vmas.count, seen = 0;

	memcpy(whole, vmas, count * sizeof(vmas[0]));
	do {
		next.vmas.room = room;
		next = ask(next);
		must(next.vmas.count <= room);
		must_equal(!!(next.result & VMADK_TRUNCATED), seen + next.vmas.count < count);
		for (uint32_t i = 0; i < next.vmas.count; i++, seen++) {
			must_equal(vmas[i].start, whole[seen].start);
			must_equal(vmas[i].end, whole[seen].end);
		}
		must_equal(next.cursor, whole[seen - 1].end);
	} while (next.result & VMADK_TRUNCATED);
	must_equal(seen, count);
}

static void resumed_begin(void *arg)
{
	*(char **)arg = many(1100);
}

static void resumed(void)
{
	static const uint32_t rooms[] = { 1, 2, 7, 255, 256, 257, 512, 1000 };
	char *at;
	struct child child = child_new(resumed_begin, &at);

	for (size_t i = 0; i < COUNT(rooms); i++)
		resumed_with(child.pid, rooms[i]);
	child_end(&child);
}

static void cursors(void)
{
	char *three = many(3);
	struct vmadk_vmas request = request_of(getpid()), reply;

	request.cursor = UINT64_MAX;
	must_equal(ask(request).vmas.count, 0);
	request.cursor = 0x7ffffffff000;
	must_equal(ask(request).vmas.count, 0);
	request.cursor = 0;
	request.end = 0;
	must_equal(ask(request).vmas.count, 0);
	request.cursor = (uintptr_t)three + PAGE;
	request.end = (uintptr_t)three + 2 * PAGE;
	reply = ask(request);
	must_equal(reply.vmas.count, 1);
	must_equal(vmas[0].start, (uintptr_t)three + PAGE);
	must_equal(reply.cursor, (uintptr_t)three + 2 * PAGE);
	request.cursor += 17;				/* in the middle of one */
	must_equal(ask(request).vmas.count, 1);
	request.end = request.cursor - 17;		/* it begins where the end is */
	must_equal(ask(request).vmas.count, 0);
	request.cursor = UINT64_MAX - 1;
	request.end = 1;
	must_equal(ask(request).vmas.count, 0);
}

static void small_arrays(void)
{
	struct vmadk_vmas request = request_of(getpid());

	request.vmas.room = 0;
	must_equal(refused(request), ENOSPC);
	request = request_of(getpid());
	request.strings.room = 1;			/* not even the members' names */
	must_equal(refused(request), ENOSPC);
	request = request_of(getpid());
	request.members.room = 3;
	must_equal(refused(request), ENOSPC);
	request.flags = 0;
	must_equal(ask(request).result, 0);
	must_equal(ask(request).members.count, 0);
	request.tables.room = request.strings.room = 0;	/* not wanted */
	must_equal(ask(request).result, 0);
	for (uint32_t i = 0; i < ask(request).vmas.count; i++)
		must(vmas[i].vm_ops == 0 || vmas[i].vm_ops == VMADK_UNRESOLVED);
}

/* The symbol of a member of a VMA's vm_ops. */
static const char *member(const struct vmadk_vma *vma, const char *name)
{
	const struct vmadk_table *table = &tables[vma->vm_ops - 1];

	for (uint32_t i = table->first; i < table->first + table->members; i++) {
		if (strcmp(name_of(strings, members[i].name), name) == 0)
			return name_of(strings, members[i].symbol);
	}
	return "no such member";
}

static const char *table_name(const struct vmadk_vma *vma)
{
	return vma->vm_ops ? name_of(strings, tables[vma->vm_ops - 1].symbol) : "NULL";
}

#define must_be_called(found, expected) \
	do { \
		const char *found_ = (found); \
		if (strcmp(found_, expected)) \
			fail_at(__FILE__, __LINE__, "%s is %s instead of %s", #found, found_, expected); \
	} while (0)

static void shared_anonymous(void)
{
	struct vmadk_vmas reply;
	const struct vmadk_vma *vma = vma_at(getpid(), map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), &reply);

	must(strncmp(table_name(vma), "shmem_", 6) == 0);
	must_be_called(member(vma, "fault"), "shmem_fault");
	must_be_called(member(vma, "map_pages"), "filemap_map_pages");
	must_be_called(member(vma, "close"), "NULL");
	must_be_called(member(vma, "page_mkwrite"), "NULL");
	must_be_called(member(vma, "nonsense"), "no such member");
	must_be_called(name_of(strings, vma->a_ops), "shmem_aops");
	must_be_called(name_of(strings, vma->f_op), "shmem_file_operations");
	/* 7.2 has two more. */
	must_equal(tables[vma->vm_ops - 1].members, strcmp(member(vma, "mapped"), "no such member") ? 18 : 16);
}

static void private_anonymous(void)
{
	struct vmadk_vmas reply;
	char *at = map_anon(PAGE);
	const struct vmadk_vma *vma = vma_at(getpid(), at, &reply);

	must_equal(vma->vm_ops, 0);
	must_equal(vma->f_op, 0);
	must_equal(vma->a_ops, 0);
	must(!(vma->has & VMADK_VMA_FILE));
	must(vma->has & VMADK_VMA_ANON_VMA);
	must_equal(vma->pgoff, vma->start / PAGE);
	must_equal(vma->page_shift, 12);
	must_equal(reply.tables.count, 0);
	must(vma->page_prot & 1);		/* _PAGE_PRESENT */
	/* Not like its neighbours: it is not merged with one that had pages. */
	at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(!(vma_at(getpid(), at, &reply)->has & VMADK_VMA_ANON_VMA));
}

static void a_file(void)
{
	int fd = open("/tmp/a file", O_RDWR | O_CREAT, 0600);
	const struct vmadk_vma *vma;
	struct vmadk_vmas reply;
	struct stat st;

	must(ftruncate(fd, 8 * (off_t)PAGE) == 0 && fstat(fd, &st) == 0);
	vma = vma_at(getpid(), map(PAGE, MAP_PRIVATE, fd, 3 * PAGE), &reply);
	must_equal(vma->pgoff, 3);
	must_equal(vma->inode, st.st_ino);
	must_equal(vma->device_major, major(st.st_dev));
	must_equal(vma->device_minor, minor(st.st_dev));
	must_be_called(member(vma, "fault"), "shmem_fault");
	unlink("/tmp/a file");
}

static void hugetlb(void)
{
	char *at = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	const struct vmadk_vma *vma;
	struct vmadk_vmas reply;

	if (at == MAP_FAILED)
		skip_because("no huge pages (vm.nr_hugepages)");
	vma = vma_at(getpid(), at, &reply);
	must_equal(vma->page_shift, 21);
	must_be_called(table_name(vma), "hugetlb_vm_ops");
	must_be_called(member(vma, "pagesize"), "hugetlb_vm_op_pagesize");
	must_be_called(name_of(strings, vma->f_op), "hugetlbfs_file_operations");
}

static void vdso(void)
{
	const struct vmadk_vma *vma = NULL;
	char line[256], *found = NULL;
	FILE *maps = fopen("/proc/self/maps", "re");
	struct vmadk_vmas reply;

	while (!found && fgets(line, sizeof(line), maps))
		found = strstr(line, "[vdso]") ? line : NULL;
	must(found);
	vma = vma_at(getpid(), (void *)strtoul(line, NULL, 16), &reply);
	must_be_called(table_name(vma), "special_mapping_vmops");
	must_be_called(member(vma, "fault"), "special_mapping_fault");
	must_be_called(member(vma, "name"), "special_mapping_name");
	must(vma->has & VMADK_VMA_PRIVATE_DATA);
}

/* "+0x0 and resolved" is all that may be told: no reply holds a pointer into the kernel. */
static void no_kernel_pointers(void)
{
	struct vmadk_vmas reply = ask(request_of(getpid()));
	static struct answer *answer;
	int r;

	for (uint32_t i = 0; i < reply.strings.count; i++) {
		must(strlen(strings[i].text) > 0);
		must(!strchr(strings[i].text, '+') && strncmp(strings[i].text, "0x", 2));
		must(strspn(strings[i].text,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$") == strlen(strings[i].text));
	}
	for (uint32_t i = 0; i < reply.vmas.count; i++) {
		const uint64_t *words = (const uint64_t *)&vmas[i];

		for (size_t j = 0; j < sizeof(vmas[i]) / sizeof(*words); j++)
			must(words[j] < 0xffff800000000000);
	}
	r = ask_address(getpid(), &answer, &answer);
	if (r == EOPNOTSUPP)
		return;		/* on a kernel that the module was not tried on */
	must_equal(r, 0);
	for (uint32_t i = 0; i < answer->mapping_count; i++) {
		const uint64_t *words = (const uint64_t *)&answer->mappings[i];

		for (size_t j = 0; j < sizeof(answer->mappings[i]) / sizeof(*words) - 1; j++)
			must(words[j] < 0xffff800000000000);
	}
}

/* What is told once is told once. */
static void no_duplicates(void)
{
	struct vmadk_vmas reply;

	for (int i = 0; i < 20; i++)
		map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	reply = ask(request_of(getpid()));
	for (uint32_t i = 0; i < reply.strings.count; i++) {
		for (uint32_t j = i + 1; j < reply.strings.count; j++)
			must(memcmp(&strings[i], &strings[j], sizeof(strings[i])));
	}
	for (uint32_t i = 0; i < reply.tables.count; i++) {
		for (uint32_t j = i + 1; j < reply.tables.count; j++)
			must(tables[i].symbol != tables[j].symbol || tables[i].symbol == VMADK_UNRESOLVED);
	}
}

static void *wait_for_ever(void *arg)
{
	(void)arg;
	while (pause() < 0)
		continue;
	return NULL;
}

static bool lists_at_least_three(void *arg)
{
	struct vmadk_vmas request = request_of(*(pid_t *)arg);

	return ioctl(device(), VMADK_IOC_VMAS, &request) == 0 && request.vmas.count >= 3;
}

static bool leader_is_gone(void *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", *(pid_t *)arg);
	return read_number(path) <= 0;
}

static void without_its_leader(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, wait_for_ever, NULL);
		pthread_exit(NULL);
	}
	must(eventually(leader_is_gone, &pid));
	must(lists_at_least_three(&pid));
}

static void own_list(void)
{
	compare_all(getpid());
}

int test_vmas(void)
{
	static const struct guest_case cases[] = {
		{ "our own VMAs are those of maps", own_list },
		{ "those of other processes too", other_process },
		{ "40,000 VMAs", forty_thousand },
		{ "a list in small pieces is the same list", resumed },
		{ "cursors and ends at the edges", cursors },
		{ "arrays that are too small for one VMA, and arrays that are not wanted", small_arrays },
		{ "private anonymous memory: no operations, vm_pgoff is the address", private_anonymous },
		{ "shared anonymous memory: shmem's operations, member by member", shared_anonymous },
		{ "a file: its inode, its offset", a_file },
		{ "hugetlb: the size of its pages", hugetlb },
		{ "the vdso: a special mapping", vdso },
		{ "no kernel pointer is in a reply", no_kernel_pointers },
		{ "each name and each table is told once", no_duplicates },
		{ "a process whose leader has ended while a thread lives on", without_its_leader },
	};

	return run_cases(cases, COUNT(cases));
}
