/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/module.h"
#include "model/vma_at.h"
#include "source/comm.h"
#include "source/kpage.h"

#define BATCH 64		/* rows whose processes are opened at once */
#define PID_TEXT_MAX 12		/* with a blank */

/* include/linux/mm.h; these bits have been where they are since Linux 2.6. */
enum { VM_READ = 0x1, VM_WRITE = 0x2, VM_EXEC = 0x4, VM_MAYSHARE = 0x80 };

struct row {
	const struct vmadk_mapping *mapping;
	size_t first_pid, pid_count;	/* in pids */
};

struct rmap_helper {
	struct opener *opener;
	const struct vmad_caller *caller;
	struct module module;
	struct helper_mappings found;
	struct vmadk_pid *pids;		/* by address space, then pid */
	struct row *rows;		/* by first pid, then address */
	size_t row_count, next;
	struct opener_target files[BATCH];	/* of the rows from files_first on */
	size_t files_first, files_count;
	/* of the row */
	struct target target;
	struct vma_at vma_at;
	char comm[COMM_MAX];
	char *pid_text;
	size_t pid_text_size;
};

struct rmap_helper *rmap_helper_new(struct opener *opener, const struct vmad_caller *caller)
{
	struct rmap_helper *helper = NULL;
	struct module module;

	/* What it takes is much, and mostly there is no module. */
	if (module_open(opener, caller, &module))
		helper = calloc(1, sizeof(*helper));
	if (!helper) {
		module_close(&module);
		return NULL;
	}
	helper->opener = opener;
	helper->caller = caller;
	helper->module = module;
	return helper;
}

static void close_files(struct rmap_helper *helper)
{
	for (size_t i = 0; i < helper->files_count; i++)
		opener_target_close(&helper->files[i]);
	helper->files_count = 0;
}

static void forget(struct rmap_helper *helper)
{
	close_files(helper);
	helper_mappings_free(&helper->found);
	free(helper->pids);
	free(helper->rows);
	helper->pids = NULL;
	helper->rows = NULL;
	helper->row_count = helper->next = 0;
}

void rmap_helper_free(struct rmap_helper *helper)
{
	if (!helper)
		return;
	forget(helper);
	vma_at_clear(&helper->vma_at);
	free(helper->pid_text);
	module_close(&helper->module);
	free(helper);
}

/*
 * What it takes to find the mappings of such a frame. KSM's are anonymous too, and the module says by itself where it may
 * not scan for them (and Linux 6.12 says KSM of all that is anonymous).
 */
static uint64_t capability_for(uint64_t flags)
{
	static const struct {
		uint64_t flag, capability;
	} rows[] = {
		{ KPAGE_BIT(HUGE), VMADK_CAN_RMAP_HUGETLB },
		{ KPAGE_BIT(ANON), VMADK_CAN_RMAP_ANON },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (flags & rows[i].flag)
			return rows[i].capability;
	}
	return VMADK_CAN_RMAP_FILE;
}

int rmap_helper_find(struct rmap_helper *helper, uint64_t pfn, uint64_t flags, bool scan)
{
	const struct helper_page_query query = { .pfn = pfn, .scan = scan };

	forget(helper);
	if (!module_can(&helper->module, capability_for(flags)))
		return -EOPNOTSUPP;
	return helper_find_page(helper->module.helper, &query, &helper->found, NULL);
}

const struct helper_mappings *rmap_helper_found(const struct rmap_helper *helper)
{
	return &helper->found;
}

void rmap_helper_describe(const struct rmap_helper *helper, struct vmad_mapped_page *page)
{
	static const char *const kinds[] = {
		[VMADK_PAGE_OTHER] = "other",
		[VMADK_PAGE_ANON] = "anon",
		[VMADK_PAGE_FILE] = "file",
		[VMADK_PAGE_KSM] = "ksm",
		[VMADK_PAGE_HUGETLB] = "hugetlb",
		[VMADK_PAGE_ZERO] = "zero",
		[VMADK_PAGE_SPECIAL] = "special",
	};
	const struct helper_mappings *found = &helper->found;
	bool has_index = found->page.kind == VMADK_PAGE_ANON || found->page.kind == VMADK_PAGE_FILE ||
			 found->page.kind == VMADK_PAGE_HUGETLB;

	page->has |= VMAD_HAS(mapped_page, page_kind) | (has_index ? VMAD_HAS(mapped_page, index_pages) : 0) |
		     (found->page.refcount >= 0 ? VMAD_HAS(mapped_page, reference_count) : 0) |
		     (found->page.a_ops.state == HELPER_NAMED ? VMAD_HAS(mapped_page, a_ops) : 0);
	page->page_kind = kinds[found->page.kind];
	page->index_pages = found->page.index;
	page->reference_count = (uint64_t)found->page.refcount;
	page->a_ops = found->page.a_ops.name;
}

