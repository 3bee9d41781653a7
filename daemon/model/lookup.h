/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookup: what one address of a process is: the VMA that holds it, or the gap, and the neighbours. With PROCMAP_QUERY
 * it asks the kernel's tree some times (microseconds, however many VMAs there are); without it, it reads maps up to the
 * place. [vsyscall] is a VMA where its own address is asked for, and nobody's `next`: what lies below it is beyond user
 * space.
 */
#ifndef MODEL_LOOKUP_H
#define MODEL_LOOKUP_H

#include "model/target.h"
#include "vmad/records.h"

struct lookup;

/*
 * The target needs OPENER_MAPS and stays the caller's. A process without memory by nature has one gap. -ESRCH: the mm
 * is gone; -EIO: maps held what is no line of it; or an error of read().
 */
int lookup_new(struct target *target, uint64_t address, struct lookup **ret_lookup, struct vmad_error *err);
void lookup_free(struct lookup *lookup);

/* Lives as long as the lookup, with its strings. */
const struct vmad_lookup *lookup_record(const struct lookup *lookup);

/* "PROCMAP_QUERY" or "maps". */
const char *lookup_source(const struct lookup *lookup);

#endif
