/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapping_set.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "model/halves.h"
#include "model/mapping_marks.h"
#include "model/sort.h"
#include "source/pagemap.h"
#include "stall/stall.h"

#define WORTH_A_THREAD 50	/* processes, whose files take 1 us each to close */

void mapping_set_init(struct mapping_set *set, uint64_t pfn)
{
	*set = (struct mapping_set){ .pfn = pfn };
}

static int by_pid_and_address(const void *a, const void *b)
{
	const struct mapping_place *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

void mapping_set_free(struct mapping_set *set)
{
	for (size_t i = 0; i < set->process_count; i++)
		opener_target_close(&set->processes[i].files);
	free(set->processes);
	free(set->places);
	*set = (struct mapping_set){ 0 };
}

static void *free_in_a_thread(void *arg)
{
	mapping_set_free(arg);
	free(arg);
	return NULL;
}

void mapping_set_free_later(struct mapping_set *set)
{
	struct mapping_set *own = set->process_count < WORTH_A_THREAD ? NULL : malloc(sizeof(*own));
	pthread_t thread;

	if (own)
		*own = *set;
	if (own && pthread_create(&thread, NULL, free_in_a_thread, own) == 0) {
		pthread_detach(thread);
		*set = (struct mapping_set){ 0 };
	} else {
		free(own);
		mapping_set_free(set);
	}
}

static size_t grown(size_t capacity, size_t needed)
{
	size_t most = capacity ? capacity * 2 : 64;

	return needed > most ? needed : most;
}

static int reserve_places(struct mapping_set *set, size_t needed)
{
	size_t capacity = grown(set->capacity, needed);
	struct mapping_place *places;

	if (needed <= set->capacity)
		return 0;
	places = realloc(set->places, capacity * sizeof(*places));
	if (!places)
		return -ENOMEM;
	set->places = places;
	set->capacity = capacity;
	return 0;
}

static int reserve_processes(struct mapping_set *set, size_t needed)
{
	size_t capacity = grown(set->process_capacity, needed);
	struct mapping_process *processes;

	if (needed <= set->process_capacity)
		return 0;
	processes = realloc(set->processes, capacity * sizeof(*processes));
	if (!processes)
		return -ENOMEM;
	set->processes = processes;
	set->process_capacity = capacity;
	return 0;
}

int mapping_set_reserve(struct mapping_set *set, size_t more)
{
	int r = reserve_places(set, set->count + more);

	return r < 0 ? r : reserve_processes(set, set->process_count + more);
}

void mapping_set_drop_doubles(struct mapping_set *set)
{
	size_t kept = 0;

	sort_unless_sorted(set->places, set->count, sizeof(*set->places), by_pid_and_address);
	for (size_t i = 0; i < set->count; i++) {
		if (!kept || by_pid_and_address(&set->places[kept - 1], &set->places[i]) != 0)
			set->places[kept++] = set->places[i];
	}
	set->count = kept;
}

int mapping_set_add(struct mapping_set *set, pid_t pid, uint64_t address)
{
	if (set->count == MAPPING_SET_MAX)
		mapping_set_drop_doubles(set);
	if (set->count == MAPPING_SET_MAX)
		return -E2BIG;
	if (reserve_places(set, set->count + 1) < 0)
		return -ENOMEM;
	set->places[set->count++] = (struct mapping_place){ .pid = pid, .address = address };
	return 0;
}

int mapping_set_keep(struct mapping_set *set, struct opener_target *files)
{
	struct mapping_process *process;

	if (reserve_processes(set, set->process_count + 1) < 0) {
		opener_target_close(files);
		return -ENOMEM;
	}
	process = &set->processes[set->process_count++];
	*process = (struct mapping_process){ .files = *files, .kept = ++set->kept };
	opener_target_reset(files);
	mapping_marks_read(set, process);
	return 0;
}

int mapping_set_take(struct mapping_set *set, struct mapping_set *other)
{
	int r = reserve_processes(set, set->process_count + other->process_count);

	for (size_t i = 0; i < other->count && r == 0; i++)
		r = mapping_set_add(set, other->places[i].pid, other->places[i].address);
	for (size_t i = 0; i < other->process_count && r == 0; i++) {
		struct mapping_process *process = &set->processes[set->process_count++];

		*process = other->processes[i];
		process->kept = ++set->kept;
		opener_target_reset(&other->processes[i].files);
	}
	mapping_marks_take(set, other);
	mapping_set_free(other);
	return r;
}

bool mapping_set_still_maps(const struct mapping_set *set, const struct mapping_place *place)
{
	uint64_t entry;

	stall_turn_to(place->pid);
	return pagemap_read(set->processes[place->process].files.fd[OPENER_PAGEMAP], place->address, &entry, 1) == 1 &&
	       pagemap_pfn(entry) == set->pfn;
}

void mapping_set_find_first(struct mapping_set *set)
{
	for (size_t i = 0; i < set->process_count; i++)
		set->processes[i].is_used = false;
	for (size_t i = set->count; i-- > 0; ) {
		struct mapping_process *process = &set->processes[set->places[i].process];

		process->is_used = true;
		process->first = i;
	}
}

#define REREAD_SHARE 8		/* places that a thread takes at a time: the second one comes later */

struct reread {
	struct mapping_set *set;
	const struct mapping_look *look;
	atomic_size_t next;
	bool moved[2];
};

/* A process's mark is read with its first place: once. */
static void reread_one(struct reread *reread, unsigned thread, size_t place)
{
	struct mapping_set *set = reread->set;
	const struct mapping_process *process = &set->processes[set->places[place].process];

	set->places[place].is_gone = !mapping_set_still_maps(set, &set->places[place]);
	reread->moved[thread] |= process->first == place && mapping_mark_moved(set, process);
	if (reread->look)
		reread->look->look(reread->look->arg, thread, place);
}

static void reread_shares(void *arg, unsigned thread)
{
	struct reread *reread = arg;
	const size_t count = reread->set->count;

	for (size_t at; (at = atomic_fetch_add(&reread->next, REREAD_SHARE)) < count; ) {
		for (size_t i = at; i < count && i < at + REREAD_SHARE; i++)
			reread_one(reread, thread, i);
	}
}

bool mapping_set_reread(struct mapping_set *set, const struct mapping_look *look)
{
	struct reread reread = { .set = set, .look = look };
	size_t kept = 0;
	bool same;

	halves_run(reread_shares, &reread, set->count);
	set->has_moved |= reread.moved[0] || reread.moved[1];
	for (size_t i = 0; i < set->count; i++) {
		if (!set->places[i].is_gone)
			set->places[kept++] = set->places[i];
	}
	same = kept == set->count && !set->has_moved;
	if (kept < set->count) {
		set->count = kept;
		mapping_set_find_first(set);
	}
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
