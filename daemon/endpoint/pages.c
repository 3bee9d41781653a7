/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pages: the state of the pages of one process. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "encode/record.h"
#include "endpoint/query.h"
#include "model/page_runs.h"
#include "source/kpage.h"

struct pages_list {
	const struct request *request;
	struct page_runs *runs;
	struct page_runs_query query;
	const char *missing;
	struct buf next_uri;
};

#define STR(text) ((struct vmad_str){ text, strlen(text) })

static void put_head(void *arg, struct buf *to)
{
	const struct pages_list *list = arg;
	struct vmad_target target = target_record(page_runs_target(list->runs));
	struct vmad_page_list pages = { .page_size_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };

	if (list->missing) {
		pages.has = VMAD_HAS(page_list, missing);
		pages.missing = STR(list->missing);
	}
	record_put_target(to, &target);
	record_put_origin(to, &(struct vmad_origin){ .source = page_runs_source(list->runs) });
	record_put_page_list(to, &pages);
}

/* The names of the page table's flags, and of the frame's behind them. */
static struct vmad_str put_flags(const struct page_run *run, char names[static PAGE_FLAG_NAMES_MAX + KPAGE_NAMES_MAX])
{
	size_t len = page_flag_names(run->page.flags, names);

	if (run->has_frame_flags && run->frame_flags) {
		if (len)
			names[len++] = ' ';
		len += kpage_flag_names(run->frame_flags, names + len);
	}
	return (struct vmad_str){ names, len };
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	char names[PAGE_FLAG_NAMES_MAX + KPAGE_NAMES_MAX];
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
		.flags = put_flags(&run, names),
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
	if (list->query.kpageflags_fd >= 0)
		close(list->query.kpageflags_fd);
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

/* Frames are for root callers; who is none gets what can be seen without them, and hears why. */
static void open_frames(struct pages_list *list)
{
	const struct request *request = list->request;
	struct endpoint_context *context = request->context;

	list->query.kpageflags_fd = -1;
	if (list->query.detail == PAGE_DETAIL_STATES)
		return;
	list->query.kpageflags_fd = opener_open_frames(context->opener, request->caller, OPENER_HOST_KPAGEFLAGS);
	if (list->query.kpageflags_fd >= 0)
		return;
	if (request->caller->class != VMAD_CALLER_ROOT)
		list->missing = "flags and numbers of frames: root only, because frame numbers help rowhammer attacks";
	else if (opener_uid(context->opener) != 0)
		list->missing = "flags and numbers of frames: this vmad runs as an ordinary user";
	else
		list->missing = "flags of frames: this kernel has no /proc/kpageflags, or does not let root read it";
}

static int open_list(struct pages_list *list, struct vmad_error *err)
{
	const struct request *request = list->request;
	struct endpoint_context *context = request->context;
	uint64_t cursor = request->values[PARAM_cursor].address;
	struct target target;
	int r;

	list->query.start = cursor ? cursor : request_number(request, PARAM_start);
	list->query.end = request_number(request, PARAM_end);
	list->query.limit = request_number(request, PARAM_limit);
	list->query.budget_us = request_budget_us(request);
	r = target_open(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid), OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP),
			request_number(request, PARAM_start_time_ticks), &target, err);
	if (r < 0)
		return r;
	if (request->head) {
		/* What the kernel let us open decides the status; reading would be a walk. */
		target_close(&target);
		return 0;
	}
	open_frames(list);
	return page_runs_new(&target, &list->query, &list->runs, err);
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
	list->query.kpageflags_fd = -1;
	list->query.detail = (enum page_detail)request_number(request, PARAM_detail_pages);
	r = open_list(list, &err);
	if (r == 0 && list->runs) {
		reply_list(request, &pages_ops, list);
		return;
	}
	free_list(list);
	if (r < 0)
		reply_error(request, &err);
	else
		reply_empty(request);
}
