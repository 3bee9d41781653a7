/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mappings: who maps a page; of a process's address, and of a frame. */
#include <errno.h>
#include <stdlib.h>

#include "encode/record.h"
#include "endpoint/endpoint.h"
#include "endpoint/root.h"
#include "model/rmap.h"

struct mappings_list {
	struct rmap *rmap;
	const struct request *request;
};

static void put_head(void *arg, struct buf *to)
{
	const struct mappings_list *list = arg;
	const struct target *target = rmap_target(list->rmap);
	struct vmad_mapped_page page = rmap_page(list->rmap);

	if (target) {
		struct vmad_target record = target_record(target);

		record_put_target(to, &record);
		page.has |= VMAD_HAS(mapped_page, address);
		page.address = request_number(list->request, PARAM_addr);
	}
	record_put_mapped_page(to, &page);
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct mappings_list *list = arg;
	struct vmad_mapping mapping;
	int r = rmap_next(list->rmap, &mapping);

	if (r > 0)
		record_put_mapping(to, &mapping);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "allocate") : r;
}

static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	struct mappings_list *list = arg;
	struct vmad_proof proof = rmap_proof(list->rmap);
	const char *reason = rmap_reason(list->rmap);

	record_put_proof(to, &proof);
	if (reason)
		*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = reason };
}

static void free_list(void *arg)
{
	struct mappings_list *list = arg;

	rmap_free(list->rmap);
	free(list);
}

static const struct list_ops mappings_ops = {
	.record = "mapping", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list,
};

static bool may_scan(void *request)
{
	return request_walk_host(request);
}

/* Whoever owns the process. Candidates are the module's to tell. */
static bool may_ask(struct request *request)
{
	struct module module;

	if (!root_only(request, "page -> mappings needs a root caller (frame numbers help rowhammer)"))
		return false;
	if (!request_number(request, PARAM_candidates))
		return true;
	if (!root_with_module(request, VMADK_CAN_RMAP_FILE, &module))
		return false;
	module_close(&module);
	return true;
}

static void reply_failure(struct request *request, const struct vmad_error *err)
{
	struct problem problem;

	if (err->code != EBUSY || err->pid) {
		reply_error(request, err);
		return;
	}
	problem_set(&problem, PROBLEM_BUSY, "others go through the pages of all processes already");
	problem.retry_after_seconds = 1;
	reply_problem(request, &problem);
}

static void look_up(struct request *request, const struct rmap_query *query)
{
	struct endpoint_context *context = request->context;
	struct mappings_list *list = calloc(1, sizeof(*list));
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };

	if (!list || rmap_new(context->opener, request->caller, query, &list->rmap, &err) < 0) {
		free(list);
		reply_failure(request, &err);
		return;
	}
	list->request = request;
	reply_list(request, &mappings_ops, list);
}

/* What the kernel lets us open decides the status; more would be a walk. */
static void head_of_process(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct vmad_error err = { 0 };
	struct target target;
	int r = target_open(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid),
			    OPENER_WANT(OPENER_MAPS), request_number(request, PARAM_start_time_ticks), &target, &err);

	if (r < 0) {
		reply_error(request, &err);
		return;
	}
	target_close(&target);
	reply_empty(request);
}

void endpoint_mappings(struct request *request)
{
	struct rmap_query query = {
		.pid = (pid_t)request_number(request, PARAM_pid),
		.address = request_number(request, PARAM_addr),
		.start_time_ticks = request_number(request, PARAM_start_time_ticks),
		.budget_us = request_budget_us(request),
		.may_scan = may_scan,
		.arg = request,
		.candidates = request_number(request, PARAM_candidates),
	};

	if (!may_ask(request))
		return;
	if (request->head)
		head_of_process(request);
	else if (request_walk(request, query.pid))
		look_up(request, &query);
}

void endpoint_frame_mappings(struct request *request)
{
	struct rmap_query query = {
		.pfn = request_number(request, PARAM_pfn),
		.budget_us = request_budget_us(request),
		.may_scan = may_scan,
		.arg = request,
		.candidates = request_number(request, PARAM_candidates),
	};

	if (!may_ask(request))
		return;
	if (request->head)
		reply_empty(request);
	else
		look_up(request, &query);
}
