/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sharing_origins: what a process has its memory from: a file, or anonymous memory of a kind. VMAs of the same file and
 * kind are one origin; its private copies of the file's pages are another one, because they are anonymous.
 */
#ifndef MODEL_SHARING_ORIGINS_H
#define MODEL_SHARING_ORIGINS_H

#include <stdbool.h>

#include "model/chunk_store.h"
#include "vmad/records.h"

struct sharing_origins;

/* Memory is taken from the store, which is borrowed. -ENOMEM. */
int sharing_origins_new(struct chunk_store *store, struct sharing_origins **ret_origins);
void sharing_origins_free(struct sharing_origins *origins);

/* The next VMA, in the order of addresses. -ENOSPC: above the store's ceiling; -ENOMEM. */
int sharing_origins_add(struct sharing_origins *origins, const struct vmad_vma *vma);

/* Origins are numbered from 0. */
size_t sharing_origins_count(const struct sharing_origins *origins);

/* Without what is shared. Its strings live as long as the store. */
struct vmad_sharing_origin sharing_origins_record(const struct sharing_origins *origins, size_t number);

/*
 * The origin of a page. *cursor, NULL at first, remembers where it was found: pages that ascend are found at once.
 * False: no VMA has the page.
 */
struct sharing_area;
bool sharing_origins_find(const struct sharing_origins *origins, uint64_t page, bool of_file,
			  const struct sharing_area **cursor, uint32_t *ret_number);

/* An address of the process, if it has any. */
bool sharing_origins_any_address(const struct sharing_origins *origins, uint64_t *ret_address);

#endif
