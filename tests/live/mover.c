/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mover HOW FILE: processes that share one page, and do not leave it where it is.
 *
 *   unmap      a page of a memfd: one of three processes unmaps it and maps it again
 *   remap      the same, but it moves it to another address and back
 *   collapse   a page of private anonymous memory, shared with a child until MADV_COLLAPSE makes it part of a huge page,
 *              which is split again
 *   pageout    a page of a file: MADV_PAGEOUT, and touched again
 *   compact    a page in fragmented memory, shared with two children, for who writes to vm.compact_memory
 *
 * FILE holds a struct board, which tells who maps the page while its turn is even. "ready ADDRESS" is what it says once
 * it has begun, or "absent WHY". A signal ends it, and its children with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define HUGE_BYTES (2UL << 20)
#define FRAGMENTED_BYTES (16UL << 20)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MEMBERS 3
#define REST_US 12000		/* at most: a look-up takes a few of these milliseconds */

struct board {
	_Atomic uint64_t turn;		/* odd: something moves */
	struct {
		_Atomic uint64_t pid;	/* 0: it does not map the page */
		_Atomic uint64_t address;
	} member[MEMBERS];
};

static struct board *board;
static size_t page_bytes;
static char *page;

static _Noreturn void be_absent(const char *what)
{
	printf("absent %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(0);
}

static void say_ready(void)
{
	printf("ready %p\n", (void *)page);
	fflush(stdout);
}

static char *map(void *at, size_t bytes, int flags, int fd)
{
	char *start = mmap(at, bytes, RW, flags, fd, 0);

	if (start == MAP_FAILED)
		be_absent("mmap");
	return start;
}

static void dirty(char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += page_bytes)
		++*(volatile char *)(at + i);
}

static void set_member(unsigned member, pid_t pid, const char *at)
{
	board->member[member].pid = (uint64_t)pid;
	board->member[member].address = (uintptr_t)at;
}

static void rest(void)
{
	usleep((useconds_t)rand() % REST_US);
}

/* Between the two nobody knows who maps the page. */
static void begin_turn(void)
{
	board->turn++;
}

static void end_turn(void)
{
	board->turn++;
	rest();
}

