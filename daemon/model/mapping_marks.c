/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapping_marks.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/pagemap.h"
#include "stall/stall.h"

/* Which frame, or which other thing; not what becomes of it: fork makes a page shared that stays where it is. */
#define IDENTITY (PAGEMAP_PRESENT | PAGEMAP_SWAPPED | PAGEMAP_PFN_MASK)

/* Processes by which one is chosen. The first of a family is often unlike the others. */
#define SAMPLE 8

uint64_t mapping_marks_start(uint64_t stack)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t end = stack / page * page + page;

	return end > MAPPING_MARKS * page ? end - MAPPING_MARKS * page : 0;
}

/* Anonymous memory that is mapped once. */
static bool tells(uint64_t entry)
{
	return entry & PAGEMAP_PRESENT && entry & PAGEMAP_EXCLUSIVE && !(entry & PAGEMAP_FILE) && pagemap_pfn(entry);
}

/* Among equals the one nearest to where the stack begins: who goes deeper has come by it. */
static void choose(struct mapping_set *set)
{
	for (unsigned char mark = 0; mark < MAPPING_MARKS; mark++) {
		if (set->telling[mark] >= set->telling[set->mark])
			set->mark = mark;
	}
}

static bool read_chosen(const struct mapping_set *set, const struct mapping_process *process, uint64_t *ret_entry)
{
	const uint64_t address = set->marks_start + set->mark * (uint64_t)sysconf(_SC_PAGESIZE);

	return pagemap_read(process->files.fd[OPENER_PAGEMAP], address, ret_entry, 1) == 1;
}

static bool read_all(struct mapping_set *set, const struct mapping_process *process, uint64_t *ret_entry)
{
	uint64_t marks[MAPPING_MARKS];
	bool any = false;

	if (pagemap_read(process->files.fd[OPENER_PAGEMAP], set->marks_start, marks, MAPPING_MARKS) != MAPPING_MARKS)
		return false;
	for (size_t mark = 0; mark < MAPPING_MARKS; mark++) {
		set->telling[mark] += tells(marks[mark]);
		any |= tells(marks[mark]);
	}
	set->sampled += any;
	choose(set);
	*ret_entry = marks[set->mark];
	return true;
}

void mapping_marks_read(struct mapping_set *set, struct mapping_process *process)
{
	if (!set->marks_start)
		return;
	if (set->sampled >= SAMPLE && read_chosen(set, process, &process->mark) && tells(process->mark)) {
		set->telling[set->mark]++;
		process->has_mark = true;
	} else {
		process->has_mark = read_all(set, process, &process->mark);
	}
	process->mark_of = set->mark;
}

void mapping_marks_take(struct mapping_set *set, const struct mapping_set *other)
{
	for (size_t mark = 0; mark < MAPPING_MARKS; mark++)
		set->telling[mark] += other->telling[mark];
	set->sampled += other->sampled;
	choose(set);
}

struct marked {
	uint64_t identity;
	size_t process;
};

static int by_identity(const void *a, const void *b)
{
	const struct marked *x = a, *y = b;

	return (x->identity > y->identity) - (x->identity < y->identity);
}

/* True: all have the mark that was chosen in the end. */
static bool read_missing(struct mapping_set *set)
{
	for (size_t i = 0; i < set->process_count; i++) {
		struct mapping_process *process = &set->processes[i];

		if (process->mark_of != set->mark) {
			stall_turn_to(process->files.pid);
			process->has_mark = read_chosen(set, process, &process->mark);
			process->mark_of = set->mark;
		}
		if (!process->has_mark)
			return false;
	}
	return true;
}

static void tell_unique(struct mapping_set *set, struct marked *marked)
{
	const size_t count = set->process_count;

	for (size_t i = 0; i < count; i++)
		marked[i] = (struct marked){ set->processes[i].mark & IDENTITY, i };
	qsort(marked, count, sizeof(*marked), by_identity);
	for (size_t i = 0; i < count; i++) {
		struct mapping_process *process = &set->processes[marked[i].process];
		bool twice = (i > 0 && marked[i - 1].identity == marked[i].identity) ||
			     (i + 1 < count && marked[i + 1].identity == marked[i].identity);

		process->is_told = !twice && tells(process->mark);
		set->told += process->is_told;
	}
}

int mapping_marks_tell(struct mapping_set *set)
{
	struct marked *marked;

	set->told = 0;
	for (size_t i = 0; i < set->process_count; i++)
		set->processes[i].is_told = false;
	/* Somebody without a mark may be whose mark another one has. */
	if (!set->marks_start || !set->telling[set->mark] || !read_missing(set))
		return 0;
	marked = calloc(set->process_count, sizeof(*marked));
	if (!marked)
		return -ENOMEM;
	tell_unique(set, marked);
	free(marked);
	return 0;
}

bool mapping_mark_moved(const struct mapping_set *set, const struct mapping_process *process)
{
	uint64_t entry;

	stall_turn_to(process->files.pid);
	return set->told && read_chosen(set, process, &entry) && (entry & IDENTITY) != (process->mark & IDENTITY);
}
