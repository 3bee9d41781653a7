// SPDX-License-Identifier: GPL-2.0-or-later
/* rmap: RMAP on pages whose mappers the test itself has made; what the kernel counts (kpagecount) is the second witness. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "guest.h"

#define KPF_KSM (UINT64_C(1) << 21)
#define KPF_THP (UINT64_C(1) << 22)

struct expected {
	pid_t pid;
	const void *address;
};

/* Exactly these map the page that is at the first one's address, and the kernel counts as many. */
static struct answer *expect(const struct expected *expected, int count, uint32_t kind)
{
	uint64_t pfn = pfn_of(expected[0].pid, expected[0].address);
	struct answer *answer;

	must(pfn);
	must_equal(ask_address(expected[0].pid, expected[0].address, &answer), 0);
	must_equal(answer->rmap.pfn, pfn);
	must_equal(answer->rmap.kind, kind);
	must_equal(answer->rmap.mapped, count);
	must_equal(answer->rmap.mapcount, count);
	must_equal(kpagecount(pfn), count);
	must_equal(answer->rmap.result & ~VMADK_SCANNED, 0);
	for (int i = 0; i < count; i++)
		must_equal(count_mappings(answer, expected[i].pid, expected[i].address, VMADK_STATE_MAPPED), 1);
	must_equal(ask_pfn(pfn, &answer), 0);
	must_equal(answer->rmap.mapped, count);
	return answer;
}

/* The mapping in a state that is none. */
static void expect_candidate(const struct answer *answer, pid_t pid, const void *address, uint32_t state)
{
	must_equal(count_mappings(answer, pid, address, state), 1);
	must_equal(count_mappings(answer, pid, address, VMADK_STATE_MAPPED), 0);
}

static void touch(void *arg)
{
	*(volatile char *)arg;
}

static void dirty(void *arg)
{
	*(volatile char *)arg = 77;
}

static void private_anonymous(void)
{
	char *at = map_anon(PAGE);
	struct answer *answer = expect((struct expected[]){ { getpid(), at } }, 1, VMADK_PAGE_ANON);

	must_equal(answer->mapping_count, 1);
	must_equal(answer->mappings[0].address, (uintptr_t)at);
	must(answer->mappings[0].flags & VMADK_MAPPING_WRITE);
	must_equal(answer->mappings[0].vm_ops, 0);
	must_equal(answer->rmap.index, (uintptr_t)at / PAGE);
	must_equal(answer->rmap.folio_pages, 1);
	must_equal(answer->rmap.inode, 0);
	must_equal(answer->rmap.a_ops, 0);
	must(answer->rmap.refcount >= 1);
}

static void forked(void)
{
	char *at = map_anon(PAGE);
	struct child child = child_new(NULL, NULL);
	struct answer *answer = expect((struct expected[]){ { getpid(), at }, { child.pid, at } }, 2, VMADK_PAGE_ANON);

	must(!(answer->mappings[0].flags & VMADK_MAPPING_WRITE));
	child_end(&child);
	expect((struct expected[]){ { getpid(), at } }, 1, VMADK_PAGE_ANON);
}

static void copied_in_the_child(void)
{
	char *at = map_anon(PAGE);
	struct child child = child_new(dirty, at);
	struct answer *answer = expect((struct expected[]){ { getpid(), at } }, 1, VMADK_PAGE_ANON);

	expect_candidate(answer, child.pid, at, VMADK_STATE_OTHER);
	expect((struct expected[]){ { child.pid, at } }, 1, VMADK_PAGE_ANON);
	child_end(&child);
}

static void copied_in_the_parent(void)
{
	char *at = map_anon(PAGE);
	struct child child = child_new(NULL, NULL);

	dirty(at);
	expect((struct expected[]){ { getpid(), at } }, 1, VMADK_PAGE_ANON);
	expect((struct expected[]){ { child.pid, at } }, 1, VMADK_PAGE_ANON);
	child_end(&child);
}

