/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target: one process with the files that a question needs, all of the same process: they come through one /proc/PID
 * descriptor, and its start time names it.
 */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include <stdbool.h>

#include "opener/opener.h"
#include "source/stat.h"
#include "vmad/records.h"

struct target {
	struct opener_target files;
	struct stat_facts facts;
};

/*
 * Opens `want` (OPENER_WANT bits; stat comes anyway) of a process. start_time_ticks, where not 0, must be the process's
 * own. -ENOENT or -ESRCH: gone, or hidden from this caller; -EACCES or -EPERM: refused; -ESTALE: the pid is another
 * process's now; -ETIMEDOUT: it does not let itself be opened; -EOPNOTSUPP: it is there, but this kernel (or captured
 * tree) lacks such a file. On success the caller closes it. status, limits and auxv may be missing: their descriptors are
 * negative then.
 */
int target_open(struct opener *opener, const struct vmad_caller *caller, pid_t pid, unsigned want,
		uint64_t start_time_ticks, struct target *ret_target, struct vmad_error *err);
void target_close(struct target *target);

/*
 * Many at once, at most OPENER_BATCH descriptors (stat is one of each). 0: ret_codes tells how each went, as target_open;
 * those with 0 are the caller's to close.
 */
int target_open_many(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		     unsigned want, struct target *ret_targets, int *ret_codes, struct vmad_error *err);

/* Takes one file's descriptor out of the target: it is the caller's to close now. */
int target_take(struct target *target, enum opener_file file);

/*
 * Has it no memory by nature: a thread of the kernel, or a zombie? Then an empty maps is the whole truth. A leader that
 * exited while other threads live is a zombie too, but its process has memory.
 */
bool target_has_no_mm(const struct target *target);

/*
 * What was opened may be gone while the process is not: after an exec it has another memory. After a question that ended
 * so (*r is -ESRCH), true: the process is there, ask again. Where that goes on and on, *r becomes -EBUSY; where the
 * process is not there, what target_open() says.
 */
struct target_again {
	struct opener *opener;
	const struct vmad_caller *caller;
	pid_t pid;
	uint64_t start_time_ticks;	/* 0: any */
	unsigned tries;			/* so far */
};
bool target_asks_again(struct target_again *again, int *r, struct vmad_error *err);

/* comm points into the target. */
struct vmad_target target_record(const struct target *target);

#endif
