/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapping_set: places that were found to map one page frame, each with its process's pagemap kept open, so that they
 * can be read again.
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

/* More pagemaps than these are not kept open at once. */
#define MAPPING_SET_MAX 4096

struct mapping_place {
	pid_t pid;
	uint64_t address;
	int pagemap_fd;			/* its own */
	size_t group;			/* place of the first with the same mm; see mapping_set_group() */
};

struct mapping_set {
	uint64_t pfn;
	size_t count, capacity;
	struct mapping_place *places;	/* sorted by nothing but time */
	bool grouped;
};

void mapping_set_init(struct mapping_set *set, uint64_t pfn);
void mapping_set_free(struct mapping_set *set);

/* Is this place known already? */
bool mapping_set_has(const struct mapping_set *set, pid_t pid, uint64_t address);

/* Adds a place; the descriptor is duplicated. -EMFILE: there are too many; -ENOMEM. */
int mapping_set_add(struct mapping_set *set, pid_t pid, uint64_t address, int pagemap_fd);

/* Reads every place again, and drops those that map another frame now. True: nothing had changed. */
bool mapping_set_reread(struct mapping_set *set);

/*
 * Finds out which places are of one mm. -ENOSYS: the kernel cannot tell; each process then counts as an mm of its own.
 * /
 */
int mapping_set_group(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
		      struct vmad_error *err);

/*
 * Is it the first of its mm with its address? Others are the same mapping under a further pid. Needs
 * mapping_set_group().
 */
bool mapping_set_is_first(const struct mapping_set *set, size_t i);

/* Mappings: places that are first. Processes: different mms among them. */
size_t mapping_set_count(const struct mapping_set *set);
size_t mapping_set_processes(const struct mapping_set *set);

#endif
