/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapping_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/pagemap.h"

void mapping_set_init(struct mapping_set *set, uint64_t pfn)
{
	*set = (struct mapping_set){ .pfn = pfn };
}

void mapping_set_free(struct mapping_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		close(set->places[i].pagemap_fd);
	free(set->places);
	*set = (struct mapping_set){ 0 };
}

bool mapping_set_has(const struct mapping_set *set, pid_t pid, uint64_t address)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->places[i].pid == pid && set->places[i].address == address)
			return true;
	}
	return false;
}

static int grow(struct mapping_set *set)
{
	size_t capacity = set->capacity ? set->capacity * 2 : 64;
	struct mapping_place *places = realloc(set->places, capacity * sizeof(*places));

	if (!places)
		return -ENOMEM;
	set->places = places;
	set->capacity = capacity;
	return 0;
}

int mapping_set_add(struct mapping_set *set, pid_t pid, uint64_t address, int pagemap_fd)
{
	int fd, r = set->count == MAPPING_SET_MAX ? -EMFILE : set->count == set->capacity ? grow(set) : 0;

	if (r < 0)
		return r;
	fd = fcntl(pagemap_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set->places[set->count] =
		(struct mapping_place){ .pid = pid, .address = address, .pagemap_fd = fd, .group = set->count };
	set->count++;
	set->grouped = false;
	return 0;
}

static bool still_maps(const struct mapping_set *set, const struct mapping_place *place)
{
	uint64_t entry;

	return pagemap_read(place->pagemap_fd, place->address, &entry, 1) == 1 && pagemap_pfn(entry) == set->pfn;
}

bool mapping_set_reread(struct mapping_set *set)
{
	size_t kept = 0;
	bool same;

	for (size_t i = 0; i < set->count; i++) {
		if (still_maps(set, &set->places[i]))
			set->places[kept++] = set->places[i];
		else
			close(set->places[i].pagemap_fd);
	}
	same = kept == set->count;
	set->count = kept;
	set->grouped &= same;
	return same;
}

int mapping_set_group(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
		      struct vmad_error *err)
{
	pid_t *pids;
	size_t *groups;
	int r;

	if (set->grouped || !set->count)
		return 0;
	pids = malloc(set->count * sizeof(*pids));
	groups = malloc(set->count * sizeof(*groups));
	for (size_t i = 0; pids && groups && i < set->count; i++)
		pids[i] = set->places[i].pid;
	r = pids && groups ? opener_same_mm(opener, caller, pids, set->count, groups, err)
			   : vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	for (size_t i = 0; r == 0 && i < set->count; i++)
		set->places[i].group = groups[i];
	set->grouped = r == 0;
	free(pids);
	free(groups);
	return r;
}

bool mapping_set_is_first(const struct mapping_set *set, size_t i)
{
	const struct mapping_place *place = &set->places[i];

	for (size_t j = 0; j < i; j++) {
		if (set->places[j].group == place->group && set->places[j].address == place->address)
			return false;
	}
	return true;
}

size_t mapping_set_count(const struct mapping_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += mapping_set_is_first(set, i);
	return count;
}

size_t mapping_set_processes(const struct mapping_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += set->places[i].group == i;
	return count;
}
