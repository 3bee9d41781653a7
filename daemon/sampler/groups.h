/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * groups: processes summed up by group, and the largest groups chosen, so that a host with many has no more series than
 * others. A group that has been shown stays unless a much larger one needs its place.
 */
#ifndef SAMPLER_GROUPS_H
#define SAMPLER_GROUPS_H

#include "sampler/process.h"
#include "sampler/snapshot.h"

struct groups;

/* most: groups in a snapshot, the one of all others included; at most GROUPS_MAX. NULL without memory. */
struct groups *groups_new(size_t most);
void groups_free(struct groups *groups);

/*
 * Fills the groups of the snapshot, in the order of their names, and says how many were folded into the one of all
 * others. 0 or -ENOMEM: the snapshot is as it was.
 */
int groups_sum(struct groups *groups, const struct process_table *table, struct snapshot *snapshot,
	       size_t *ret_folded);

#endif
