/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapping_marks.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/pagemap.h"
#include "stall/stall.h"

/* Which frame, or which other thing; not what becomes of it: fork makes a page shared that stays where it is. */
#define IDENTITY (PAGEMAP_PRESENT | PAGEMAP_SWAPPED | PAGEMAP_PFN_MASK)

uint64_t mapping_marks_start(uint64_t stack)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t end = stack / page * page + page;

	return end > MAPPING_MARKS * page ? end - MAPPING_MARKS * page : 0;
}

void mapping_marks_read(const struct mapping_set *set, struct mapping_process *process)
{
	process->has_marks = set->marks_start && pagemap_read(process->files.fd[OPENER_PAGEMAP], set->marks_start,
							      process->marks, MAPPING_MARKS) == MAPPING_MARKS;
}

/* Anonymous memory that is mapped once. */
static bool tells(uint64_t entry)
{
	return entry & PAGEMAP_PRESENT && entry & PAGEMAP_EXCLUSIVE && !(entry & PAGEMAP_FILE) && pagemap_pfn(entry);
}

static size_t choose(const struct mapping_set *set)
{
	size_t best = 0, most = 0;

	for (size_t mark = 0; mark < MAPPING_MARKS; mark++) {
		size_t telling = 0;

		for (size_t i = 0; i < set->process_count; i++)
			telling += tells(set->processes[i].marks[mark]);
		if (telling > most) {
			best = mark;
			most = telling;
		}
	}
	return best;
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

static void tell_unique(struct mapping_set *set, struct marked *marked)
{
	const size_t count = set->process_count;

	for (size_t i = 0; i < count; i++)
		marked[i] = (struct marked){ set->processes[i].marks[set->mark] & IDENTITY, i };
	qsort(marked, count, sizeof(*marked), by_identity);
	for (size_t i = 0; i < count; i++) {
		struct mapping_process *process = &set->processes[marked[i].process];
		bool twice = (i > 0 && marked[i - 1].identity == marked[i].identity) ||
			     (i + 1 < count && marked[i + 1].identity == marked[i].identity);

		process->is_told = !twice && tells(process->marks[set->mark]);
		set->told += process->is_told;
	}
}

static bool all_have_marks(const struct mapping_set *set)
{
	for (size_t i = 0; i < set->process_count; i++) {
		if (!set->processes[i].has_marks)
			return false;
	}
	return true;
}

int mapping_marks_tell(struct mapping_set *set)
{
	struct marked *marked;

	set->told = 0;
	for (size_t i = 0; i < set->process_count; i++)
		set->processes[i].is_told = false;
	/* Somebody without a mark may be whose mark another one has. */
	if (!set->marks_start || !set->process_count || !all_have_marks(set))
		return 0;
	marked = calloc(set->process_count, sizeof(*marked));
	if (!marked)
		return -ENOMEM;
	set->mark = choose(set);
	tell_unique(set, marked);
	free(marked);
	return 0;
}

bool mapping_mark_moved(const struct mapping_set *set, const struct mapping_process *process)
{
	const uint64_t address = set->marks_start + set->mark * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t entry;

	stall_turn_to(process->files.pid);
	return set->told && pagemap_read(process->files.fd[OPENER_PAGEMAP], address, &entry, 1) == 1 &&
	       (entry & IDENTITY) != (process->marks[set->mark] & IDENTITY);
}
