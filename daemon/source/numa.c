/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/numa.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_line(const char *sysfs, const char *name, char *line, int size)
{
	char path[PATH_MAX];
	FILE *file;
	bool got;

	snprintf(path, sizeof(path), "%s/%s", sysfs, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	got = fgets(line, size, file) != NULL;
	fclose(file);
	return got ? 0 : -EIO;
}

bool numa_parse_node(const char *list, unsigned *ret_node)
{
	char *end;
	unsigned long node;

	if (!isdigit((unsigned char)*list))
		return false;
	node = strtoul(list, &end, 10);
	if ((*end != '\n' && *end != '\0') || node > UINT_MAX)
		return false;
	*ret_node = (unsigned)node;
	return true;
}

bool numa_parse_block_size(const char *text, uint64_t *ret_bytes)
{
	size_t digits = strspn(text, "0123456789abcdef");

	if (!digits || digits > 16 || (text[digits] != '\n' && text[digits] != '\0'))
		return false;
	*ret_bytes = strtoull(text, NULL, 16);
	return true;
}

/* A block has a link to each node that it lies in: mostly one. Of several it is not known which. */
static int find_link(DIR *block, unsigned *ret_node)
{
	struct dirent *entry;
	unsigned found = 0;

	while ((entry = readdir(block))) {
		if (strncmp(entry->d_name, "node", 4) == 0 && numa_parse_node(entry->d_name + 4, ret_node))
			found++;
	}
	return found == 1 ? 0 : -ENOENT;
}

static int node_of_block(const char *sysfs, uint64_t block, unsigned *ret_node)
{
	char path[PATH_MAX];
	unsigned node;
	DIR *directory;
	int r;

	snprintf(path, sizeof(path), "%s/memory/memory%llu", sysfs, (unsigned long long)block);
	directory = opendir(path);
	if (!directory)
		return -ENOENT;
	r = find_link(directory, &node);
	closedir(directory);
	if (r == 0)
		*ret_node = node;
	return r;
}

int numa_node_of(const char *sysfs, uint64_t pfn, unsigned *ret_node, uint64_t *ret_end)
{
	uint64_t block_size, block_frames, page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	char line[256];

	if (read_line(sysfs, "node/has_memory", line, sizeof(line)) < 0)
		return -EOPNOTSUPP;
	*ret_end = UINT64_MAX;
	/* Most hosts have one node with memory: then it is known without a look at blocks, which small kernels do not show. */
	if (numa_parse_node(line, ret_node))
		return 0;
	if (read_line(sysfs, "memory/block_size_bytes", line, sizeof(line)) < 0 || !numa_parse_block_size(line, &block_size))
		return -ENOENT;
	block_frames = block_size / page_size;
	if (!block_frames)
		return -ENOENT;
	if (pfn / block_frames < UINT64_MAX / block_frames)
		*ret_end = (pfn / block_frames + 1) * block_frames;
	return node_of_block(sysfs, pfn / block_frames, ret_node);
}