static pid_t fork_member(unsigned member)
{
	int told[2];
	char byte;
	pid_t pid;

	if (pipe(told))
		be_absent("pipe");
	pid = fork();
	if (pid < 0)
		be_absent("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = *(volatile char *)page;
		if (write(told[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(told[1]);
	if (read(told[0], &byte, 1) != 1)
		be_absent("a child");
	close(told[0]);
	set_member(member, pid, page);
	return pid;
}

static void end_member(unsigned member)
{
	pid_t pid = (pid_t)board->member[member].pid;

	if (pid) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	set_member(member, 0, NULL);
}

/* Children are forked before anything is said, so that who asks knows them. */
static int share_a_memfd(void)
{
	int fd = memfd_create("mover", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)page_bytes))
		be_absent("memfd_create");
	page = map(map(NULL, 2 * page_bytes, ANON, -1), page_bytes, MAP_SHARED | MAP_FIXED, fd);
	dirty(page, page_bytes);
	fork_member(0);
	fork_member(1);
	set_member(2, getpid(), page);
	say_ready();
	return fd;
}

static void move_by_unmap(const char *unused)
{
	int fd = share_a_memfd();

	(void)unused;
	for (;;) {
		begin_turn();
		munmap(page, page_bytes);
		set_member(2, 0, NULL);
		end_turn();
		begin_turn();
		map(page, page_bytes, MAP_SHARED | MAP_FIXED, fd);
		dirty(page, page_bytes);
		set_member(2, getpid(), page);
		end_turn();
	}
}

static void move_by_remap(const char *unused)
{
	char *place[2];

	(void)unused;
	share_a_memfd();
	place[0] = page;
	place[1] = page + page_bytes;
	for (unsigned n = 0;; n++) {
		begin_turn();
		if (mremap(place[n % 2], page_bytes, page_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place[(n + 1) % 2]) ==
		    MAP_FAILED)
			exit(1);
		set_member(2, getpid(), place[(n + 1) % 2]);
		end_turn();
	}
}

static void move_by_collapse(const char *unused)
{
	char *area = map(NULL, 2 * HUGE_BYTES, ANON, -1);

	(void)unused;
	area += -(uintptr_t)area % HUGE_BYTES;
	page = area + 37 * page_bytes;
	dirty(area, HUGE_BYTES);
	if (madvise(area, HUGE_BYTES, MADV_COLLAPSE))
		be_absent("MADV_COLLAPSE");
	set_member(0, getpid(), page);
	say_ready();
	for (;;) {
		begin_turn();
		end_member(1);
		madvise(area, HUGE_BYTES, MADV_DONTNEED);
		madvise(area, HUGE_BYTES, MADV_NOHUGEPAGE);
		dirty(area, HUGE_BYTES);
		fork_member(1);
		end_turn();
		begin_turn();
		madvise(area, HUGE_BYTES, MADV_HUGEPAGE);
		/* its own copy then; the child keeps the frame. Where it does not work, the next round tries again */
		if (madvise(area, HUGE_BYTES, MADV_COLLAPSE) == 0)
			set_member(1, 0, NULL);
		else
			end_member(1);
		end_turn();
		begin_turn();
		madvise(area, page_bytes, MADV_DONTNEED);
		end_turn();
	}
}

static bool is_present(const char *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;
	bool read = fd >= 0 && pread(fd, &entry, 8, (off_t)((uintptr_t)at / page_bytes * 8)) == 8;

	if (fd >= 0)
		close(fd);
	return read && entry >> 63;
}

static void move_by_pageout(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)page_bytes))
		be_absent(path);
	page = mmap(NULL, page_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		be_absent("mmap");
	if (madvise(page, page_bytes, MADV_PAGEOUT))
		be_absent("MADV_PAGEOUT");
	say_ready();
	for (;;) {
		begin_turn();
		(void)*(volatile char *)page;
		set_member(0, getpid(), page);
		end_turn();
		begin_turn();
		madvise(page, page_bytes, MADV_PAGEOUT);
		set_member(0, is_present(page) ? getpid() : 0, page);
		end_turn();
	}
}

/* Every other page of the area is free: compaction has something to do, again and again. */
static void move_by_compact(const char *unused)
{
	char *area = map(NULL, FRAGMENTED_BYTES, ANON, -1);

	(void)unused;
	madvise(area, FRAGMENTED_BYTES, MADV_NOHUGEPAGE);
	page = area + FRAGMENTED_BYTES / 2;
	for (bool said = false;; said = true) {
		begin_turn();
		end_member(1);
		end_member(2);
		madvise(area, FRAGMENTED_BYTES, MADV_DONTNEED);
		dirty(area, FRAGMENTED_BYTES);
		for (size_t i = page_bytes; i < FRAGMENTED_BYTES; i += 2 * page_bytes)
			madvise(area + i, page_bytes, MADV_DONTNEED);
		set_member(0, getpid(), page);
		fork_member(1);
		fork_member(2);
		if (!said)
			say_ready();
		end_turn();
		for (int i = 0; i < 20; i++)
			rest();
	}
}

static const struct way {
	const char *name;
	void (*move)(const char *path);
} ways[] = {
	{ "unmap", move_by_unmap },
	{ "remap", move_by_remap },
	{ "collapse", move_by_collapse },
	{ "pageout", move_by_pageout },
	{ "compact", move_by_compact },
};

static struct board *open_board(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(struct board)))
		be_absent(path);
	return (struct board *)map(NULL, sizeof(struct board), MAP_SHARED, fd);
}

int main(int argc, char **argv)
{
	char path[4096];

	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; argc == 3 && i < sizeof(ways) / sizeof(*ways); i++) {
		if (strcmp(argv[1], ways[i].name))
			continue;
		board = open_board(argv[2]);
		snprintf(path, sizeof(path), "%.4000s.page", argv[2]);
		ways[i].move(path);
	}
	fprintf(stderr, "usage: mover unmap|remap|collapse|pageout|compact FILE\n");
	return 2;
}
