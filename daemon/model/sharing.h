/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sharing: with whom a process shares memory: the frames that both map, by what the process has them from. One pass over
 * the pages of all processes (page_index.h); it is not one moment, and what is shared only later is not in it.
 *
 * Memory is frames here: one that either maps twice is counted once, and the page of zeros is nobody's.
 *
 * For root callers: it tells of everybody.
 */
#ifndef MODEL_SHARING_H
#define MODEL_SHARING_H

#include "model/target.h"
#include "vmad/records.h"

/* Memory that the pass may take; where that is not enough it ends, and the answer is not complete. */
#define SHARING_CEILING_BYTES (128u << 20)

struct sharing;

struct sharing_query {
	pid_t pid;
	uint64_t start_time_ticks;	/* 0: any */
	uint64_t budget_us;		/* it ends after this time, with what was found */
	size_t ceiling_bytes;
	bool without_scan;
};

/* Errors as target_open. Strings live as long as the sharing. */
int sharing_new(struct opener *opener, const struct vmad_caller *caller, const struct sharing_query *query,
		struct sharing **ret_sharing, struct vmad_error *err);
void sharing_free(struct sharing *sharing);

const struct target *sharing_target(const struct sharing *sharing);
const char *sharing_source(const struct sharing *sharing);
struct vmad_sharing_sums sharing_sums(const struct sharing *sharing);
struct vmad_coverage sharing_coverage(const struct sharing *sharing);
struct vmad_page_index sharing_index(const struct sharing *sharing);

/* 1: the next process, those with the most in common first, until the next call; 0: the end; -ENOMEM. */
int sharing_next(struct sharing *sharing, struct vmad_sharing *ret_record);

/* NULL: each process that there was when the pass began was gone through. */
const char *sharing_reason(const struct sharing *sharing);

uint64_t sharing_kernel_us(const struct sharing *sharing);

#endif
