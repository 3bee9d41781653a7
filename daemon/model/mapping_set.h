/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapping_set: places that were found to map one page frame.
 *
 * A mapping is an (mm, address): processes that share one mm (CLONE_VM) map a page once, whatever their number.
 * Counting pids would make a pair of them look like all that there is while a further mapper elsewhere is missed.
 */
#ifndef MODEL_MAPPING_SET_H
#define MODEL_MAPPING_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opener/opener.h"

/* More places than these are not looked for. */
#define MAPPING_SET_MAX 65536

struct mapping_place {
	pid_t pid;
	bool is_gone;			/* while it is read again */
	uint64_t address;
	size_t group;			/* the same number: the same mm; see mapping_set_settle() */
	size_t process;			/* settled: its process, in the set's */
};

/* Page table entries that may tell address spaces apart; see mapping_set_settle(). */
#define MAPPING_MARKS 16

struct mapping_process {
	struct opener_target files;	/* MAPPING_FILES, opened together */
	size_t kept;			/* the so-manieth that was kept */
	size_t group;
	size_t first;			/* of its places */
	uint64_t mark;			/* one of its marks: */
	unsigned char mark_of;		/* which */
	bool has_mark;
	bool is_told;			/* apart, by its mark: nobody needs to ask kcmp */
	bool is_new;			/* these files are not those that its places were found by */
	bool is_used;			/* it has places */
};

/* What a row of the answer is made of, and the proof. */
#define MAPPING_FILES (OPENER_WANT(OPENER_COMM) | OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP))

struct mapping_set {
	uint64_t pfn;
	uint64_t marks_start;		/* of the pages of marks; 0: none are read */
	unsigned telling[MAPPING_MARKS];	/* of so many processes each was seen to tell */
	unsigned sampled;		/* so many had all of theirs read, and one that tells */
	unsigned char mark;		/* the one that told of most */
	size_t told;			/* settled: of how many it tells */
	size_t count, capacity;
	struct mapping_place *places;	/* settled: by group, address, pid */
	size_t process_count, process_capacity;
	struct mapping_process *processes;	/* settled: by pid */
	size_t kept;			/* so many, ever */
	bool has_moved;			/* a mark is another one than it was */
};

void mapping_set_init(struct mapping_set *set, uint64_t pfn);
void mapping_set_free(struct mapping_set *set);

/* The same in a thread of its own where there is much to close: nobody who has got the answer needs to wait for that. */
void mapping_set_free_later(struct mapping_set *set);

/* Adds a place; one that is known already may be added again. -E2BIG: there are too many; -ENOMEM. */
int mapping_set_add(struct mapping_set *set, pid_t pid, uint64_t address);

/* Makes room for so many more processes with a place each, if they come, that nothing is moved when they do. -ENOMEM. */
int mapping_set_reserve(struct mapping_set *set, size_t more);

/*
 * Takes over the files (MAPPING_FILES) by which a process's places were found, and reads its mark. What is not kept is
 * opened by mapping_set_settle(). -ENOMEM.
 */
int mapping_set_keep(struct mapping_set *set, struct opener_target *files);

/* Takes over all places and files of another set for the same frame, which is empty then. As mapping_set_add(). */
int mapping_set_take(struct mapping_set *set, struct mapping_set *other);

/*
 * Finds out which places are of one mm, and drops what is twice, and processes that are gone.
 *
 * By marks, where they tell: a frame of anonymous memory that is mapped once, at the same address as other frames in all
 * other processes that were looked at, is in one mm only. fork leaves such a page on the stack, since parent and child
 * both write there. Reading it is a tenth of what sorting by kcmp(2) costs, and it is read through the very descriptors
 * that the proof reads. Marks count only if they are the same when the set is read again.
 *
 * By kcmp where they do not. Then the processes' files are opened anew, in this order: address spaces never become one,
 * so those that differed before differ behind every descriptor, whatever a process does meanwhile (a vfork'ed child that
 * execs, one of a CLONE_VM pair that dies). The other order would count one mm twice, and hide a mapper elsewhere.
 *
 * When it returns, every place has been read by the descriptors that the set has now. -ENOSYS: the kernel cannot tell;
 * -EAGAIN: it changes too quickly to tell; -EMFILE: too many processes to have them all open; or another error of the
 * opener.
 */
int mapping_set_settle(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
		       struct vmad_error *err);

/*
 * Reads every place and every mark of a settled set again, and drops places that map another frame now. True: nothing
 * had changed. look(), unless it is NULL, is called for each place before anything is dropped, by two threads: what it
 * reads of the process costs least while the kernel is about it.
 */
struct mapping_look {
	void (*look)(void *arg, unsigned thread, size_t place);
	void *arg;
};
bool mapping_set_reread(struct mapping_set *set, const struct mapping_look *look);

/* Of a set whose places are in order: says of each process whether, and where first, it has places. */
void mapping_set_find_first(struct mapping_set *set);

/* Reads a place of a settled set. */
bool mapping_set_still_maps(const struct mapping_set *set, const struct mapping_place *place);

/* Sorts places by pid, drops those that are there twice. */
void mapping_set_drop_doubles(struct mapping_set *set);

/*
 * Of a settled set: is it the first of its mm with its address? Those behind it are the same mapping under further
 * pids.
 */
bool mapping_set_is_first(const struct mapping_set *set, size_t i);

/* Mappings: places that are first. Processes: different mms among them. */
size_t mapping_set_count(const struct mapping_set *set);
size_t mapping_set_processes(const struct mapping_set *set);

#endif
