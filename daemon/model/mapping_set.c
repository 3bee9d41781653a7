/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapping_set.h"

#include <errno.h>
#include <stdlib.h>

#include "model/halves.h"
#include "source/pagemap.h"

void mapping_set_init(struct mapping_set *set, uint64_t pfn)
{
	*set = (struct mapping_set){ .pfn = pfn };
}

static void close_files(struct mapping_set *set)
{
	for (size_t i = 0; i < set->files_count; i++)
		opener_target_close(&set->files[i]);
	free(set->files);
	set->files = NULL;
	set->files_count = 0;
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

void mapping_set_free(struct mapping_set *set)
{
	close_files(set);
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

	sort(set, by_pid_and_address);
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
	set->places[set->count++] = (struct mapping_place){ .pid = pid, .address = address };
	return 0;
}

#define WANT (OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP))
#define BATCH (OPENER_BATCH / 3)

/* The processes of a set without doubles, each once: the places of one are neighbours then. */
struct processes {
	size_t count;
	pid_t *pids;
	size_t *groups;
};

static void free_processes(struct processes *processes)
{
	free(processes->pids);
	free(processes->groups);
}

static int list_processes(struct mapping_set *set, struct processes *processes)
{
	*processes = (struct processes){ .pids = calloc(set->count, sizeof(pid_t)),
					 .groups = calloc(set->count, sizeof(size_t)) };
	set->files = calloc(set->count, sizeof(*set->files));
	if (!processes->pids || !processes->groups || !set->files)
		return -ENOMEM;
	for (size_t i = 0; i < set->count; i++) {
		if (i == 0 || set->places[i].pid != set->places[i - 1].pid)
			processes->pids[processes->count++] = set->places[i].pid;
		set->places[i].files = processes->count - 1;
	}
	return 0;
}

static int open_batch(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		      struct opener_target *files, struct vmad_error *err)
{
	int r;

	for (size_t i = 0; i < count; i++) {
		files[i].pid = pids[i];
		files[i].want = WANT;
	}
	r = opener_open(opener, caller, files, count, err);
	for (size_t i = 0; i < count && r == 0; i++) {
		int fd = files[i].fd[OPENER_PAGEMAP];

		if (fd == -EMFILE || fd == -ENFILE)
			return vmad_fail(err, EMFILE, pids[i], "pagemap", "open");
	}
	return r;
}

struct opening {
	struct opener *opener;
	const struct vmad_caller *caller;
	const struct processes *processes;
	struct opener_target *files;
	struct vmad_error err[2];
	int result[2];
};

static void open_half(void *arg, unsigned which)
{
	struct opening *opening = arg;
	size_t middle = opening->processes->count / 2, end = which ? opening->processes->count : middle;

	for (size_t i = which ? middle : 0; i < end && opening->result[which] == 0; i += BATCH)
		opening->result[which] = open_batch(opening->opener, opening->caller, opening->processes->pids + i,
						    end - i < BATCH ? end - i : BATCH, opening->files + i,
						    &opening->err[which]);
}

static int open_processes(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
			  const struct processes *processes, struct vmad_error *err)
{
	struct opening opening = { .opener = opener, .caller = caller, .processes = processes, .files = set->files };
	unsigned failed;

	set->files_count = processes->count;
	for (size_t i = 0; i < set->files_count; i++) {
		for (int file = 0; file < OPENER_FILES; file++)
			set->files[i].fd[file] = -EBADF;
	}
	halves_run(open_half, &opening, processes->count);
	failed = opening.result[0] == 0;
	if (opening.result[failed] < 0 && err)
		*err = opening.err[failed];
	return opening.result[failed];
}

/* Gives the places what was learnt about their processes. Those without a group or a pagemap are gone. */
static void spread(struct mapping_set *set, const struct processes *processes)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct mapping_place place = set->places[i];

		place.group = processes->groups[place.files];
		if (place.group != OPENER_NO_MM && set->files[place.files].fd[OPENER_PAGEMAP] >= 0)
			set->places[kept++] = place;
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

	close_files(set);
	drop_doubles(set);
	if (!set->count)
		return 0;
	r = list_processes(set, &processes);
	if (r < 0)
		vmad_fail(err, -r, 0, NULL, "allocate");
	else
		r = group_processes(opener, caller, &processes, err);
	if (r == 0 || is_untold(r)) {
		opened = open_processes(set, opener, caller, &processes, err);
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

	return pagemap_read(set->files[place->files].fd[OPENER_PAGEMAP], place->address, &entry, 1) == 1 &&
	       pagemap_pfn(entry) == set->pfn;
}

bool mapping_set_reread(struct mapping_set *set)
{
	size_t kept = 0;
	bool same;

	for (size_t i = 0; i < set->count; i++) {
		if (still_maps(set, &set->places[i]))
			set->places[kept++] = set->places[i];
	}
	same = kept == set->count;
	set->count = kept;
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
