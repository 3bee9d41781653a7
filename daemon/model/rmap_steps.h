/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rmap_steps: the three ways in which rmap looks for mappings of a frame, cheapest first. Each adds what it finds to a
 * set.
 */
#ifndef MODEL_RMAP_STEPS_H
#define MODEL_RMAP_STEPS_H

#include "model/mapping_set.h"

struct rmap_question {
	struct opener *opener;
	const struct vmad_caller *caller;
	struct opener_listing *listing;	/* of all processes, begun already, for the first step that asks; or NULL */
	uint64_t deadline_us;		/* by clock_us() */
	pid_t pid;			/* whose page it is, or 0: its children often have the next pids */
	size_t enough;			/* a scan ends once it has found so many places */
	/* out: a process could not be looked into, so mappings may be missing for ever */
	bool unreadable;
};

/* For a first step that comes soon: meanwhile there is something else to do. */
void rmap_begin_listing(struct rmap_question *question);
/* No step has asked for it. */
void rmap_end_listing(struct rmap_question *question);

/*
 * All return 0; -ETIMEDOUT: the deadline is over; -E2BIG: the set is full; -EMFILE: out of descriptors; or another
 * negative errno. What was found until then is in the set. Processes that come and go are passed over: the proof finds
 * them out.
 */

/* One page table entry of every process, at one address: fork leaves pages where they were. */
int rmap_step_same_address(struct rmap_question *question, uint64_t address, struct mapping_set *set,
			   struct vmad_error *err);

/* Every VMA of every process that maps this offset of this file, as the kernel shows both in maps. */
int rmap_step_file_offset(struct rmap_question *question, uint64_t device, uint64_t inode, uint64_t offset,
			  struct mapping_set *set,
			  struct vmad_error *err);

/* Every page of every process; each mm once, paced. -EALREADY: it has found enough. */
int rmap_step_scan(struct rmap_question *question, struct mapping_set *set, struct vmad_error *err);

#endif
