/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pages: the state of the pages of one process. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "encode/record.h"
#include "endpoint/page_question.h"
#include "endpoint/query.h"

struct pages_list {
	const struct request *request;
	struct page_runs *runs;
	struct page_question question;
	struct buf next_uri;
};

static void put_head(void *arg, struct buf *to)
{
	const struct pages_list *list = arg;

	page_question_put_head(&list->question, page_runs_target(list->runs), page_runs_source(list->runs), to);
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	char names[PAGE_QUESTION_NAMES_MAX];
	struct pages_list *list = arg;
	struct vmad_run record;
	struct page_run run;
	int r = page_runs_next(list->runs, &run, err);

	if (r <= 0)
		return r;
	record = (struct vmad_run){
		.has = run.pfn ? VMAD_HAS(run, pfn) : 0,
		.start = run.start,
		.end = run.end,
		.size_bytes = run.end - run.start,
		.page_count = (run.end - run.start) / (uint64_t)sysconf(_SC_PAGESIZE),
		.state = page_state_name(run.page.state),
		.flags = page_question_names(run.page, run.frame_flags, names),
		.pfn = run.pfn,
	};
	record_put_run(to, &record);
	return r;
}

static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	struct pages_list *list = arg;

	record_put_freshness(to, &(struct vmad_freshness){ .age_ms = 0 });
	switch (page_runs_end(list->runs)) {
	case PAGE_RUNS_COMPLETE:
		break;
	case PAGE_RUNS_LIMIT:
		query_put_more(list->request, 0, page_runs_next_start(list->runs), &list->next_uri, verdict);
		break;
	case PAGE_RUNS_DEADLINE:
		query_put_more(list->request, 0, page_runs_next_start(list->runs), &list->next_uri, verdict);
		verdict->reason = "deadline";
		break;
	case PAGE_RUNS_TARGET_GONE:
		*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = "target-gone" };
		break;
	}
}

static void free_list(void *arg)
{
	struct pages_list *list = arg;

	page_runs_free(list->runs);
	page_question_close(&list->question);
	buf_free(&list->next_uri);
	free(list);
}

static uint64_t kernel_us(void *arg)
{
	return page_runs_kernel_us(((struct pages_list *)arg)->runs);
}

static const struct list_ops pages_ops = {
	.record = "run", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list, .kernel_us = kernel_us,
};

static int open_list(struct pages_list *list, struct vmad_error *err)
{
	const struct request *request = list->request;
	uint64_t cursor = request->values[PARAM_cursor].address;
	struct target target;
	int r = page_question_open(&list->question, request, request_number(request, PARAM_detail_pages), &target, err);

	if (r < 0)
		return r;
	if (request->head) {
		target_close(&target);
		return 0;
	}
	if (cursor)
		list->question.query.start = cursor;
	list->question.query.limit = request_number(request, PARAM_limit);
	return page_runs_new(&target, &list->question.query, &list->runs, err);
}

void endpoint_pages(struct request *request)
{
	struct pages_list *list;
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };
	int r;

	if (!request->head && !request_walk(request, (pid_t)request_number(request, PARAM_pid)))
		return;
	list = calloc(1, sizeof(*list));
	if (!list) {
		reply_error(request, &err);
		return;
	}
	list->request = request;
	list->question.query.kpageflags_fd = -1;
	r = open_list(list, &err);
	if (r == 0 && list->runs) {
		reply_list(request, &pages_ops, list);
		return;
	}
	free_list(list);
	reply_bare(request, r, &err);
}
