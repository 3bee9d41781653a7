/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/host_vmas.h"

#include <errno.h>
#include <stdlib.h>

struct host_vmas {
	struct opener *opener;
	const struct vmad_caller *caller;
	struct host_vmas_query query;
	struct process_list *processes;
	struct vma_list *vmas;		/* of the process that is being read, or NULL */
	struct vmad_coverage coverage;
	uint64_t given;
	bool more;
	pid_t last_pid;
	uint64_t last_end;
};

int host_vmas_new(struct opener *opener, const struct vmad_caller *caller, const struct host_vmas_query *query,
		  struct host_vmas **ret_list, struct vmad_error *err)
{
	struct host_vmas *list = calloc(1, sizeof(*list));
	int r;

	if (!list)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	list->opener = opener;
	list->caller = caller;
	list->query = *query;
	list->query.processes.limit = 0;
	list->query.processes.without_facts = !query->processes.has_uid && !query->processes.unit;
	list->query.processes.after = query->after_pid ? query->after_pid - 1 : 0;
	r = process_list_new(opener, caller, &list->query.processes, &list->processes, err);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret_list = list;
	return 0;
}

void host_vmas_free(struct host_vmas *list)
{
	if (!list)
		return;
	vma_list_free(list->vmas);
	process_list_free(list->processes);
	free(list);
}

/*
 * A process that could not be read. 0: that is its own affair, and is counted; what is vmad's own (no descriptors)
 * comes back.
 */
static int count_failure(struct host_vmas *list, int code)
{
	switch (-code) {
	case EACCES:
	case EPERM:
	case ETIMEDOUT:
	case EOPNOTSUPP:
		list->coverage.processes_unreadable++;
		return 0;
	case ENOENT:
	case ESRCH:
	case ESTALE:
		list->coverage.processes_gone++;
		return 0;
	}
	return code;
}

/*
 * Opens the next process. 1: it is open; 0: it could not be opened, which is counted; or there are no more: *ret_end.
 * /
 */
static int open_next(struct host_vmas *list, bool *ret_end, struct vmad_error *err)
{
	struct vma_list_query query = { .filter = list->query.filter };
	struct vmad_process process;
	struct target target;
	int r = process_list_next(list->processes, &process, err);

	*ret_end = r == 0;
	if (r <= 0)
		return r;
	if (process.pid == list->query.after_pid)
		query.after = list->query.after;
	r = target_open(list->opener, list->caller, process.pid, OPENER_WANT(OPENER_MAPS), process.start_time_ticks,
			&target, err);
	if (r == 0)
		r = vma_list_new(&target, &query, &list->vmas, err);
	return r < 0 ? count_failure(list, r) : 1;
}

static void close_current(struct host_vmas *list)
{
	bool whole = vma_list_end(list->vmas) == VMA_LIST_COMPLETE;

	/* Threads of the kernel have no VMAs to read, and do not count as read either. */
	if (!whole)
		list->coverage.processes_gone++;
	else if (!target_has_no_mm(vma_list_target(list->vmas)))
		list->coverage.processes_read++;
	vma_list_free(list->vmas);
	list->vmas = NULL;
}

int host_vmas_next(struct host_vmas *list, struct vmad_target *ret_target, struct vmad_vma *ret_vma,
		   struct vmad_error *err)
{
	struct vma_list_row row;

	for (;;) {
		bool end = false;
		int r = list->vmas ? 1 : open_next(list, &end, err);

		if (r < 0 || end)
			return r;
		if (r == 0)
			continue;
		r = vma_list_next(list->vmas, &row, err);
		if (r < 0)
			return r;
		if (r == 0) {
			close_current(list);
			continue;
		}
		if (list->query.limit && list->given == list->query.limit) {
			list->more = true;
			return 0;
		}
		list->given++;
		*ret_target = target_record(vma_list_target(list->vmas));
		*ret_vma = row.vma;
		list->last_pid = ret_target->pid;
		list->last_end = ret_vma->end;
		return 1;
	}
}

struct vmad_coverage host_vmas_coverage(const struct host_vmas *list)
{
	return list->coverage;
}

bool host_vmas_more(const struct host_vmas *list, pid_t *ret_after_pid, uint64_t *ret_after)
{
	*ret_after_pid = list->last_pid;
	*ret_after = list->last_end;
	return list->more;
}
