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

/* Reads a process's marks, with the set's own marks_start. */
void mapping_marks_read(const struct mapping_set *set, struct mapping_process *process);

/* Chooses the mark of the set that tells most, and says of each process whether that tells it apart from all others. */
int mapping_marks_tell(struct mapping_set *set);

/* Has the chosen mark of a process changed since it was read? One that cannot be read any more has not. */
bool mapping_mark_moved(const struct mapping_set *set, const struct mapping_process *process);

#endif
