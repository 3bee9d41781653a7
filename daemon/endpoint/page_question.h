/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_question: what the answers about a process's pages share: from the request to the model, and the members in front. */
#ifndef ENDPOINT_PAGE_QUESTION_H
#define ENDPOINT_PAGE_QUESTION_H

#include "endpoint/endpoint.h"
#include "model/page_runs.h"
#include "source/kpage.h"

struct page_question {
	struct page_runs_query query;	/* its kpageflags_fd is this one's to close */
	const char *missing;		/* what was asked for and cannot be told, and why; or NULL */
};

/*
 * Reads the request's parameters, opens what they want, and the target, which is the caller's on success. detail: the
 * parameter's value. Frames are for root callers; who is none gets what can be seen without them, and hears why.
 */
int page_question_open(struct page_question *question, const struct request *request, uint64_t value, struct target *ret_target,
		     struct vmad_error *err);
void page_question_close(struct page_question *question);

/* The members in front of the list. */
void page_question_put_head(const struct page_question *question, const struct target *target, const char *source, struct buf *to);

#define PAGE_QUESTION_NAMES_MAX (PAGE_FLAG_NAMES_MAX + KPAGE_NAMES_MAX)

/* The names of the page table's flags, and of the frame's behind them. */
struct vmad_str page_question_names(struct page page, uint64_t frame_flags, char names[static PAGE_QUESTION_NAMES_MAX]);

#endif
