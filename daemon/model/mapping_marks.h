/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapping_marks: page table entries by which the address spaces of a mapping_set are told apart; see
 * mapping_set_settle().
 */
#ifndef MODEL_MAPPING_MARKS_H
#define MODEL_MAPPING_MARKS_H

#include "model/mapping_set.h"

/* Where the marks of a process begin whose stack began at this address (AT_RANDOM); 0 where there is no room for them. */
uint64_t mapping_marks_start(uint64_t stack);

/*
 * Reads a process's mark, with the set's own marks_start: all of them of the first few processes, then the one that told of
 * most, and again all of a process that this one does not tell of, so that another one may become the one that is read.
 */
void mapping_marks_read(struct mapping_set *set, struct mapping_process *process);

/* What another set has seen its marks tell, whose processes are this one's from now on. */
void mapping_marks_take(struct mapping_set *set, const struct mapping_set *other);

/* Says of each process whether the mark that told of most tells it apart from all others. -ENOMEM. */
int mapping_marks_tell(struct mapping_set *set);

/*
 * Has the mark of a process changed since it was read? One that cannot be read any more has not. To be asked of those as
 * well that it did not tell: of two that are one mm, the first may have been read before a page came there, and the second
 * after that, which tells it from all others; then only the first one's has changed.
 */
bool mapping_mark_moved(const struct mapping_set *set, const struct mapping_process *process);

#endif
