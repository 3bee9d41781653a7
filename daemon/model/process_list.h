/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process_list: the processes that a caller may see, with their facts, in the order of their pids. A pull iterator that
 * works through the pids in batches.
 */
#ifndef MODEL_PROCESS_LIST_H
#define MODEL_PROCESS_LIST_H

#include "model/usage_sum.h"
#include "vmad/records.h"

struct process_list;

struct process_query {
	bool count_vmas;		/* read each maps and count */
	bool usage;			/* read each smaps_rollup, which walks the page tables */
	bool without_facts;		/* pid, start time and comm are enough; uid and unit then match nothing */
	const char *comm, *unit;	/* fnmatch patterns, or NULL */
	bool has_uid;
	uint64_t uid;
	uint64_t limit;			/* 0: all */
	pid_t after;			/* go on with pids above */
	pid_t only;			/* just this one, or 0 */
	const pid_t *among;		/* just these, ascending and borrowed; NULL: all */
	size_t among_count;
	uint64_t start_time_ticks;	/* with `only`: must be its own; 0: any */
	uint64_t vma_limit;		/* vm.max_map_count, for the ratio; 0: unknown */
};

int process_list_new(struct opener *opener, const struct vmad_caller *caller, const struct process_query *query,
		     struct process_list **ret_list, struct vmad_error *err);
void process_list_free(struct process_list *list);

/*
 * 1: a process, its strings live until the next call; 0: the end. With `only`: -ENOENT or -ESRCH where there is none,
 * -ESTALE where it began at another time. A process that ends meanwhile, or that the caller may not see, is left out.
 */
int process_list_next(struct process_list *list, struct vmad_process *ret_process, struct vmad_error *err);

/*
 * What smaps_rollup says of the process that was given last; NULL where it has no memory, or the caller may not read it, or
 * nobody asked. rss_bytes and swap_bytes of the process itself are then absent: a sum was counted, those are estimates.
 */
const struct usage_sum *process_list_usage(const struct process_list *list);

/* Time in the kernel for smaps_rollup, in microseconds. */
uint64_t process_list_kernel_us(const struct process_list *list);

/* The list ended at its limit, and there are more: go on after this pid. 0: it ended at its end. */
pid_t process_list_more_after(const struct process_list *list);

/*
 * "nginx.service" out of "/system.slice/nginx.service": the last component that is a service or a scope; empty if there
 * is none. It points into cgroup.
 */
struct vmad_str unit_of_cgroup(struct vmad_str cgroup);

#endif
