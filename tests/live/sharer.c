/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sharer CASE: processes that map one page, in a way that is known.
 *
 * It prints, with tabs between the words:
 *   page NAME PID ADDRESS     a page to ask for; what follows, up to the next page, is about it
 *   mapped ADDRESS PID...     one mapping of it, with all processes of that mm; nobody else maps it, but for "libc", "vdso", "zero"
 *   absent REASON             the case cannot be made on this host
 * then "ready". A line on stdin makes it go on: "nowhere" unmaps its page then and says "ready" again. End of file ends
 * it and its children.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define HUGE_BYTES (2UL << 20)
#define STACK_BYTES 65536

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static size_t page_bytes;
static int ready_pipe[2];

static void absent(const char *what)
{
	printf("absent\t%s: %s\n", what, strerror(errno));
	puts("ready");
	exit(0);
}

static char *map(void *at, size_t bytes, int flags, int fd, off_t offset)
{
	char *start = mmap(at, bytes, RW, flags, fd, offset);

	if (start == MAP_FAILED)
		absent("mmap");
	return start;
}

static char *map_page(int flags, int fd)
{
	return map(NULL, page_bytes, flags, fd, 0);
}

static void touch(char *at)
{
	(void)*(volatile char *)at;
}

static void dirty(char *at)
{
	++*(volatile char *)at;
}

static void say_page(const char *name, pid_t pid, const char *at)
{
	printf("page\t%s\t%d\t%p\n", name, pid, (const void *)at);
}

static void say_mapped(const char *at, pid_t pid, pid_t sibling)
{
	printf("mapped\t%p\t%d", (const void *)at, pid);
	if (sibling)
		printf("\t%d", sibling);
	putchar('\n');
}

static void child_is_ready(void)
{
	if (write(ready_pipe[1], "", 1) != 1)
		_exit(1);
}

static void wait_for_child(void)
{
	char byte;

	if (read(ready_pipe[0], &byte, 1) != 1)
		exit(1);
}

static void child_waits(void)
{
	child_is_ready();
	for (;;)
		pause();
}

/* A child that does this with the page, and then waits. */
static pid_t fork_with(void (*run)(char *at), char *at)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(at);
		child_waits();
	}
	wait_for_child();
	return pid;
}

static void leave_alone(char *at)
{
	(void)at;
}

/* Where move_away() moves the page to: known to the parent too. */
static char *elsewhere;

