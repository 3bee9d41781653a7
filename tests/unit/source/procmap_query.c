/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procmap_query: the same as the text of maps says, VMA by VMA. Skipped where the kernel does not have it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/maps.h"
#include "source/procmap_query.h"

static int maps_fd = -1;

static int set_up(void **state)
{
	(void)state;
	maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	return maps_fd < 0 ? -1 : 0;
}

static void need_query(void)
{
	if (!procmap_query_available())
		skip_because("this kernel has no PROCMAP_QUERY (Linux 6.11)");
}

/* The line of our maps that begins at start. */
static bool line_at(uint64_t start, char *line, size_t size, struct maps_entry *entry)
{
	FILE *file = fopen("/proc/self/maps", "r");
	bool found = false;

	assert_non_null(file);
	while (!found && fgets(line, (int)size, file))
		found = maps_parse_line(line, strlen(line), entry) == 0 && entry->start == start;
	fclose(file);
	return found;
}

static void expect_as_text(uint64_t start)
{
	char line[8192], name[PROCMAP_NAME_MAX];
	struct maps_entry text, query;

	assert_true(line_at(start, line, sizeof(line), &text));
	assert_int_equal(procmap_query(maps_fd, start, false, &query, name), 0);
	assert_int_equal(query.start, text.start);
	assert_int_equal(query.end, text.end);
	assert_int_equal(query.offset_bytes, text.offset_bytes);
	assert_int_equal(query.device, text.device);
	assert_int_equal(query.inode, text.inode);
	assert_memory_equal(query.perms, text.perms, 4);
	assert_int_equal(query.name.len, text.name.len);
	assert_memory_equal(query.name.p, text.name.p, text.name.len);
}

static void every_vma(void **state)
{
	struct maps_entry entry;
	char name[PROCMAP_NAME_MAX];
	uint64_t at = 0;
	size_t count = 0;

	(void)state;
	need_query();
	for (; procmap_query(maps_fd, at, true, &entry, name) == 0; at = entry.end, count++)
		expect_as_text(entry.start);
	assert_true(count > 10);
}

/* Maps one page of the file, and asks for it. */
static uint64_t map_file(const char *path, bool unlinked, int protection, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *page;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 2 * sysconf(_SC_PAGESIZE)), 0);
	page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), protection, flags, fd, sysconf(_SC_PAGESIZE));
	assert_true(page != MAP_FAILED);
	if (unlinked)
		assert_int_equal(unlink(path), 0);
	close(fd);
	return (uint64_t)(uintptr_t)page;
}

static void strange_names(void **state)
{
	char directory[] = "/tmp/unit-procmap-XXXXXX", path[256];
	static const char *const names[] = { "new\nline", "a (deleted)", "not utf-8 \xff", "back\\slash " };

	(void)state;
	need_query();
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		expect_as_text(map_file(path, false, PROT_READ, MAP_PRIVATE));
		expect_as_text(map_file(path, true, PROT_READ | PROT_WRITE, MAP_SHARED));
	}
	assert_int_equal(rmdir(directory), 0);
}

/* A path of nearly PATH_MAX bytes that are all newlines: printed, it is four times as long as the room for it. */
static void name_without_room(void **state)
{
	char directory[] = "/tmp/unit-procmap-XXXXXX", name[PROCMAP_NAME_MAX], component[256];
	struct maps_entry untouched, entry;
	uint64_t address;

	(void)state;
	need_query();
	memset(&untouched, 0x5a, sizeof(untouched));
	entry = untouched;
	memset(component, '\n', 255);
	component[255] = '\0';
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(mkdir(component, 0700), 0);
		assert_int_equal(chdir(component), 0);
	}
	address = map_file("file", true, PROT_READ, MAP_PRIVATE);
	assert_int_equal(procmap_query(maps_fd, address, false, &entry, name), -ENAMETOOLONG);
	assert_memory_equal(&entry, &untouched, sizeof(entry));
	for (int i = 0; i < 8; i++) {
		assert_int_equal(chdir(".."), 0);
		assert_int_equal(rmdir(component), 0);
	}
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void holes(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *area = mmap(NULL, 3 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), name[PROCMAP_NAME_MAX];
	uint64_t middle = (uint64_t)(uintptr_t)(area + page);
	struct maps_entry entry;

	(void)state;
	need_query();
	assert_int_equal(munmap(area + page, page), 0);
	assert_int_equal(procmap_query(maps_fd, middle, false, &entry, name), -ENOENT);
	assert_int_equal(procmap_query(maps_fd, middle, true, &entry, name), 0);
	assert_int_equal(entry.start, middle + page);
	assert_int_equal(procmap_query(maps_fd, middle + 2 * page - 1, false, &entry, name), 0);
	assert_int_equal(entry.start, middle + page);
	assert_int_equal(procmap_query(maps_fd, 0xffffffffff600000, true, &entry, name), -ENOENT);
}

static void mm_is_gone(void **state)
{
	char path[40], name[PROCMAP_NAME_MAX];
	struct maps_entry entry;
	pid_t child = fork();
	int fd, status;

	(void)state;
	if (child == 0) {
		begin_child();
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)child);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	need_query();
	assert_int_equal(procmap_query(fd, 0, true, &entry, name), -ESRCH);
	close(fd);
}

static void not_a_live_maps(void **state)
{
	int fd = fixture_open("odd/102/maps");
	char name[PROCMAP_NAME_MAX];
	struct maps_entry entry;

	(void)state;
	assert_int_equal(procmap_query(fd, 0, true, &entry, name), -ENOTTY);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("every VMA of ours is as maps prints it", every_vma),
		CASE("so are strange names, linked and unlinked", strange_names),
		CASE("a name that has no room is left to the text", name_without_room),
		CASE("a hole holds nothing; the next one is above it", holes),
		CASE("the mm of a dead process", mm_is_gone),
		CASE("a file of a captured tree cannot be asked", not_a_live_maps),
	};

	return cmocka_run_group_tests(cases, set_up, NULL);
}
