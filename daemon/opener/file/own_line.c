/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/own_line.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OWN_MAPS_BYTES (32 * 1024)	/* most of vmad's own maps in one go */

static FILE *open_own_maps(const struct procfs *procfs, char *buffer)
{
	int fd = openat(procfs->live_fd, "self/maps", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (file)
		setvbuf(file, buffer, _IOFBF, OWN_MAPS_BYTES);
	else if (fd >= 0)
		close(fd);
	return file;
}

/* The line that begins with this address. */
static void find_line(FILE *maps, const void *address, char to[static OPENER_LINE_MAX])
{
	char *line = NULL, begin[24];
	size_t size = 0;
	int len = snprintf(begin, sizeof(begin), "%08lx-", (unsigned long)address);

	while (getline(&line, &size, maps) > 0) {
		if (strncmp(line, begin, (size_t)len))
			continue;
		snprintf(to, OPENER_LINE_MAX, "%s", line);
		break;
	}
	free(line);
}

/* hugetlbfs maps whole huge pages, and reserves them; there stat(2) says what maps does. */
static bool is_hugetlb(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC;
}

void own_line(const struct procfs *procfs, int fd, char line[static OPENER_LINE_MAX])
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *buffer;
	void *mapping;
	FILE *maps;

	line[0] = '\0';
	if (is_hugetlb(fd))
		return;
	buffer = malloc(OWN_MAPS_BYTES);
	mapping = buffer ? mmap(NULL, page, PROT_NONE, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (mapping != MAP_FAILED) {
		maps = open_own_maps(procfs, buffer);
		if (maps) {
			find_line(maps, mapping, line);
			fclose(maps);
		}
		munmap(mapping, page);
	}
	free(buffer);
}
