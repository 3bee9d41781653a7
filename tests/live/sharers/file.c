/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file: pages of files, on disk, in memory, deleted, and of System V shared memory. */
#include "sharer.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/shm.h>
#include <unistd.h>

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

/* Its file keeps the page, that nobody maps after the next line on stdin. */
static void make_nowhere(void)
{
	char *at = map_page(MAP_SHARED, file_of_a_page(memfd_create("nowhere", 0))), line[64];

	touch(at);
	say_page("mapped nowhere", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_ready();
	if (fgets(line, sizeof(line), stdin))
		munmap(at, page_bytes);
}

const struct sharer_case file_cases[] = {
	{ "twice", make_twice },
	{ "private-file", make_private_file },
	{ "shared-file", make_shared_file },
	{ "deleted", make_deleted },
	{ "tmpfs", make_tmpfs },
	{ "memfd", make_memfd },
	{ "sysv", make_sysv },
	{ "nowhere", make_nowhere },
	{ 0 },
};
