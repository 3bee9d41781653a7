/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_mappings: every VMA that maps a part of a file, of every process that the caller may read. A pull iterator.
 *
 * Where the helper module tells a root caller which address spaces map the file, only their processes' maps are read, and
 * each mapping is known to be of that very file. Without it the maps of all processes are.
 */
#ifndef MODEL_FILE_MAPPINGS_H
#define MODEL_FILE_MAPPINGS_H

#include "model/file.h"
#include "model/host_vmas.h"

struct file_mappings;

/*
 * The query's filter is filled here; what else it says goes for the mappings. The file is copied, but not its
 * descriptor.
 */
int file_mappings_new(struct opener *opener, const struct vmad_caller *caller, const struct file *file, uint64_t start,
		      uint64_t end, const struct host_vmas_query *query, struct file_mappings **ret_list,
		      struct vmad_error *err);
void file_mappings_free(struct file_mappings *list);

/* One mapping: whose, the VMA, and where in it the part begins. Strings live until the next call. */
struct file_mappings_row {
	struct vmad_target target;
	struct vmad_vma vma;
	struct vmad_file_mapping mapping;
};

/* 1: a row; 0: the end. */
int file_mappings_next(struct file_mappings *list, struct file_mappings_row *ret_row, struct vmad_error *err);

/* "helper+maps" or "maps". */
const char *file_mappings_method(const struct file_mappings *list);

/* After the last row: is each of them known to be of that very file? */
bool file_mappings_exact(const struct file_mappings *list);

/* The list that it is taken from, for coverage and where to go on. */
const struct host_vmas *file_mappings_source(const struct file_mappings *list);

#endif
