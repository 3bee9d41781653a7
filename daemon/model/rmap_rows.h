/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rmap_rows: the mappings of a set as records, each with what its process and its VMA are. */
#ifndef MODEL_RMAP_ROWS_H
#define MODEL_RMAP_ROWS_H

#include "model/mapping_set.h"
#include "vmad/records.h"

struct rmap_rows;

/* The set is borrowed for as long as the rows live. */
int rmap_rows_new(const struct mapping_set *set, struct rmap_rows **ret_rows, struct vmad_error *err);
void rmap_rows_free(struct rmap_rows *rows);

/*
 * The set is settled now: what the first rows need may be read while the set is read again (struct mapping_look).
 * Whatever is not read then is read when it is asked for.
 */
void rmap_rows_begin(struct rmap_rows *rows);
void rmap_rows_look(void *rows, unsigned thread, size_t place);
/* The set is going to be another one, or is already. */
void rmap_rows_forget(struct rmap_rows *rows);

/* 1: the next mapping, until the next call; 0: the end; -ENOMEM. Name and VMA are there as long as the process is. */
int rmap_rows_next(struct rmap_rows *rows, struct vmad_mapping *ret_mapping);

#endif