static void grandchild_begin(void *arg)
{
	struct child child = child_new(NULL, NULL);

	**(pid_t **)arg = child.pid;
}

static void three_generations(void)
{
	char *at = map_anon(PAGE);
	pid_t *pid = (pid_t *)map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child child = child_new(grandchild_begin, &pid);

	expect((struct expected[]){ { getpid(), at }, { child.pid, at }, { *pid, at } }, 3, VMADK_PAGE_ANON);
	child_do(&child, dirty, at);
	expect((struct expected[]){ { getpid(), at }, { *pid, at } }, 2, VMADK_PAGE_ANON);
	expect((struct expected[]){ { child.pid, at } }, 1, VMADK_PAGE_ANON);
}

/* What the child has of its own is in the tree of its own anon_vma. */
static void only_the_childs(void)
{
	char *at = map(16 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct child child = child_new(dirty, at + 3 * PAGE);
	struct answer *answer = expect((struct expected[]){ { child.pid, at + 3 * PAGE } }, 1, VMADK_PAGE_ANON);

	must_equal(answer->mapping_count, 1);
	child_end(&child);
}

static void shared_anonymous(void)
{
	char *at = map(4 * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct answer *answer;
	struct child child;

	dirty(at + PAGE);
	child = child_new(NULL, NULL);
	answer = expect((struct expected[]){ { getpid(), at + PAGE } }, 1, VMADK_PAGE_FILE);
	expect_candidate(answer, child.pid, at + PAGE, VMADK_STATE_NONE);
	child_do(&child, touch, at + PAGE);
	answer = expect((struct expected[]){ { getpid(), at + PAGE }, { child.pid, at + PAGE } }, 2, VMADK_PAGE_FILE);
	must_equal(answer->rmap.index, 1);
	must(strcmp(name_of(answer->strings, answer->rmap.a_ops), "shmem_aops") == 0);
	must(strncmp(name_of(answer->strings, answer->mappings[0].vm_ops), "shmem_", 6) == 0);
	child_end(&child);
}

static int memory_file(size_t pages)
{
	int fd = memfd_create("a file", MFD_CLOEXEC);

	must(fd >= 0 && ftruncate(fd, (off_t)(pages * PAGE)) == 0);
	return fd;
}

static void twice_in_one_process(void)
{
	int fd = memory_file(4);
	char *one = map(4 * PAGE, MAP_SHARED, fd, 0), *two = map(2 * PAGE, MAP_SHARED, fd, 2 * PAGE);
	struct answer *answer;

	dirty(one + 3 * PAGE);
	dirty(two + PAGE);
	answer = expect((struct expected[]){ { getpid(), one + 3 * PAGE }, { getpid(), two + PAGE } }, 2, VMADK_PAGE_FILE);
	must_equal(answer->mappings[0].mm, answer->mappings[1].mm);
	must_equal(answer->pid_count, 1);
}

static void moved(void)
{
	char *at = map_anon(8 * PAGE), *other;
	struct child child = child_new(NULL, NULL);

	other = mremap(at, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map(32 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(other != MAP_FAILED && other != at);
	expect((struct expected[]){ { getpid(), other + 2 * PAGE }, { child.pid, at + 2 * PAGE } }, 2, VMADK_PAGE_ANON);
	child_end(&child);
}

/* A piece from the middle: the VMA is split, and vm_pgoff still counts from where it was made. */
static void moved_in_part(void)
{
	char *at = map_anon(8 * PAGE), *other = map(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct answer *answer;

	must(mremap(at + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
	answer = expect((struct expected[]){ { getpid(), other } }, 1, VMADK_PAGE_ANON);
	must_equal(answer->rmap.index, (uintptr_t)at / PAGE + 3);
	expect((struct expected[]){ { getpid(), at + 4 * PAGE } }, 1, VMADK_PAGE_ANON);
}

static void private_file(void)
{
	int fd = memory_file(4);
	char *shared = map(4 * PAGE, MAP_SHARED, fd, 0), *private = map(4 * PAGE, MAP_PRIVATE, fd, 0);
	struct answer *answer;

	dirty(shared);
	touch(private);
	answer = expect((struct expected[]){ { getpid(), shared }, { getpid(), private } }, 2, VMADK_PAGE_FILE);
	dirty(private);
	answer = expect((struct expected[]){ { getpid(), shared } }, 1, VMADK_PAGE_FILE);
	expect_candidate(answer, getpid(), private, VMADK_STATE_OTHER);
	expect((struct expected[]){ { getpid(), private } }, 1, VMADK_PAGE_ANON);
}

static void deleted_file(void)
{
	int fd = open("/tmp/gone", O_RDWR | O_CREAT | O_EXCL, 0600);
	struct child child;
	char *at;

	must(fd >= 0 && ftruncate(fd, PAGE) == 0);
	at = map(PAGE, MAP_SHARED, fd, 0);
	unlink("/tmp/gone");
	close(fd);
	child = child_new(dirty, at);
	dirty(at);
	expect((struct expected[]){ { getpid(), at }, { child.pid, at } }, 2, VMADK_PAGE_FILE);
	child_end(&child);
}

static void sysv(void)
{
	int id = shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0600);
	char *one = shmat(id, NULL, 0), *two = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	dirty(one + PAGE);
	dirty(two + PAGE);
	expect((struct expected[]){ { getpid(), one + PAGE }, { getpid(), two + PAGE } }, 2, VMADK_PAGE_FILE);
}

/* Unmapped, yet in the page cache: told as the file's page that nobody maps. */
static void mapped_nowhere(void)
{
	int fd = memory_file(1);
	char *at = map(PAGE, MAP_SHARED, fd, 0);
	struct answer *answer;
	uint64_t pfn;

	dirty(at);
	pfn = pfn_of(getpid(), at);
	munmap(at, PAGE);
	must_equal(ask_pfn(pfn, &answer), 0);
	must_equal(answer->mapping_count, 0);
	must_equal(answer->rmap.mapcount, 0);
}

static void program_text(void)
{
	struct child child = child_new(NULL, NULL);
	uint64_t pfn = pfn_of(getpid(), (void *)(uintptr_t)program_text);
	struct answer *answer;

	must_equal(ask_pfn(pfn, &answer), 0);
	must_equal(answer->rmap.kind, VMADK_PAGE_FILE);
	must_equal(answer->rmap.mapped, kpagecount(pfn));
	must(answer->rmap.mapped >= 2);
	must_equal(count_mappings(answer, getpid(), NULL, VMADK_STATE_MAPPED), 1);
	child_end(&child);
}

static char *huge_page(void)
{
	char *at = map_aligned(HUGE);

	madvise(at, HUGE, MADV_HUGEPAGE);
	memset(at, 1, HUGE);
	if (!(kpageflags(pfn_of(getpid(), at)) & KPF_THP))
		skip_because("no transparent huge page was to be had");
	return at;
}

static void thp(void)
{
	static const size_t places[] = { 0, PAGE, 100 * PAGE, HUGE - PAGE };
	char *at = huge_page();
	struct child child = child_new(NULL, NULL);

	for (size_t i = 0; i < COUNT(places); i++) {
		char *page = at + places[i];
		struct answer *answer = expect((struct expected[]){ { getpid(), page }, { child.pid, page } }, 2, VMADK_PAGE_ANON);

		must_equal(answer->rmap.folio_pages, HUGE / PAGE);
		must_equal(answer->rmap.folio_pfn, pfn_of(getpid(), at));
		must(answer->mappings[0].flags & VMADK_MAPPING_HUGE);
	}
	child_end(&child);
}

/* The child's entries are those of single pages, the parent's is one. */
static void thp_in_pieces(void)
{
	char *at = huge_page();
	struct child child = child_new(dirty, at + PAGE);
	struct answer *answer;

	expect((struct expected[]){ { getpid(), at }, { child.pid, at } }, 2, VMADK_PAGE_ANON);
	answer = expect((struct expected[]){ { getpid(), at + PAGE } }, 1, VMADK_PAGE_ANON);
	expect_candidate(answer, child.pid, at + PAGE, VMADK_STATE_OTHER);
	must(munmap(at, 7 * PAGE) == 0);
	expect((struct expected[]){ { child.pid, at } }, 1, VMADK_PAGE_ANON);
	expect((struct expected[]){ { getpid(), at + 7 * PAGE }, { child.pid, at + 7 * PAGE } }, 2, VMADK_PAGE_ANON);
	child_end(&child);
}

static void hugetlb_shared(void)
{
	char *at = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	struct answer *answer;
	struct child child;

	if (at == MAP_FAILED)
		skip_because("no huge pages (vm.nr_hugepages)");
	dirty(at + HUGE);
	child = child_new(touch, at + HUGE);
	answer = expect((struct expected[]){ { getpid(), at + HUGE }, { child.pid, at + HUGE } }, 2, VMADK_PAGE_HUGETLB);
	must_equal(answer->rmap.index, HUGE / PAGE);
	answer = expect((struct expected[]){ { getpid(), at + HUGE + 5 * PAGE }, { child.pid, at + HUGE + 5 * PAGE } }, 2,
			VMADK_PAGE_HUGETLB);
	must_equal(answer->rmap.index, HUGE / PAGE + 5);
	must_equal(answer->rmap.folio_pages, HUGE / PAGE);
	child_end(&child);
}

static void hugetlb_private(void)
{
	char *at = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	struct answer *answer;
	struct child child;

	if (at == MAP_FAILED)
		skip_because("no huge pages (vm.nr_hugepages)");
	dirty(at + HUGE);
	child = child_new(NULL, NULL);
	expect((struct expected[]){ { getpid(), at + HUGE }, { child.pid, at + HUGE } }, 2, VMADK_PAGE_HUGETLB);
	dirty(at + HUGE);
	answer = expect((struct expected[]){ { getpid(), at + HUGE } }, 1, VMADK_PAGE_HUGETLB);
	must_equal(answer->rmap.index, HUGE / PAGE);		/* of a file without a name, as hugetlb has it */
	expect((struct expected[]){ { child.pid, at + HUGE } }, 1, VMADK_PAGE_HUGETLB);
	child_end(&child);
}

/*
 * Two processes may use one page table for the same GiB of a hugetlb file; then the kernel counts one mapping, and there
 * are two.
 */
static void hugetlb_shared_tables(void)
{
	const size_t gib = 1024 * MIB;
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
	char *at = map_aligned(gib);
	struct answer *answer;
	struct child child;
	uint64_t pfn;

	if (fd < 0 || ftruncate(fd, (off_t)gib) < 0 ||
	    mmap(at, gib, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED)
		skip_because("no hugetlb file: %m");
	dirty(at);
	child = child_new(touch, at);
	must_equal(ask_address(getpid(), at, &answer), 0);
	pfn = answer->rmap.pfn;
	must_equal(answer->rmap.kind, VMADK_PAGE_HUGETLB);
	must_equal(answer->rmap.mapped, 2);
	must_equal(count_mappings(answer, getpid(), at, VMADK_STATE_MAPPED), 1);
	must_equal(count_mappings(answer, child.pid, at, VMADK_STATE_MAPPED), 1);
	must_equal(answer->rmap.mapcount, kpagecount(pfn));
	printf("# the kernel counts %d\n", answer->rmap.mapcount);
	child_end(&child);
}

static bool is_merged(void *arg)
{
	char **pages = arg;

	return pfn_of(getpid(), pages[0]) == pfn_of(getpid(), pages[1]) && kpageflags(pfn_of(getpid(), pages[0])) & KPF_KSM;
}

static void ksm(void)
{
	char *pages[2] = { map_anon(PAGE), map(3 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + PAGE };
	struct answer *answer;
	struct child child;

	for (int i = 0; i < 2; i++) {
		memset(pages[i], 0x6b, PAGE);
		madvise(pages[i], PAGE, MADV_MERGEABLE);
	}
	must(write_word("/sys/kernel/mm/ksm/sleep_millisecs", "5") && write_word("/sys/kernel/mm/ksm/run", "1"));
	must(eventually(is_merged, pages));
	must(write_word("/sys/kernel/mm/ksm/run", "0"));
	child = child_new(NULL, NULL);
	answer = expect((struct expected[]){ { getpid(), pages[0] }, { getpid(), pages[1] }, { child.pid, pages[0] },
					     { child.pid, pages[1] } }, 4, VMADK_PAGE_KSM);
	must(answer->rmap.result & VMADK_SCANNED);
	must_equal(ask_rmap((struct vmadk_rmap){ .pid = getpid(), .address = (uintptr_t)pages[0],
						  .flags = VMADK_RMAP_NO_SCAN }, &answer), 0);
	must_equal(answer->rmap.result, VMADK_UNSCANNED);
	must_equal(answer->mapping_count, 0);
	must_equal(answer->rmap.mapcount, 4);
	child_end(&child);
}

static void one_mm_two_pids(void)
{
	char *at = map_anon(PAGE);
	struct child child = child_new(NULL, NULL);
	pid_t twin = twin_new();
	struct answer *answer = expect((struct expected[]){ { getpid(), at }, { child.pid, at } }, 2, VMADK_PAGE_ANON);

	must_equal(ask_address(twin, at, &answer), 0);
	must_equal(answer->mapping_count, 2);
	must_equal(answer->pid_count, 3);
	must_equal(count_mappings(answer, twin, at, VMADK_STATE_MAPPED), 1);
	child_end(&child);
}

static void zero_page(void)
{
	char *at = map(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct answer *answer;

	touch(at);
	must_equal(ask_address(getpid(), at, &answer), 0);
	must_equal(answer->rmap.kind, VMADK_PAGE_ZERO);
	must_equal(answer->mapping_count, 0);
}

static void vdso(void)
{
	char line[256], *found = NULL;
	FILE *maps = fopen("/proc/self/maps", "re");
	struct child child = child_new(NULL, NULL);
	struct answer *answer;
	char *at;

	while (!found && fgets(line, sizeof(line), maps))
		found = strstr(line, "[vdso]") ? line : NULL;
	must(found);
	at = (char *)strtoul(line, NULL, 16);
	touch(at);
	child_do(&child, touch, at);
	must_equal(ask_address(getpid(), at, &answer), 0);
	must_equal(answer->rmap.kind, VMADK_PAGE_SPECIAL);
	must(answer->rmap.result & VMADK_SCANNED);
	must_equal(answer->rmap.mapped, answer->rmap.mapcount);
	must_equal(answer->rmap.mapcount, kpagecount(answer->rmap.pfn));
	must_equal(count_mappings(answer, getpid(), at, VMADK_STATE_MAPPED), 1);
	must_equal(count_mappings(answer, child.pid, at, VMADK_STATE_MAPPED), 1);
	child_end(&child);
}

static bool is_swapped(void *arg)
{
	char **at = arg;

	madvise(*at, PAGE, MADV_PAGEOUT);
	return !pfn_of(getpid(), *at);
}

static void make_swap(void)
{
	char first[PAGE] = "";
	uint32_t *header = (uint32_t *)(first + 1024);
	int fd = open("/dev/ram0", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		skip_because("no disk to swap to: %m");
	header[0] = 1;
	header[1] = 8 * MIB / PAGE - 1;
	memcpy(first + PAGE - 10, "SWAPSPACE2", 10);
	must(write(fd, first, PAGE) == PAGE);
	close(fd);
	must(swapon("/dev/ram0", 0) == 0 || errno == EBUSY);
}

static void swapped(void)
{
	char *at = map_anon(PAGE);
	struct answer *answer;
	struct child child;

	make_swap();
	must(eventually(is_swapped, &at));
	must_equal(ask_address(getpid(), at, &answer), ENOENT);
	child = child_new(touch, at);		/* brought back in the child only */
	must(pfn_of(child.pid, at));
	must_equal(ask_address(child.pid, at, &answer), 0);
	must_equal(answer->rmap.mapped, 1);
	must_equal(count_mappings(answer, child.pid, at, VMADK_STATE_MAPPED), 1);
	must_equal(count_mappings(answer, getpid(), at, VMADK_STATE_SWAP), 1);
	child_end(&child);
	must(swapoff("/dev/ram0") == 0);
}

static void by_hundreds(void)
{
	enum { CHILDREN = 150 };
	static struct child children[CHILDREN];
	char *at = map_anon(PAGE);
	struct answer *answer;

	for (int i = 0; i < CHILDREN; i++)
		children[i] = child_new(i % 3 ? NULL : dirty, at);
	must_equal(ask_address(getpid(), at, &answer), 0);
	must_equal(answer->rmap.mapped, 1 + CHILDREN * 2 / 3);
	must_equal(answer->mapping_count, 1 + CHILDREN);
	must_equal(answer->pid_count, 1 + CHILDREN);
	for (int i = 0; i < CHILDREN; i++)
		must_equal(count_mappings(answer, children[i].pid, at, i % 3 ? VMADK_STATE_MAPPED : VMADK_STATE_OTHER), 1);
}

/* Whoever is in another pid namespace learns of no pid that it could not know. */
static void other_namespace(void)
{
	char *at = map_anon(PAGE);
	pid_t pid;
	int status;

	device();
	must(unshare(CLONE_NEWPID) == 0);
	pid = fork();
	if (pid == 0) {
		struct answer *answer;
		struct vmadk_rmap self = { .pid = 1, .address = (uintptr_t)at };

		must_equal(getpid(), 1);
		must_equal(ask_rmap(self, &answer), 0);
		must_equal(answer->rmap.mapped, 2);
		must_equal(answer->pid_count, 1);
		must_equal(answer->pids[0].pid, 1);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0);
}

int test_rmap(void)
{
	static const struct guest_case cases[] = {
		{ "private anonymous", private_anonymous },
		{ "private anonymous, after a fork, and after the child's end", forked },
		{ "copied on write in the child", copied_in_the_child },
		{ "copied on write in the parent", copied_in_the_parent },
		{ "three generations", three_generations },
		{ "a page that only the child has", only_the_childs },
		{ "shared anonymous, touched by one and by both", shared_anonymous },
		{ "twice in one process", twice_in_one_process },
		{ "moved by mremap, in one of two processes", moved },
		{ "one page moved out of the middle", moved_in_part },
		{ "a private mapping of a file, before and after it is written to", private_file },
		{ "a deleted file", deleted_file },
		{ "SysV shared memory, attached twice", sysv },
		{ "a page that is mapped nowhere", mapped_nowhere },
		{ "the program's own text", program_text },
		{ "a huge page: its head and its tails", thp },
		{ "a huge page that is mapped as a whole, in pieces and in part", thp_in_pieces },
		{ "hugetlb, shared", hugetlb_shared },
		{ "hugetlb, private, copied on write", hugetlb_private },
		{ "hugetlb page tables that two processes share", hugetlb_shared_tables },
		{ "KSM: found by a scan; said where that was not to be", ksm },
		{ "one address space with two pids, and a further mapper", one_mm_two_pids },
		{ "the zero page is nobody's", zero_page },
		{ "the vdso: no file, no anon_vma, yet counted", vdso },
		{ "swapped out, and brought back by the child alone", swapped },
		{ "150 children, a third of them with their own copy", by_hundreds },
		{ "from another pid namespace", other_namespace },
	};

	return run_cases(cases, COUNT(cases));
}
