/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes: the list of them, and one of them. */
#include <errno.h>
#include <stdlib.h>

#include "encode/record.h"
#include "endpoint/query.h"
#include "model/target.h"
#include "model/usage_sum.h"

struct processes_list {
	const struct request *request;
	struct process_list *list;
	uint64_t vma_limit;
	struct buf next_uri;
	bool usage;
	/* The first row, read before the status was chosen. */
	struct vmad_process first;
	bool has_first;
};

static void put_head(void *arg, struct buf *to)
{
	const struct processes_list *list = arg;

	if (list->usage)
		record_put_origin(to, &(struct vmad_origin){ .source = "smaps_rollup" });
}

static void put_sums(struct buf *to, const struct usage_sum *usage)
{
	record_put_usage(to, &usage->usage);
	for (size_t i = 0; i < usage->unknown_count; i++)
		record_put_unknown(to, usage->unknown[i].key, usage->unknown[i].value);
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct processes_list *list = arg;
	struct vmad_process process = list->first;
	int r = list->has_first ? 1 : process_list_next(list->list, &process, err);

	list->has_first = false;
	if (r > 0)
		record_put_process(to, &process);
	if (r > 0 && process_list_usage(list->list))
		put_sums(to, process_list_usage(list->list));
	return r;
}

static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	struct processes_list *list = arg;
	pid_t after = process_list_more_after(list->list);

	record_put_host(to, &(struct vmad_host){ .has = list->vma_limit ? VMAD_HAS(host, vma_limit) : 0,
						 .vma_limit = list->vma_limit });
	if (after)
		query_put_more(list->request, after, 0, &list->next_uri, verdict);
}

static void free_list(void *arg)
{
	struct processes_list *list = arg;

	process_list_free(list->list);
	buf_free(&list->next_uri);
	free(list);
}

static uint64_t kernel_us(void *arg)
{
	return process_list_kernel_us(((struct processes_list *)arg)->list);
}

static const struct list_ops processes_ops = {
	.record = "process", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list,
	.kernel_us = kernel_us,
};

/* In the order of the parameter's choices. */
enum detail { DETAIL_VMAS, DETAIL_USAGE };

static bool asks_for(const struct request *request, enum detail detail)
{
	return request->values[PARAM_detail_processes].given && request_number(request, PARAM_detail_processes) == detail;
}

static void list_processes(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct process_query query = query_processes(request, context);
	struct processes_list *list = calloc(1, sizeof(*list));
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };
	int r = list ? 0 : -ENOMEM;

	query.count_vmas = asks_for(request, DETAIL_VMAS);
	query.usage = asks_for(request, DETAIL_USAGE) && !request->head;
	if (r == 0)
		r = process_list_new(context->opener, request->caller, &query, &list->list, &err);
	if (r == 0)
		r = process_list_next(list->list, &list->first, &err);
	if (r < 0) {
		if (list)
			free_list(list);
		reply_error(request, &err);
		return;
	}
	list->has_first = r > 0;
	list->request = request;
	list->vma_limit = query.vma_limit;
	list->usage = query.usage;
	reply_list(request, &processes_ops, list);
}

void endpoint_processes(struct request *request)
{
	/* It is a walk of all of them: one at a time for the host, as others that are. */
	if (!asks_for(request, DETAIL_USAGE) || request->head || request_walk(request, 0))
		list_processes(request);
}

/* The sums of smaps_rollup, which walks the page tables of the whole process; after the process's own members. */
static int put_usage(struct request *request, struct buf *to, uint64_t start_time_ticks, struct vmad_error *err)
{
	struct endpoint_context *context = request->context;
	pid_t pid = (pid_t)request_number(request, PARAM_pid);
	struct usage_sum usage;
	int r = usage_sum_read(context->opener, request->caller, pid, start_time_ticks, &usage, err);

	if (r < 0)
		return r;
	put_sums(to, &usage);
	record_put_origin(to, &(struct vmad_origin){ .source = "smaps_rollup" });
	return 0;
}

static int put_process(struct request *request, struct buf *to, struct vmad_error *err)
{
	struct endpoint_context *context = request->context;
	struct process_query query = {
		.only = (pid_t)request_number(request, PARAM_pid),
		.start_time_ticks = request_number(request, PARAM_start_time_ticks),
	};
	bool wants_usage = request->values[PARAM_detail_process].given, usage = wants_usage && !request->head;
	struct vmad_process process;
	struct process_list *list;
	int r = process_list_new(context->opener, request->caller, &query, &list, err);

	if (r < 0)
		return r;
	r = process_list_next(list, &process, err);
	if (r == 0)
		r = vmad_fail(err, ESRCH, query.only, "stat", "read");
	if (r > 0) {
		/* smaps_rollup counts both, and a member may stand in a reply once. */
		if (usage)
			process.has &= ~(VMAD_HAS(process, rss_bytes) | VMAD_HAS(process, swap_bytes));
		record_put_process(to, &process);
		if (usage)
			r = put_usage(request, to, process.start_time_ticks, err);
		else	/* what the kernel lets us open decides the status of a head, too */
			r = wants_usage ? usage_sum_may_read(context->opener, request->caller, query.only,
							     process.start_time_ticks, err) : 0;
	}
	process_list_free(list);
	/* Which process had the pid was for nobody but us to say: the one whose members these are is gone. */
	if (r == -ESTALE && !query.start_time_ticks)
		r = vmad_fail(err, ESRCH, query.only, "stat", "compare");
	return r;
}

void endpoint_process(struct request *request)
{
	struct buf members = { 0 };
	struct vmad_error err = { 0 };

	if (request->values[PARAM_detail_process].given && !request->head &&
	    !request_walk(request, (pid_t)request_number(request, PARAM_pid)))
		return;
	if (put_process(request, &members, &err) < 0) {
		buf_free(&members);
		reply_error(request, &err);
		return;
	}
	/* The head of a document that was not made, for that would be a walk. */
	if (request->values[PARAM_detail_process].given && request->head) {
		buf_free(&members);
		reply_empty(request);
		return;
	}
	record_put_freshness(&members, &(struct vmad_freshness){ .age_ms = 0 });
	reply_document(request, &members);
}