static void move_away(char *at)
{
	if (mremap(at, page_bytes, page_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == MAP_FAILED)
		_exit(1);
	touch(elsewhere);
}

/* An address that is free in this process, and in the children that it will have. */
static void find_elsewhere(void)
{
	elsewhere = map(NULL, 3 * page_bytes, ANON, -1, 0) + page_bytes;
	munmap(elsewhere - page_bytes, 3 * page_bytes);
}

static int file_of_a_page(int fd)
{
	if (fd < 0 || ftruncate(fd, (off_t)(16 * page_bytes)))
		absent("file");
	for (size_t i = 0; i < 16; i++) {
		if (pwrite(fd, "page", 4, (off_t)(i * page_bytes)) != 4)
			absent("file");
	}
	return fd;
}

static int temporary_file(const char *directory, bool deleted)
{
	static char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/vmad-sharer-XXXXXX", directory);
	fd = mkstemp(path);
	if (fd >= 0 && deleted)
		unlink(path);
	return file_of_a_page(fd);
}

/* --- the cases --- */

static void share_and_say(const char *name, char *at)
{
	pid_t child = fork_with(touch, at);

	say_page(name, getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(at, child, 0);
}

static void make_shared_anon(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);

	dirty(at);
	share_and_say("shared anonymous", at);
}

static void make_cow_before(void)
{
	char *at = map_page(ANON, -1);

	dirty(at);
	share_and_say("before copy-on-write", at);
}

static void make_cow_after(void)
{
	char *at = map_page(ANON, -1);
	pid_t child;

	dirty(at);
	child = fork_with(dirty, at);
	say_page("the parent's after the child wrote", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_page("the child's own copy", child, at);
	say_mapped(at, child, 0);
}

static void make_cow_parent(void)
{
	char *at = map_page(ANON, -1);
	pid_t child;

	dirty(at);
	child = fork_with(leave_alone, at);
	dirty(at);
	say_page("the parent's copy after it wrote", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_page("the first page, left to the child", child, at);
	say_mapped(at, child, 0);
}

static void make_twice(void)
{
	int fd = file_of_a_page(memfd_create("twice", MFD_CLOEXEC));
	char *first = map_page(MAP_SHARED, fd), *second = map_page(MAP_PRIVATE, fd);

	touch(first);
	touch(second);
	say_page("twice in one process", getpid(), first);
	say_mapped(first, getpid(), 0);
	say_mapped(second, getpid(), 0);
}

static void make_mremap(void)
{
	char *at = map_page(ANON, -1);
	pid_t child;

	dirty(at);
	find_elsewhere();
	child = fork_with(move_away, at);
	say_page("mremapped in the child", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(elsewhere, child, 0);
}

/*
 * One page of a file, in the middle of a longer mapping and in one of its own. fork leaves the page tables of files
 * behind: each child touches both.
 */
static char *whole_of_file, *one_of_file;

static void touch_both(char *at)
{
	(void)at;
	touch(whole_of_file);
	touch(one_of_file);
}

static void touch_and_move(char *at)
{
	touch_both(at);
	move_away(one_of_file);
}

static void touch_and_copy(char *at)
{
	touch_both(at);
	dirty(whole_of_file);
}

static void share_file_page(const char *name, int flags, int fd)
{
	pid_t child, mover, writer;

	find_elsewhere();
	whole_of_file = map(NULL, 16 * page_bytes, flags, fd, 0) + 5 * page_bytes;
	one_of_file = map(NULL, page_bytes, flags, fd, (off_t)(5 * page_bytes));
	child = fork_with(touch_both, NULL);
	mover = fork_with(touch_and_move, NULL);
	writer = fork_with(touch_and_copy, NULL);
	touch_both(NULL);
	say_page(name, getpid(), whole_of_file);
	say_mapped(whole_of_file, getpid(), 0);
	say_mapped(one_of_file, getpid(), 0);
	say_mapped(whole_of_file, child, 0);
	say_mapped(one_of_file, child, 0);
	say_mapped(whole_of_file, mover, 0);
	say_mapped(elsewhere, mover, 0);
	if (flags & MAP_SHARED)
		say_mapped(whole_of_file, writer, 0);
	say_mapped(one_of_file, writer, 0);
}

static void make_private_file(void)
{
	share_file_page("private file", MAP_PRIVATE, temporary_file(".", false));
}

static void make_shared_file(void)
{
	share_file_page("shared file", MAP_SHARED, temporary_file(".", false));
}

static void make_deleted(void)
{
	share_file_page("deleted file", MAP_SHARED, temporary_file(".", true));
}

static void make_tmpfs(void)
{
	share_file_page("tmpfs", MAP_SHARED, temporary_file("/dev/shm", true));
}

static void make_memfd(void)
{
	share_file_page("memfd", MAP_SHARED, file_of_a_page(memfd_create("sharer", MFD_CLOEXEC)));
}

static void make_sysv(void)
{
	int id = shmget(IPC_PRIVATE, page_bytes, IPC_CREAT | 0600);
	char *first = id < 0 ? (char *)-1 : shmat(id, NULL, 0), *second = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

	if (first == (char *)-1 || second == (char *)-1)
		absent("shmat");
	shmctl(id, IPC_RMID, NULL);
	dirty(first);
	touch(second);
	say_page("System V shared memory", getpid(), first);
	say_mapped(first, getpid(), 0);
	say_mapped(second, getpid(), 0);
}

static void make_libc(void)
{
	say_page("libc's text", getpid(), (char *)((uintptr_t)printf & ~(page_bytes - 1)));
	say_mapped((char *)((uintptr_t)printf & ~(page_bytes - 1)), getpid(), 0);
}

/* The page of a huge page that this child has no more. */
static void unmap_last(char *at)
{
	munmap(at + HUGE_BYTES - page_bytes, page_bytes);
}

static void make_thp(void)
{
	char *area = map(NULL, 2 * HUGE_BYTES, ANON, -1, 0);
	char *head = (char *)(((uintptr_t)area + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1));
	char *last = head + HUGE_BYTES - page_bytes;
	pid_t child, part;

	madvise(head, HUGE_BYTES, MADV_HUGEPAGE);
	dirty(head);
	child = fork_with(leave_alone, head);
	part = fork_with(unmap_last, head);
	say_page("head of a huge page", getpid(), head);
	say_mapped(head, getpid(), 0);
	say_mapped(head, child, 0);
	say_mapped(head, part, 0);
	say_page("tail of a huge page", child, head + 7 * page_bytes);
	say_mapped(head + 7 * page_bytes, getpid(), 0);
	say_mapped(head + 7 * page_bytes, child, 0);
	say_mapped(head + 7 * page_bytes, part, 0);
	say_page("a tail that one child has unmapped", getpid(), last);
	say_mapped(last, getpid(), 0);
	say_mapped(last, child, 0);
}

static void make_hugetlb(void)
{
	char *at = map(NULL, HUGE_BYTES, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	pid_t child;

	dirty(at);
	child = fork_with(touch, at);
	say_page("hugetlb", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(at, child, 0);
	say_page("the tail of a hugetlb page", getpid(), at + 9 * page_bytes);
	say_mapped(at + 9 * page_bytes, getpid(), 0);
	say_mapped(at + 9 * page_bytes, child, 0);
}

/*
 * The three are merged once KSM has been round: the test waits for that. Pages between them: neighbours would be one
 * range.
 */
static void make_ksm(void)
{
	char *area = map(NULL, 5 * page_bytes, ANON, -1, 0);

	if (madvise(area, 5 * page_bytes, MADV_MERGEABLE))
		absent("MADV_MERGEABLE");
	for (size_t i = 0; i < 5; i += 2)
		memset(area + i * page_bytes, 'k', page_bytes);
	*(pid_t *)area = getpid();
	*(pid_t *)(area + 2 * page_bytes) = getpid();
	*(pid_t *)(area + 4 * page_bytes) = getpid();
	say_page("merged by KSM", getpid(), area);
	for (size_t i = 0; i < 5; i += 2)
		say_mapped(area + i * page_bytes, getpid(), 0);
}

static int sibling_main(void *unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_waits();
	return 0;
}

static pid_t clone_vm(int (*run)(void *), void *arg, int flags)
{
	char *stack = map(NULL, STACK_BYTES, ANON, -1, 0);

	return clone(run, stack + STACK_BYTES, CLONE_VM | SIGCHLD | flags, arg);
}

static void make_clone_vm(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t sibling, mover;

	dirty(at);
	find_elsewhere();
	mover = fork_with(move_away, at);
	sibling = clone_vm(sibling_main, NULL, 0);
	wait_for_child();
	say_page("an mm of two processes, and a mapper elsewhere", getpid(), at);
	say_mapped(at, getpid(), sibling);
	say_mapped(elsewhere, mover, 0);
}

#define STRANGERS 60

static void part_with(char *at)
{
	munmap(at, page_bytes);
}

/* Those with the nearest pids are as many as mappings are counted, but of one mm; others are behind many that map nothing. */
static void make_distant(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t sibling, distant;

	dirty(at);
	sibling = clone_vm(sibling_main, NULL, 0);
	wait_for_child();
	for (int i = 0; i < STRANGERS; i++)
		fork_with(part_with, at);
	distant = fork_with(touch, at);
	say_page("an mm of two processes, and another one behind strangers", getpid(), at);
	say_mapped(at, getpid(), sibling);
	say_mapped(at, distant, 0);
	say_page("the same, from the other end", distant, at);
	say_mapped(at, getpid(), sibling);
	say_mapped(at, distant, 0);
}

/* As many mappings as are counted are found at once; the process that shares that mm has a pid behind many others'. */
static void make_distant_sibling(void)
{
	char *at = map_page(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	pid_t sibling;

	for (int i = 0; i < STRANGERS; i++)
		fork_with(part_with, at);
	dirty(at);
	sibling = clone_vm(sibling_main, NULL, 0);
	wait_for_child();
	say_page("one mapping, of a process and a distant one", getpid(), at);
	say_mapped(at, getpid(), sibling);
	say_page("the same, from the other end", sibling, at);
	say_mapped(at, getpid(), sibling);
}

/* The clone's mm is this one's: so its answers are printed by it, while vfork keeps the parent where it is. */
static char *vfork_page;

static int vfork_main(void *unused)
{
	static char line[64];

	(void)unused;
	say_page("while vfork waits", getppid(), vfork_page);
	say_mapped(vfork_page, getppid(), getpid());
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		continue;
	_exit(0);
}

static void make_vfork(void)
{
	vfork_page = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	dirty(vfork_page);
	clone_vm(vfork_main, NULL, CLONE_VFORK);
	exit(0);
}

static void *heir(void *leader)
{
	pthread_join(*(pthread_t *)leader, NULL);
	child_waits();
	return NULL;
}

static void lose_leader(char *at)
{
	static pthread_t leader;
	pthread_t thread;

	touch(at);
	leader = pthread_self();
	if (pthread_create(&thread, NULL, heir, &leader))
		_exit(1);
	pthread_exit(NULL);
}

static void make_leaders(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t first, second;

	dirty(at);
	first = fork_with(lose_leader, at);
	second = fork_with(lose_leader, at);
	say_page("processes whose leaders have exited", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(at, first, 0);
	say_mapped(at, second, 0);
}

static void make_vdso(void)
{
	char *at = (char *)getauxval(AT_SYSINFO_EHDR);

	if (!at)
		absent("vdso");
	say_page("vdso", getpid(), at);
	say_mapped(at, getpid(), 0);
}

static void make_zero(void)
{
	char *at = map_page(ANON, -1);

	touch(at);
	say_page("the page of zeros", getpid(), at);
	say_mapped(at, getpid(), 0);
}

static void make_swapped(void)
{
	char *at = map_page(ANON, -1);

	dirty(at);
	if (madvise(at, page_bytes, MADV_PAGEOUT))
		absent("MADV_PAGEOUT");
	say_page("swapped out", getpid(), at);
}

/* Its file keeps the page, that nobody maps after the next line on stdin. */
static void make_nowhere(void)
{
	char *at = map_page(MAP_SHARED, file_of_a_page(memfd_create("nowhere", 0))), line[64];

	touch(at);
	say_page("mapped nowhere", getpid(), at);
	say_mapped(at, getpid(), 0);
	puts("ready");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin))
		munmap(at, page_bytes);
}

/* --- mappers that come and go --- */

static int leave_at_once(void *unused)
{
	(void)unused;
	_exit(0);
}

static int exec_true(void *unused)
{
	(void)unused;
	execl("/bin/true", "true", NULL);
	_exit(1);
}

static void nap(unsigned most_us)
{
	usleep((useconds_t)(1 + rand() % (int)most_us));
}

static int stay_a_little(void *unused)
{
	(void)unused;
	nap(3000);
	_exit(0);
}

/* Siblings of one mm that end, or exec, at any moment. */
static void churn_siblings(void)
{
	static int (*const ways[])(void *) = { leave_at_once, exec_true, stay_a_little, stay_a_little };
	char *stacks[3];

	for (size_t i = 0; i < 3; i++)
		stacks[i] = map(NULL, STACK_BYTES, ANON, -1, 0) + STACK_BYTES;
	for (;;) {
		for (size_t i = 0; i < 3; i++)
			clone(ways[rand() % 4], stacks[i], CLONE_VM | SIGCHLD, NULL);
		nap(1000);
		while (waitpid(-1, NULL, 0) > 0)
			continue;
	}
}

/* Forked mappers at the same address. */
static void churn_forks(void)
{
	for (;;) {
		if (fork() == 0) {
			nap(2000);
			_exit(0);
		}
		nap(2000);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

static void siblings(char *at)
{
	touch(at);
	child_is_ready();
	churn_siblings();
}

static void forks(char *at)
{
	touch(at);
	child_is_ready();
	churn_forks();
}

/* One that stays, one that stays elsewhere, and two that never rest: these four always map it. */
static void make_churn(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t mover, first, second;

	dirty(at);
	find_elsewhere();
	mover = fork_with(move_away, at);
	first = fork_with(siblings, at);
	second = fork_with(forks, at);
	say_page("mappers that come and go", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(elsewhere, mover, 0);
	say_mapped(at, first, 0);
	say_mapped(at, second, 0);
}

static const struct {
	const char *name;
	void (*make)(void);
} cases[] = {
	{ "shared-anon", make_shared_anon },
	{ "cow-before", make_cow_before },
	{ "cow-after", make_cow_after },
	{ "cow-parent", make_cow_parent },
	{ "twice", make_twice },
	{ "mremap", make_mremap },
	{ "private-file", make_private_file },
	{ "shared-file", make_shared_file },
	{ "deleted", make_deleted },
	{ "tmpfs", make_tmpfs },
	{ "memfd", make_memfd },
	{ "sysv", make_sysv },
	{ "libc", make_libc },
	{ "thp", make_thp },
	{ "hugetlb", make_hugetlb },
	{ "ksm", make_ksm },
	{ "clone-vm", make_clone_vm },
	{ "distant", make_distant },
	{ "distant-sibling", make_distant_sibling },
	{ "vfork", make_vfork },
	{ "leaders", make_leaders },
	{ "vdso", make_vdso },
	{ "zero", make_zero },
	{ "swapped", make_swapped },
	{ "nowhere", make_nowhere },
	{ "churn", make_churn },
};

int main(int argc, char **argv)
{
	char line[64];

	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc != 2 || pipe(ready_pipe)) {
		fprintf(stderr, "usage: sharer CASE\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, argv[1]))
			continue;
		cases[i].make();
		puts("ready");
		fflush(stdout);
		while (fgets(line, sizeof(line), stdin))
			continue;
		return 0;
	}
	fprintf(stderr, "sharer: no such case: %s\n", argv[1]);
	return 2;
}