static int by_mm_then_pid(const void *a, const void *b)
{
	const struct vmadk_pid *left = a, *right = b;

	if (left->mm != right->mm)
		return left->mm < right->mm ? -1 : 1;
	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

static int copy_pids(struct rmap_helper *helper)
{
	const size_t count = helper->found.pid_count;

	helper->pids = malloc((count + 1) * sizeof(*helper->pids));
	if (!helper->pids)
		return -ENOMEM;
	if (count)
		memcpy(helper->pids, helper->found.pids, count * sizeof(*helper->pids));
	qsort(helper->pids, count, sizeof(*helper->pids), by_mm_then_pid);
	return 0;
}

/* The processes of an address space, in the sorted list. */
static struct row row_of(const struct rmap_helper *helper, const struct vmadk_mapping *mapping)
{
	struct row row = { .mapping = mapping };
	size_t high = helper->found.pid_count;

	while (row.first_pid < high) {
		size_t middle = row.first_pid + (high - row.first_pid) / 2;

		if (helper->pids[middle].mm < mapping->mm)
			row.first_pid = middle + 1;
		else
			high = middle;
	}
	for (size_t i = row.first_pid; i < helper->found.pid_count && helper->pids[i].mm == mapping->mm; i++)
		row.pid_count++;
	return row;
}

/* Those of a process that is gone come last. */
static int by_pid_then_address(const void *a, const void *b, void *arg)
{
	const struct vmadk_pid *pids = arg;
	const struct row *left = a, *right = b;
	pid_t left_pid = left->pid_count ? pids[left->first_pid].pid : INT32_MAX,
	      right_pid = right->pid_count ? pids[right->first_pid].pid : INT32_MAX;

	if (left_pid != right_pid)
		return left_pid < right_pid ? -1 : 1;
	return left->mapping->address < right->mapping->address ? -1 : left->mapping->address > right->mapping->address;
}

int rmap_helper_begin(struct rmap_helper *helper, bool candidates)
{
	int r = copy_pids(helper);

	helper->rows = malloc((helper->found.count + 1) * sizeof(*helper->rows));
	if (r < 0 || !helper->rows)
		return -ENOMEM;
	for (size_t i = 0; i < helper->found.count; i++) {
		const struct vmadk_mapping *mapping = &helper->found.mappings[i];

		if (candidates || mapping->state == VMADK_STATE_MAPPED)
			helper->rows[helper->row_count++] = row_of(helper, mapping);
	}
	qsort_r(helper->rows, helper->row_count, sizeof(*helper->rows), by_pid_then_address, helper->pids);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

size_t rmap_helper_processes(const struct rmap_helper *helper)
{
	const struct helper_mappings *found = &helper->found;
	uint32_t *mms = malloc((found->count + 1) * sizeof(*mms));
	size_t count = 0, different = 0;

	for (size_t i = 0; mms && i < found->count; i++) {
		if (found->mappings[i].state == VMADK_STATE_MAPPED)
			mms[count++] = found->mappings[i].mm;
	}
	if (mms)
		qsort(mms, count, sizeof(*mms), by_number);
	for (size_t i = 0; i < count; i++)
		different += i == 0 || mms[i] != mms[i - 1];
	free(mms);
	return different;
}

/* The files of the next rows' first processes. Where they cannot be had, the rows have what the module told. */
static void open_files(struct rmap_helper *helper)
{
	size_t count = helper->row_count - helper->next;

	close_files(helper);
	helper->files_first = helper->next;
	helper->files_count = count < BATCH ? count : BATCH;
	for (size_t i = 0; i < helper->files_count; i++) {
		const struct row *row = &helper->rows[helper->files_first + i];

		helper->files[i] = (struct opener_target){
			.pid = row->pid_count ? helper->pids[row->first_pid].pid : 0,
			.want = row->pid_count ? OPENER_WANT(OPENER_COMM) | OPENER_WANT(OPENER_MAPS) : 0,
		};
		for (int file = 0; file < OPENER_FILES; file++)
			helper->files[i].fd[file] = -EBADF;
	}
	opener_open(helper->opener, helper->caller, helper->files, helper->files_count, NULL);
}

static int list_pids(struct rmap_helper *helper, const struct row *row, struct vmad_str *ret_pids)
{
	size_t len = 0;

	if (helper->pid_text_size < row->pid_count * PID_TEXT_MAX) {
		char *text = realloc(helper->pid_text, row->pid_count * PID_TEXT_MAX);

		if (!text)
			return -ENOMEM;
		helper->pid_text = text;
		helper->pid_text_size = row->pid_count * PID_TEXT_MAX;
	}
	for (size_t i = 0; i < row->pid_count; i++)
		len += (size_t)sprintf(helper->pid_text + len, "%s%d", len ? " " : "",
				       (int)helper->pids[row->first_pid + i].pid);
	*ret_pids = (struct vmad_str){ helper->pid_text, len };
	return 0;
}

static const char *const states[] = {
	[VMADK_STATE_UNREAD] = "unread",
	[VMADK_STATE_MAPPED] = "mapped",
	[VMADK_STATE_OTHER] = "other-page",
	[VMADK_STATE_NONE] = "no-page",
	[VMADK_STATE_SWAP] = "swapped",
	[VMADK_STATE_MIGRATION] = "migrating",
};

/* All that the module itself told. */
static struct vmad_mapping mapping_record(const struct rmap_helper *helper, const struct vmadk_mapping *mapping)
{
	struct helper_symbol vm_ops =
		helper_mappings_vm_ops(&helper->found, (size_t)(mapping - helper->found.mappings));
	struct vmad_mapping record = {
		.has = VMAD_HAS(mapping, vma_start) | VMAD_HAS(mapping, vma_end) | VMAD_HAS(mapping, perms) |
		       VMAD_HAS(mapping, state) | (vm_ops.state == HELPER_NAMED ? VMAD_HAS(mapping, vm_ops) : 0),
		.address = mapping->address,
		.vma_start = mapping->vma_start,
		.vma_end = mapping->vma_end,
		.perms = {
			mapping->vma_flags & VM_READ ? 'r' : '-',
			mapping->vma_flags & VM_WRITE ? 'w' : '-',
			mapping->vma_flags & VM_EXEC ? 'x' : '-',
			mapping->vma_flags & VM_MAYSHARE ? 's' : 'p',
		},
		.state = states[mapping->state],
		.vm_ops = vm_ops.name,
	};

	return record;
}

/*
 * What /proc adds, as long as it has the very VMA that the module told of: else the process has changed meanwhile, or is
 * another one under the same pid.
 */
static void add_facts(struct rmap_helper *helper, const struct opener_target *files, struct vmad_mapping *mapping)
{
	const struct vmad_vma *vma;

	helper->target = (struct target){ .files = *files };
	vma = files->fd[OPENER_MAPS] >= 0 ? vma_at_find(&helper->vma_at, &helper->target, mapping->address) : NULL;
	if (!vma || vma->start != mapping->vma_start || vma->end != mapping->vma_end)
		return;
	mapping->has |= VMAD_HAS(mapping, kind) | (vma->has & VMAD_HAS(vma, path) ? VMAD_HAS(mapping, path) : 0) |
			(vma->has & VMAD_HAS(vma, name) ? VMAD_HAS(mapping, name) : 0);
	mapping->kind = vma->kind;
	mapping->path = vma->path;
	mapping->name = vma->name;
	if (files->fd[OPENER_COMM] >= 0 && comm_read(files->fd[OPENER_COMM], helper->comm, &mapping->comm.len) == 0) {
		mapping->has |= VMAD_HAS(mapping, comm);
		mapping->comm.p = helper->comm;
	}
}

int rmap_helper_next(struct rmap_helper *helper, struct vmad_mapping *ret_mapping)
{
	const struct row *row = &helper->rows[helper->next];
	int r;

	if (helper->next == helper->row_count)
		return 0;
	if (helper->next == helper->files_first + helper->files_count)
		open_files(helper);
	*ret_mapping = mapping_record(helper, row->mapping);
	r = list_pids(helper, row, &ret_mapping->pids);
	if (r < 0)
		return r;
	add_facts(helper, &helper->files[helper->next - helper->files_first], ret_mapping);
	helper->next++;
	return 1;
}
