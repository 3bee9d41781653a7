/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_vmas: the VMAs of every process that the caller may read, process by process in the order of pids. A pull
 * iterator.
 */
#ifndef MODEL_HOST_VMAS_H
#define MODEL_HOST_VMAS_H

#include "model/process_list.h"
#include "model/vma_list.h"

struct host_vmas;

struct host_vmas_query {
	struct vma_filter filter;
	struct process_query processes;		/* whose VMAs; its limit is not used */
	uint64_t limit;				/* VMAs; 0: all */
	pid_t after_pid;			/* go on with this process ... */
	uint64_t after; /* ... and its VMAs that end above this address; then with those behind it */
};

int host_vmas_new(struct opener *opener, const struct vmad_caller *caller, const struct host_vmas_query *query,
		  struct host_vmas **ret_list, struct vmad_error *err);
void host_vmas_free(struct host_vmas *list);

/* 1: a VMA and whose it is, until the next call; 0: the end. */
int host_vmas_next(struct host_vmas *list, struct vmad_target *ret_target, struct vmad_vma *ret_vma,
		   struct vmad_error *err);

/* What could be read, so far. */
struct vmad_coverage host_vmas_coverage(const struct host_vmas *list);

/* The list ended at its limit: where to go on. False: it ended at its end. */
bool host_vmas_more(const struct host_vmas *list, pid_t *ret_after_pid, uint64_t *ret_after);

#endif
