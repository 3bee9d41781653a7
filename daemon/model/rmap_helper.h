/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rmap_helper: a reverse look-up by the helper module: microseconds, out of the kernel's own trees. What maps the page
 * the module has seen in the page tables itself; what else the trees name (a child that copied the page, one that has
 * not touched it) are candidates.
 */
#ifndef MODEL_RMAP_HELPER_H
#define MODEL_RMAP_HELPER_H

#include <stdbool.h>

#include "opener/opener.h"
#include "source/helper_mappings.h"
#include "vmad/records.h"

struct rmap_helper;

/* NULL: there is no such module for this caller, or no memory; then there are other ways. */
struct rmap_helper *rmap_helper_new(struct opener *opener, const struct vmad_caller *caller);
void rmap_helper_free(struct rmap_helper *helper);

/*
 * Who maps the frame, of which /proc/kpageflags says `flags`. scan: also where all page tables would have to be gone
 * through. Negative: the module cannot tell; what it told before is forgotten.
 */
int rmap_helper_find(struct rmap_helper *helper, uint64_t pfn, uint64_t flags, bool scan);

/* What it told; nothing before it was asked. */
const struct helper_mappings *rmap_helper_found(const struct rmap_helper *helper);

/* Address spaces among the mappings, candidates apart. */
size_t rmap_helper_processes(const struct rmap_helper *helper);

/* Adds what it told of the page itself. */
void rmap_helper_describe(const struct rmap_helper *helper, struct vmad_mapped_page *page);

/* From here on rows can be had; with candidates or without. -ENOMEM. */
int rmap_helper_begin(struct rmap_helper *helper, bool candidates);

/* 1: the next mapping by pid and address, until the next call; 0: the end; -ENOMEM. */
int rmap_helper_next(struct rmap_helper *helper, struct vmad_mapping *ret_mapping);

#endif
