/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sharing: with whom a process shares memory. */
#include "model/sharing.h"

#include <errno.h>

#include "encode/record.h"
#include "endpoint/endpoint.h"
#include "endpoint/root.h"

static void put_head(void *list, struct buf *to)
{
	struct vmad_target target = target_record(sharing_target(list));
	struct vmad_sharing_sums sums = sharing_sums(list);

	record_put_target(to, &target);
	record_put_origin(to, &(struct vmad_origin){ .source = sharing_source(list) });
	record_put_sharing_sums(to, &sums);
}

static int put_next(void *list, struct buf *to, struct vmad_error *err)
{
	struct vmad_sharing sharing;
	int r = sharing_next(list, &sharing);

	if (r > 0)
		record_put_sharing(to, &sharing);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "allocate") : r;
}

static void put_tail(void *list, struct buf *to, struct vmad_verdict *verdict)
{
	struct vmad_page_index index = sharing_index(list);
	struct vmad_coverage coverage = sharing_coverage(list);
	const char *reason = sharing_reason(list);

	record_put_page_index(to, &index);
	record_put_coverage(to, &coverage);
	record_put_freshness(to, &(struct vmad_freshness){ .age_ms = 0 });
	if (reason)
		*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = reason };
}

static void free_list(void *list)
{
	sharing_free(list);
}

static uint64_t kernel_us(void *list)
{
	return sharing_kernel_us(list);
}

static const struct list_ops sharing_ops = {
	.record = "sharing", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list,
	.kernel_us = kernel_us,
};

/* What the kernel lets us open decides the status; more would be a walk. */
static void head_of_process(struct request *request, const struct sharing_query *query)
{
	struct endpoint_context *context = request->context;
	struct vmad_error err = { 0 };
	struct target target;
	int r = target_open(context->opener, request->caller, query->pid, OPENER_WANT(OPENER_MAPS), query->start_time_ticks,
			    &target, &err);

	if (r < 0) {
		reply_error(request, &err);
		return;
	}
	target_close(&target);
	reply_empty(request);
}

void endpoint_sharing(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct sharing_query query = {
		.pid = (pid_t)request_number(request, PARAM_pid),
		.start_time_ticks = request_number(request, PARAM_start_time_ticks),
		.budget_us = request_budget_us(request),
		.ceiling_bytes = SHARING_CEILING_BYTES,
	};
	struct sharing *sharing;
	struct vmad_error err = { 0 };

	if (!root_only(request, "with whom a process shares memory needs a root caller: it tells of everybody"))
		return;
	if (request->head)
		head_of_process(request, &query);
	else if (!request_walk(request, 0))
		return;
	else if (sharing_new(context->opener, request->caller, &query, &sharing, &err) < 0)
		reply_error(request, &err);
	else
		reply_list(request, &sharing_ops, sharing);
}
