/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/vma_at.h"
#include "source/pagemap.h"

#define WANT (OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP))
#define BATCH 80		/* rows whose files are opened at once: three for each */
#define PID_TEXT_MAX 12		/* with a blank */

struct rmap_rows {
	struct opener *opener;
	const struct vmad_caller *caller;
	const struct mapping_set *set;
	size_t next;			/* place in the set */
	struct opener_target batch[BATCH];
	size_t batched, used;
	/* of the row */
	struct target target;
	struct vma_at vma_at;
	char *pids;
	size_t pids_size;
};

int rmap_rows_new(struct opener *opener, const struct vmad_caller *caller, const struct mapping_set *set,
		  struct rmap_rows **ret_rows,
		  struct vmad_error *err)
{
	struct rmap_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	rows->opener = opener;
	rows->caller = caller;
	rows->set = set;
	*ret_rows = rows;
	return 0;
}

static void close_batch(struct rmap_rows *rows)
{
	for (size_t i = 0; i < rows->batched; i++)
		opener_target_close(&rows->batch[i]);
	rows->batched = rows->used = 0;
}

void rmap_rows_free(struct rmap_rows *rows)
{
	if (!rows)
		return;
	close_batch(rows);
	vma_at_clear(&rows->vma_at);
	free(rows->pids);
	free(rows);
}

/* Opens the files of the next rows. Where that fails as a whole, the rows have a pid and an address each. */
static void open_batch(struct rmap_rows *rows)
{
	const struct mapping_set *set = rows->set;
	size_t count = 0;

	close_batch(rows);
	for (size_t i = rows->next; i < set->count && count < BATCH; i++) {
		if (mapping_set_is_first(set, i))
			rows->batch[count++] = (struct opener_target){ .pid = set->places[i].pid, .want = WANT };
	}
	if (opener_open(rows->opener, rows->caller, rows->batch, count, NULL) < 0) {
		for (size_t i = 0; i < count * OPENER_FILES; i++)
			rows->batch[i / OPENER_FILES].fd[i % OPENER_FILES] = -EBADF;
	}
	rows->batched = count;
}

/* All pids of the mapping at place i; they stand one behind the other. */
static int list_pids(struct rmap_rows *rows, size_t i, struct vmad_str *ret_pids)
{
	const struct mapping_set *set = rows->set;
	size_t end = i + 1, len = 0;

	while (end < set->count && !mapping_set_is_first(set, end))
		end++;
	if (rows->pids_size < (end - i) * PID_TEXT_MAX) {
		char *pids = realloc(rows->pids, (end - i) * PID_TEXT_MAX);

		if (!pids)
			return -ENOMEM;
		rows->pids = pids;
		rows->pids_size = (end - i) * PID_TEXT_MAX;
	}
	for (; i < end; i++)
		len += (size_t)sprintf(rows->pids + len, "%s%d", len ? " " : "", (int)set->places[i].pid);
	*ret_pids = (struct vmad_str){ rows->pids, len };
	return 0;
}

/*
 * Does what was opened map the frame? What the kernel is not asked any more is of another process, or of this one after
 * an exec.
 */
static bool still_maps(const struct rmap_rows *rows, const struct opener_target *target, uint64_t address)
{
	uint64_t entry;

	return target->fd[OPENER_PAGEMAP] >= 0 && pagemap_read(target->fd[OPENER_PAGEMAP], address, &entry, 1) == 1 &&
	       pagemap_pfn(entry) == rows->set->pfn;
}

static void add_vma(const struct vmad_vma *vma, struct vmad_mapping *mapping)
{
	mapping->has |= VMAD_HAS(mapping, vma_start) | VMAD_HAS(mapping, vma_end) | VMAD_HAS(mapping, perms) |
			VMAD_HAS(mapping, kind);
	mapping->vma_start = vma->start;
	mapping->vma_end = vma->end;
	memcpy(mapping->perms, vma->perms, sizeof(mapping->perms));
	mapping->kind = vma->kind;
	if (vma->has & VMAD_HAS(vma, path)) {
		mapping->has |= VMAD_HAS(mapping, path);
		mapping->path = vma->path;
	}
	if (vma->has & VMAD_HAS(vma, name)) {
		mapping->has |= VMAD_HAS(mapping, name);
		mapping->name = vma->name;
	}
}

static void add_facts(struct rmap_rows *rows, const struct opener_target *files, struct vmad_mapping *mapping)
{
	const struct vmad_vma *vma;

	if (!still_maps(rows, files, mapping->address))
		return;
	rows->target = (struct target){ .files = *files };
	if (files->fd[OPENER_STAT] >= 0 && stat_read(files->fd[OPENER_STAT], &rows->target.facts, NULL) == 0) {
		mapping->has |= VMAD_HAS(mapping, comm);
		mapping->comm = (struct vmad_str){ rows->target.facts.comm, rows->target.facts.comm_len };
	}
	vma = files->fd[OPENER_MAPS] >= 0 ? vma_at_find(&rows->vma_at, &rows->target, mapping->address) : NULL;
	if (vma)
		add_vma(vma, mapping);
}

int rmap_rows_next(struct rmap_rows *rows, struct vmad_mapping *ret_mapping)
{
	const struct mapping_set *set = rows->set;
	int r;

	while (rows->next < set->count && !mapping_set_is_first(set, rows->next))
		rows->next++;
	if (rows->next == set->count)
		return 0;
	if (rows->used == rows->batched)
		open_batch(rows);
	*ret_mapping = (struct vmad_mapping){ .address = set->places[rows->next].address };
	r = list_pids(rows, rows->next, &ret_mapping->pids);
	if (r < 0)
		return r;
	add_facts(rows, &rows->batch[rows->used++], ret_mapping);
	rows->next++;
	return 1;
}
