/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/vma_at.h"
#include "source/comm.h"

#define PID_TEXT_MAX 12		/* with a blank */

struct rmap_rows {
	const struct mapping_set *set;
	size_t next;			/* place in the set */
	/* of the row */
	struct target target;
	char comm[COMM_MAX];
	struct vma_at vma_at;
	char *pids;
	size_t pids_size;
};

int rmap_rows_new(const struct mapping_set *set, struct rmap_rows **ret_rows, struct vmad_error *err)
{
	struct rmap_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	rows->set = set;
	*ret_rows = rows;
	return 0;
}

void rmap_rows_free(struct rmap_rows *rows)
{
	if (!rows)
		return;
	vma_at_clear(&rows->vma_at);
	free(rows->pids);
	free(rows);
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

/* The files were opened together with the pagemap that the proof has read: nothing here is of another process. */
static void add_facts(struct rmap_rows *rows, const struct opener_target *files, struct vmad_mapping *mapping)
{
	const struct vmad_vma *vma;

	rows->target = (struct target){ .files = *files };
	if (files->fd[OPENER_COMM] >= 0 && comm_read(files->fd[OPENER_COMM], rows->comm, &mapping->comm.len) == 0) {
		mapping->has |= VMAD_HAS(mapping, comm);
		mapping->comm.p = rows->comm;
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
	*ret_mapping = (struct vmad_mapping){ .address = set->places[rows->next].address };
	r = list_pids(rows, rows->next, &ret_mapping->pids);
	if (r < 0)
		return r;
	add_facts(rows, &set->processes[set->places[rows->next].process].files, ret_mapping);
	rows->next++;
	return 1;
}
