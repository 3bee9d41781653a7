/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page: what one page of a process is: its state, what the page table and the frame say of it, its file and offset or
 * swap slot, and the VMA that it is of. The entry of the page table is read before all the rest and after it: where it
 * stayed what it was, all of it was so at one moment.
 */
#ifndef MODEL_PAGE_H
#define MODEL_PAGE_H

#include "model/target.h"
#include "vmad/records.h"

struct page_facts;

/* What is not in the answer, although there may be something to tell. */
enum page_missing {
	PAGE_MISSING_STATE = 1,		/* pagemap could not be opened: page_facts_pagemap_error() */
	PAGE_MISSING_FRAME = 2,		/* number of the frame, or swap slot, are not for this caller */
	PAGE_MISSING_FLAGS = 4,		/* kpageflags could not be opened: no more than the number of the frame */
	PAGE_MISSING_MAPCOUNT = 8,	/* this kernel has no kpagecount */
	PAGE_MISSING_CGROUP = 16,	/* this kernel has no kpagecgroup */
	PAGE_MISSING_CGROUP_PATH = 32,	/* there is no directory with the group's inode */
	PAGE_MISSING_NODE = 64,		/* sysfs does not tell */
};

/*
 * 0; -ENOENT or -ESRCH: the process is gone or hidden; -EACCES, -EPERM: refused; -ESTALE: the pid is another process's
 * now; or as target_open() and lookup_new() have it. That pagemap alone cannot be opened is no failure.
 */
int page_facts_new(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks, uint64_t address,
		   struct page_facts **ret_page, struct vmad_error *err);
void page_facts_free(struct page_facts *page);

const struct target *page_facts_target(const struct page_facts *page);

/* Both live as long as the facts. */
const struct vmad_lookup *page_facts_lookup(const struct page_facts *page);
const struct vmad_page *page_facts_record(const struct page_facts *page);

/* The kernel interfaces that answered, such as "PROCMAP_QUERY, pagemap". */
const char *page_facts_source(const struct page_facts *page);

/* Bits of enum page_missing. */
unsigned page_facts_missing(const struct page_facts *page);
int page_facts_pagemap_error(const struct page_facts *page);

#endif
