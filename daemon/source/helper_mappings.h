/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helper_mappings: who maps a page (RMAP of vmad/uapi.h) or a part of a file (FILEMAP), out of the kernel's own trees.
 *
 * The arrays are the module's, checked: addresses lie in their VMAs, numbers of address spaces and references within
 * their arrays. Where they had no room they grow and the question is asked again; where locks were busy it is asked
 * again for some milliseconds, then VMADK_CONTENDED stays in `result`.
 */
#ifndef SOURCE_HELPER_MAPPINGS_H
#define SOURCE_HELPER_MAPPINGS_H

#include <sys/types.h>

#include "source/helper.h"

/* The mappings of an address space stand next to each other only where the module put them so. */
struct helper_mappings {
	uint32_t result;		/* VMADK_*; VMADK_TRUNCATED: there are more than anybody can be told of */
	size_t count;
	const struct vmadk_mapping *mappings;
	size_t pid_count;
	const struct vmadk_pid *pids;
	uint64_t device, inode;		/* of the file; device is major << 32 | minor; inode 0: there is none */
	/* RMAP only */
	struct {
		uint64_t pfn, folio_pfn, index;
		uint32_t folio_pages;
		unsigned kind;		/* VMADK_PAGE_* */
		int32_t mapcount;	/* -1: not counted for each page */
		uint32_t mapped;	/* mappings that are VMADK_STATE_MAPPED */
		int32_t refcount;
		struct helper_symbol a_ops;
	} page;
	struct helper_lists *lists;
};

/*
 * The page of a process's address; or, where pid is 0, the frame `pfn`. No search through all processes where a scan is
 * not wanted (VMADK_UNSCANNED). Frees nothing that ret_found held before. -ESRCH, -ENXIO: no such process, or none with
 * memory; -ENOENT: no page there; -ENODEV: no such frame; -EAGAIN: it changes all the time; -EOPNOTSUPP; -EPROTO.
 */
struct helper_page_query {
	pid_t pid;
	uint64_t address, pfn;
	bool scan;
};
int helper_find_page(struct helper *helper, const struct helper_page_query *query, struct helper_mappings *ret_found,
		     struct vmad_error *err);

/* The pages first to last, both included, of an open file. -EOPNOTSUPP: of no file that could be mapped; -EPROTO. */
int helper_find_file(struct helper *helper, int fd, uint64_t first, uint64_t last, struct helper_mappings *ret_found,
		     struct vmad_error *err);

/* Takes one that is all zero. */
void helper_mappings_free(struct helper_mappings *found);

struct helper_symbol helper_mappings_vm_ops(const struct helper_mappings *found, size_t i);

#endif
