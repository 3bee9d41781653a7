/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapping_set.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/pagemap.h"

void mapping_set_init(struct mapping_set *set, uint64_t pfn)
{
	*set = (struct mapping_set){ .pfn = pfn };
}

/* A process's descriptor is closed with the last of its places. */
static void close_unused(struct mapping_set *set, size_t i)
{
	int fd = set->places[i].pagemap_fd;

	set->places[i].pagemap_fd = -1;
	if (fd < 0)
		return;
	for (size_t j = 0; j < set->count; j++) {
		if (set->places[j].pagemap_fd == fd)
			return;
	}
	close(fd);
}

static int by_pid_and_address(const void *a, const void *b)
{
	const struct mapping_place *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

static int by_group_and_address(const void *a, const void *b)
{
	const struct mapping_place *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void sort(struct mapping_set *set, int (*compare)(const void *a, const void *b))
{
	if (set->count)
		qsort(set->places, set->count, sizeof(*set->places), compare);
}

/* One descriptor a process: its places are neighbours in this order. */
static void close_all(struct mapping_set *set)
{
	sort(set, by_pid_and_address);
	for (size_t i = 0; i < set->count; i++) {
		int fd = set->places[i].pagemap_fd;

		set->places[i].pagemap_fd = -1;
		if (fd >= 0 && (i + 1 == set->count || set->places[i + 1].pagemap_fd != fd))
			close(fd);
	}
}

void mapping_set_free(struct mapping_set *set)
{
	close_all(set);
	free(set->places);
	*set = (struct mapping_set){ 0 };
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

static void drop_doubles(struct mapping_set *set)
{
	size_t kept = 0;

	close_all(set);
	for (size_t i = 0; i < set->count; i++) {
		if (!kept || by_pid_and_address(&set->places[kept - 1], &set->places[i]) != 0)
			set->places[kept++] = set->places[i];
	}
	set->count = kept;
}

int mapping_set_add(struct mapping_set *set, pid_t pid, uint64_t address)
{
	int r = 0;

	if (set->count == MAPPING_SET_MAX)
		drop_doubles(set);
	if (set->count == MAPPING_SET_MAX)
		return -E2BIG;
	if (set->count == set->capacity)
		r = grow(set);
	if (r < 0)
		return r;
	set->places[set->count++] = (struct mapping_place){ .pid = pid, .address = address, .pagemap_fd = -1 };
	return 0;
}

/* The processes of a set without doubles, each once. */
struct processes {
	size_t count;
	pid_t *pids;
	size_t *groups;
	int *fds;
};

static void free_processes(struct processes *processes)
{
	free(processes->pids);
	free(processes->groups);
	free(processes->fds);
}

static int list_processes(const struct mapping_set *set, struct processes *processes)
{
	*processes = (struct processes){ .pids = calloc(set->count, sizeof(pid_t)), .groups = calloc(set->count,
												     sizeof(size_t)),
					 .fds = calloc(set->count, sizeof(int)) };
	if (!processes->pids || !processes->groups || !processes->fds)
		return -ENOMEM;
	for (size_t i = 0; i < set->count; i++) {
		if (i == 0 || set->places[i].pid != set->places[i - 1].pid)
			processes->pids[processes->count++] = set->places[i].pid;
	}
	return 0;
}

/* A process that cannot be opened any more has fd -1. */
static int open_batch(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		      int *fds, struct vmad_error *err)
{
	struct opener_target targets[OPENER_BATCH];
	int r;

	for (size_t i = 0; i < count; i++)
		targets[i] = (struct opener_target){ .pid = pids[i], .want = OPENER_WANT(OPENER_PAGEMAP) };
	r = opener_open(opener, caller, targets, count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		fds[i] = targets[i].fd[OPENER_PAGEMAP];
		if (fds[i] == -EMFILE || fds[i] == -ENFILE)
			r = vmad_fail(err, EMFILE, pids[i], "pagemap", "open");
		if (fds[i] < 0)
			fds[i] = -1;
	}
	return r;
}

static int open_processes(struct opener *opener, const struct vmad_caller *caller, struct processes *processes,
			  struct vmad_error *err)
{
	int r = 0;

	for (size_t i = 0; i < processes->count; i++)
		processes->fds[i] = -1;
	for (size_t i = 0; i < processes->count && r == 0; i += OPENER_BATCH) {
		size_t rest = processes->count - i;

		r = open_batch(opener, caller, processes->pids + i, rest < OPENER_BATCH ? rest : OPENER_BATCH,
			       processes->fds + i, err);
	}
	return r;
}

/* Gives the places what was learnt about their processes. Those without a group or a descriptor are gone. */
static void spread(struct mapping_set *set, const struct processes *processes)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct mapping_place place = set->places[i];

		while (processes->pids[at] != place.pid)
			at++;
		place.group = processes->groups[at];
		place.pagemap_fd = processes->fds[at];
		if (place.group != OPENER_NO_MM && place.pagemap_fd >= 0)
			set->places[kept++] = place;
		else if (place.pagemap_fd >= 0 && (i + 1 == set->count || set->places[i + 1].pid != place.pid))
			close(place.pagemap_fd);
	}
	set->count = kept;
	sort(set, by_group_and_address);
}

static bool is_untold(int code)
{
	return code == -ENOSYS || code == -EAGAIN;
}

/*
 * Where the kernel cannot tell, each process is a group of its own, and -ENOSYS says that there may be too many of
 * them.
 */
static int group_processes(struct opener *opener, const struct vmad_caller *caller, struct processes *processes,
			   struct vmad_error *err)
{
	int r = opener_same_mm(opener, caller, processes->pids, processes->count, processes->groups, err);

	for (size_t i = 0; is_untold(r) && i < processes->count; i++)
		processes->groups[i] = i;
	return r;
}

int mapping_set_settle(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
		       struct vmad_error *err)
{
	struct processes processes;
	int r, opened = 0;

	drop_doubles(set);
	if (!set->count)
		return 0;
	r = list_processes(set, &processes);
	if (r < 0)
		vmad_fail(err, -r, 0, NULL, "allocate");
	else
		r = group_processes(opener, caller, &processes, err);
	if (r == 0 || is_untold(r)) {
		opened = open_processes(opener, caller, &processes, err);
		spread(set, &processes);
	} else {
		set->count = 0;
	}
	free_processes(&processes);
	return opened < 0 ? opened : r;
}

static bool still_maps(const struct mapping_set *set, const struct mapping_place *place)
{
	uint64_t entry;

	return pagemap_read(place->pagemap_fd, place->address, &entry, 1) == 1 && pagemap_pfn(entry) == set->pfn;
}

bool mapping_set_reread(struct mapping_set *set)
{
	bool same = true;

	for (size_t i = 0; i < set->count;) {
		struct mapping_place last = set->places[set->count - 1];

		if (still_maps(set, &set->places[i])) {
			i++;
			continue;
		}
		close_unused(set, i);
		set->places[i] = last;
		set->count--;
		same = false;
	}
	if (!same)
		sort(set, by_group_and_address);
	return same;
}

bool mapping_set_is_first(const struct mapping_set *set, size_t i)
{
	const struct mapping_place *place = &set->places[i];

	return i == 0 || place[-1].group != place->group || place[-1].address != place->address;
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
		count += i == 0 || set->places[i - 1].group != set->places[i].group;
	return count;
}
