/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_index: which frame each page of many address spaces maps, for questions about many pages at once. One paced pass
 * over page tables; what is equal in many address spaces is stored once (chunk_store.h).
 *
 * Pages of files are cut into chunks by their offset in the file, because libraries lie at other addresses, and at other
 * phases, in each process; all others by address, because fork leaves them there.
 */
#ifndef MODEL_PAGE_INDEX_H
#define MODEL_PAGE_INDEX_H

#include <stdbool.h>

#include "model/chunk_store.h"
#include "model/target.h"

struct page_index;

struct page_index_query {
	size_t ceiling_bytes;		/* of memory */
	uint64_t deadline_us;		/* by clock_us(); 0: none */
	/*
	 * Leave out pages that the kernel says to be mapped once, where it is to be believed: they are most of a host's
	 * memory, and no question about sharing is about them. It is not for hugetlb, whose page tables may be shared, nor
	 * for huge pages, all of which it judges by their first page (6.18, fs/proc/task_mmu.c).
	 */
	bool only_shared;
	bool without_scan;		/* read pagemap also where there is PAGEMAP_SCAN */
	bool unpaced;			/* for benchmarks */
	chunk_hash_fn *hash;		/* NULL: the usual one */
};

/* Pages from here on: of page numbers, not bytes. Those with word 0 are not there. */
struct page_index_ref {
	uint64_t page;
	const struct chunk *chunk;
};

/* One address space; lives as long as the index. */
struct page_index_mm;

/* Each VMA, as it is read; negative ends it. */
typedef int page_index_vma_fn(void *arg, const struct vmad_vma *vma);

int page_index_new(const struct page_index_query *query, struct page_index **ret_index, struct vmad_error *err);
void page_index_free(struct page_index *index);

/*
 * Goes through an address space, opened with OPENER_MAPS (which is taken) and OPENER_PAGEMAP. -ETIMEDOUT, -ENOSPC: the
 * deadline or the ceiling was reached; *ret_mm is what was read until then. -ESRCH: it ended meanwhile; -EPERM: the kernel
 * does not tell frame numbers; or another negative errno: there is no *ret_mm then.
 */
int page_index_add(struct page_index *index, struct target *target, page_index_vma_fn *on_vma, void *arg,
		   const struct page_index_mm **ret_mm, struct vmad_error *err);

/* Its pages, in the order of addresses. False: the end. */
struct page_index_cursor {
	const void *block;
	size_t at;
};
struct page_index_cursor page_index_begin(const struct page_index_mm *mm);
bool page_index_next(struct page_index_cursor *cursor, struct page_index_ref *ret_ref);

/* Memory is taken from here, so that it counts; and chunks are counted here. */
struct chunk_store *page_index_store(const struct page_index *index);

/* Present pages that were looked at, in all address spaces. */
uint64_t page_index_mappings(const struct page_index *index);

/* Time in the kernel, in microseconds. */
uint64_t page_index_kernel_us(const struct page_index *index);

/* "PAGEMAP_SCAN" or "pagemap". */
const char *page_index_source(const struct page_index *index);

#endif
