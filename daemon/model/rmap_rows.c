/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/halves.h"
#include "model/vma_at.h"
#include "source/comm.h"
#include "stall/stall.h"

#define PID_TEXT_MAX 12		/* with a blank */
#define CHUNK 512		/* places whose facts are gathered together */

/* A row, with what it points to. */
struct fact {
	struct vmad_mapping mapping;
	char comm[COMM_MAX];
	char *name;
};

/* What asking about one place after the other needs; both halves of a chunk are gathered at the same time. */
struct gatherer {
	struct target target;
	struct vma_at vma_at;
	int result;
};

struct rmap_rows {
	const struct mapping_set *set;
	size_t next;			/* place in the set */
	size_t start, end;		/* places of the chunk */
	struct fact *facts;		/* of places start to end; only first ones have any */
	struct gatherer gatherer[2];
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

static void free_facts(struct rmap_rows *rows)
{
	for (size_t i = rows->start; i < rows->end; i++)
		free(rows->facts[i - rows->start].name);
	free(rows->facts);
	rows->facts = NULL;
	rows->start = rows->end;
}

void rmap_rows_forget(struct rmap_rows *rows)
{
	free_facts(rows);
	rows->start = rows->end = 0;
}

void rmap_rows_free(struct rmap_rows *rows)
{
	if (!rows)
		return;
	free_facts(rows);
	for (int i = 0; i < 2; i++)
		vma_at_clear(&rows->gatherer[i].vma_at);
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

/* Gives the fact a copy of a string that lives in the VMA. */
static int keep_name(struct fact *fact, const struct vmad_str *name, struct vmad_str *ret_name)
{
	fact->name = malloc(name->len + 1);
	if (!fact->name)
		return -ENOMEM;
	memcpy(fact->name, name->p, name->len);
	*ret_name = (struct vmad_str){ fact->name, name->len };
	return 0;
}

static int add_vma(struct fact *fact, const struct vmad_vma *vma)
{
	struct vmad_mapping *mapping = &fact->mapping;

	mapping->has |= VMAD_HAS(mapping, vma_start) | VMAD_HAS(mapping, vma_end) | VMAD_HAS(mapping, perms) |
			VMAD_HAS(mapping, kind);
	mapping->vma_start = vma->start;
	mapping->vma_end = vma->end;
	memcpy(mapping->perms, vma->perms, sizeof(mapping->perms));
	mapping->kind = vma->kind;
	if (vma->has & VMAD_HAS(vma, path)) {
		mapping->has |= VMAD_HAS(mapping, path);
		return keep_name(fact, &vma->path, &mapping->path);
	}
	if (vma->has & VMAD_HAS(vma, name)) {
		mapping->has |= VMAD_HAS(mapping, name);
		return keep_name(fact, &vma->name, &mapping->name);
	}
	return 0;
}

/* The files were opened together with the pagemap that the proof has read: nothing here is of another process. */
static int gather(struct gatherer *gatherer, const struct opener_target *files, uint64_t address, struct fact *fact)
{
	const struct vmad_vma *vma;

	stall_turn_to(files->pid);
	fact->mapping.address = address;
	if (files->fd[OPENER_COMM] >= 0 && comm_read(files->fd[OPENER_COMM], fact->comm, &fact->mapping.comm.len) == 0) {
		fact->mapping.has |= VMAD_HAS(mapping, comm);
		fact->mapping.comm.p = fact->comm;
	}
	gatherer->target = (struct target){ .files = *files };
	vma = files->fd[OPENER_MAPS] >= 0 ? vma_at_find(&gatherer->vma_at, &gatherer->target, address) : NULL;
	return vma ? add_vma(fact, vma) : 0;
}

void rmap_rows_look(void *arg, unsigned thread, size_t place)
{
	struct rmap_rows *rows = arg;
	const struct mapping_set *set = rows->set;
	struct gatherer *gatherer = &rows->gatherer[thread];

	if (place < rows->end && gatherer->result == 0 && mapping_set_is_first(set, place))
		gatherer->result = gather(gatherer, &set->processes[set->places[place].process].files,
					  set->places[place].address, &rows->facts[place - rows->start]);
}

static void gather_half(void *arg, unsigned which)
{
	struct rmap_rows *rows = arg;
	size_t middle = rows->start + (rows->end - rows->start) / 2, end = which ? rows->end : middle;

	for (size_t i = which ? middle : rows->start; i < end; i++)
		rmap_rows_look(rows, which, i);
}

/* Room for the facts of the next places. */
static int begin_chunk(struct rmap_rows *rows)
{
	size_t rest = rows->set->count - rows->end, count = rest < CHUNK ? rest : CHUNK;

	free_facts(rows);
	for (int i = 0; i < 2; i++)
		rows->gatherer[i].result = 0;
	rows->facts = calloc(count, sizeof(*rows->facts));
	if (!rows->facts)
		return -ENOMEM;
	rows->end = rows->start + count;
	return 0;
}

void rmap_rows_begin(struct rmap_rows *rows)
{
	rmap_rows_forget(rows);
	begin_chunk(rows);
}

static int gather_chunk(struct rmap_rows *rows)
{
	int r = begin_chunk(rows);

	if (r == 0)
		halves_run(gather_half, rows, rows->end - rows->start);
	return r;
}

/* Of the chunk. */
static int result(const struct rmap_rows *rows)
{
	return rows->gatherer[0].result < 0 ? rows->gatherer[0].result : rows->gatherer[1].result;
}

int rmap_rows_next(struct rmap_rows *rows, struct vmad_mapping *ret_mapping)
{
	const struct mapping_set *set = rows->set;
	int r = 0;

	while (rows->next < set->count && !mapping_set_is_first(set, rows->next))
		rows->next++;
	if (rows->next == set->count)
		return 0;
	if (rows->next >= rows->end)
		r = gather_chunk(rows);
	r = r < 0 ? r : result(rows);
	if (r < 0)
		return r;
	*ret_mapping = rows->facts[rows->next - rows->start].mapping;
	r = list_pids(rows, rows->next, &ret_mapping->pids);
	if (r < 0)
		return r;
	rows->next++;
	return 1;
}
