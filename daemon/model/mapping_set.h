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
	uint64_t address;
	size_t group;			/* the same number: the same mm; see mapping_set_settle() */
	size_t files;			/* of its process, in the set's */
};

struct mapping_set {
	uint64_t pfn;
	size_t count, capacity;
	struct mapping_place *places;	/* settled: by group, address, pid */
	struct opener_target *files;	/* settled: stat, maps and pagemap of each process, opened together */
	size_t files_count;
};

void mapping_set_init(struct mapping_set *set, uint64_t pfn);
void mapping_set_free(struct mapping_set *set);

/* Adds a place; one that is known already may be added again. -E2BIG: there are too many; -ENOMEM. */
int mapping_set_add(struct mapping_set *set, pid_t pid, uint64_t address);

/*
 * Finds out which places are of one mm, then opens each process's files anew, in this order: address spaces never
 * become one, so those that differed before differ behind every descriptor, whatever a process does meanwhile (a
 * vfork'ed child that execs, one of a CLONE_VM pair that dies). The other order would count one mm twice, and hide a
 * mapper elsewhere. Drops what is twice, and processes that are gone. -ENOSYS: the kernel cannot tell; -EAGAIN: it
 * changes too quickly to tell; -EMFILE: too many processes to have them all open; or another error of the opener.
 */
int mapping_set_settle(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
		       struct vmad_error *err);

/* Reads every place of a settled set again, and drops those that map another frame now. True: nothing had changed. */
bool mapping_set_reread(struct mapping_set *set);

/*
 * Of a settled set: is it the first of its mm with its address? Those behind it are the same mapping under further
 * pids.
 */
bool mapping_set_is_first(const struct mapping_set *set, size_t i);

/* Mappings: places that are first. Processes: different mms among them. */
size_t mapping_set_count(const struct mapping_set *set);
size_t mapping_set_processes(const struct mapping_set *set);

#endif
