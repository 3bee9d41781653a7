/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_summary: the pages of one process by state and flags. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "encode/record.h"
#include "endpoint/page_question.h"
#include "model/page_summary.h"

struct summary_list {
	struct page_summary *summary;
	struct page_question question;
};

static void put_head(void *arg, struct buf *to)
{
	const struct summary_list *list = arg;

	page_question_put_head(&list->question, page_summary_target(list->summary), page_summary_source(list->summary), to);
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	char names[PAGE_QUESTION_NAMES_MAX];
	struct summary_list *list = arg;
	struct page_kind kind;

	(void)err;
	if (!page_summary_next(list->summary, &kind))
		return 0;
	record_put_page_kind(to, &(struct vmad_page_kind){
		.state = page_state_name(kind.page.state),
		.flags = page_question_names(kind.page, kind.frame_flags, names),
		.page_count = kind.page_count,
		.size_bytes = kind.page_count * (uint64_t)sysconf(_SC_PAGESIZE),
	});
	return 1;
}

static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	const struct summary_list *list = arg;
	enum page_runs_end end = page_summary_end(list->summary);

	record_put_freshness(to, &(struct vmad_freshness){ .age_ms = 0 });
	if (end != PAGE_RUNS_COMPLETE)
		*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason),
						  .reason = end == PAGE_RUNS_DEADLINE ? "deadline" : "target-gone" };
}

static void free_list(void *arg)
{
	struct summary_list *list = arg;

	page_summary_free(list->summary);
	page_question_close(&list->question);
	free(list);
}

static uint64_t kernel_us(void *arg)
{
	return page_summary_kernel_us(((struct summary_list *)arg)->summary);
}

static const struct list_ops summary_ops = {
	.record = "page_kind", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list, .kernel_us = kernel_us,
};

static int open_list(struct summary_list *list, const struct request *request, struct vmad_error *err)
{
	struct target target;
	int r = page_question_open(&list->question, request, request_number(request, PARAM_detail_page_summary), &target, err);

	if (r < 0)
		return r;
	if (request->head) {
		target_close(&target);
		return 0;
	}
	return page_summary_new(&target, &list->question.query, &list->summary, err);
}

void endpoint_page_summary(struct request *request)
{
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };
	struct summary_list *list;
	int r;

	if (!request->head && !request_walk(request, (pid_t)request_number(request, PARAM_pid)))
		return;
	list = calloc(1, sizeof(*list));
	if (!list) {
		reply_error(request, &err);
		return;
	}
	list->question.query.kpageflags_fd = -1;
	r = open_list(list, request, &err);
	if (r == 0 && list->summary) {
		reply_list(request, &summary_ops, list);
		return;
	}
	free_list(list);
	reply_bare(request, r, &err);
}
