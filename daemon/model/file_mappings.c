/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/file_mappings.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/module.h"
#include "source/helper_mappings.h"

struct file_mappings {
	struct opener *opener;
	const struct vmad_caller *caller;
	struct file file;
	uint64_t start, end;
	uint64_t page;
	struct host_vmas *vmas;
	bool is_exact;
	/* by the helper module */
	struct helper_mappings found;
	pid_t *pids;			/* who maps it, ascending; NULL: the module has not told */
	size_t pid_count;
};

static int by_pid(const void *a, const void *b)
{
	return *(const pid_t *)a < *(const pid_t *)b ? -1 : *(const pid_t *)a > *(const pid_t *)b;
}

/* The module's processes, as far as it was not held up and had room: else the maps of all are read. */
static void ask_module(struct file_mappings *list)
{
	struct module module;
	uint64_t last = (list->end - 1) / list->page;
	int r = -ENOENT;

	if (list->file.fd < 0)
		return;
	if (module_open(list->opener, list->caller, &module) && module_can(&module, VMADK_CAN_FILEMAP))
		r = helper_find_file(module.helper, list->file.fd, list->start / list->page, last, &list->found, NULL);
	module_close(&module);
	if (r < 0 || list->found.result)
		return;
	list->pids = malloc((list->found.pid_count + 1) * sizeof(*list->pids));
	for (size_t i = 0; list->pids && i < list->found.pid_count; i++)
		list->pids[list->pid_count++] = list->found.pids[i].pid;
	if (list->pids)
		qsort(list->pids, list->pid_count, sizeof(*list->pids), by_pid);
}

/* Does the module have this very VMA for the process? */
static bool module_has(const struct file_mappings *list, pid_t pid, const struct vmad_vma *vma)
{
	for (size_t i = 0; i < list->found.pid_count; i++) {
		for (size_t j = 0; list->found.pids[i].pid == pid && j < list->found.count; j++) {
			const struct vmadk_mapping *mapping = &list->found.mappings[j];

			if (mapping->mm == list->found.pids[i].mm && mapping->vma_start == vma->start &&
			    mapping->vma_end == vma->end)
				return true;
		}
	}
	return false;
}

int file_mappings_new(struct opener *opener, const struct vmad_caller *caller, const struct file *file, uint64_t start,
		      uint64_t end, const struct host_vmas_query *query, struct file_mappings **ret_list,
		      struct vmad_error *err)
{
	struct file_mappings *list = calloc(1, sizeof(*list));
	struct host_vmas_query wanted = *query;
	int r;

	if (!list)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	*list = (struct file_mappings){
		.opener = opener, .caller = caller, .file = *file, .start = start, .end = end, .is_exact = true
	};
	list->page = (uint64_t)sysconf(_SC_PAGESIZE);
	wanted.filter = (struct vma_filter){
		.of_file = true,
		.file = { .device = file->record.device, .inode = file->record.inode, .start = start, .end = end },
	};
	ask_module(list);
	wanted.processes.among = list->pids;
	wanted.processes.among_count = list->pid_count;
	r = host_vmas_new(opener, caller, &wanted, &list->vmas, err);
	if (r < 0) {
		file_mappings_free(list);
		return r;
	}
	*ret_list = list;
	return 0;
}

void file_mappings_free(struct file_mappings *list)
{
	if (!list)
		return;
	host_vmas_free(list->vmas);
	helper_mappings_free(&list->found);
	free(list->pids);
	free(list);
}

/*
 * Whether it is of the file, where device and inode alone do not tell. Of what the kernel does not say anything is
 * kept, and not exact.
 */
static bool is_of_file(struct file_mappings *list, const struct file_mappings_row *row)
{
	struct opener_mapped mapped;

	if (!list->file.is_ambiguous || (list->pids && module_has(list, row->target.pid, &row->vma)))
		return true;
	if (opener_mapped_file(list->opener, list->caller, row->target.pid, row->vma.start, row->vma.end, &mapped,
			       NULL) < 0) {
		list->is_exact = false;
		return true;
	}
	return mapped.device == list->file.stat_device && mapped.inode == list->file.stat_inode;
}

/* In whole pages: the first and the last one are those that hold the part's first and last byte. */
static struct vmad_file_mapping mapping_of(const struct file_mappings *list, const struct vmad_vma *vma)
{
	uint64_t first = list->start - list->start % list->page,
		 from = vma->offset_bytes > first ? vma->offset_bytes : first;
	uint64_t left = vma->size_bytes - (from - vma->offset_bytes);
	/* of the part, behind `from`; the part holds at least a byte there */
	uint64_t wanted = list->end - 1 - from;

	return (struct vmad_file_mapping){
		.address = vma->start + (from - vma->offset_bytes),
		.file_offset_bytes = from,
		.covered_bytes =
			wanted / list->page < (left - 1) / list->page ? (wanted / list->page + 1) * list->page : left,
	};
}

int file_mappings_next(struct file_mappings *list, struct file_mappings_row *ret_row, struct vmad_error *err)
{
	int r;

	do
		r = host_vmas_next(list->vmas, &ret_row->target, &ret_row->vma, err);
	while (r > 0 && !is_of_file(list, ret_row));
	if (r > 0)
		ret_row->mapping = mapping_of(list, &ret_row->vma);
	return r;
}

const char *file_mappings_method(const struct file_mappings *list)
{
	return list->pids ? "helper+maps" : "maps";
}

bool file_mappings_exact(const struct file_mappings *list)
{
	return list->is_exact;
}

const struct host_vmas *file_mappings_source(const struct file_mappings *list)
{
	return list->vmas;
}
