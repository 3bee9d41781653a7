/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ops: what the kernel calls for the VMA that holds an address. */
#include <errno.h>
#include <stdlib.h>

#include "encode/record.h"
#include "endpoint/endpoint.h"
#include "endpoint/root.h"
#include "model/vma_ops.h"

struct ops_list {
	struct module module;
	struct target target;
	bool has_target;
	struct vma_ops *ops;
};

static void put_head(void *arg, struct buf *to)
{
	const struct ops_list *list = arg;
	struct vmad_target target = target_record(&list->target);

	record_put_target(to, &target);
	record_put_origin(to, &(struct vmad_origin){ .source = "helper" });
	record_put_ops(to, vma_ops_record(list->ops));
	record_put_kernel(to, vma_ops_kernel(list->ops));
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct ops_list *list = arg;
	struct vmad_vma_op op;
	int r = vma_ops_next(list->ops, &op);

	(void)err;
	if (r > 0)
		record_put_vma_op(to, &op);
	return r;
}

static void put_tail(void *list, struct buf *to, struct vmad_verdict *verdict)
{
	(void)list;
	(void)to;
	(void)verdict;
}

static void free_list(void *arg)
{
	struct ops_list *list = arg;

	vma_ops_free(list->ops);
	if (list->has_target)
		target_close(&list->target);
	module_close(&list->module);
	free(list);
}

static const struct list_ops ops_ops = {
	.record = "vma_op", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list,
};

static int find(struct request *request, struct ops_list *list, struct vmad_error *err)
{
	struct endpoint_context *context = request->context;
	int r = target_open(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid),
			    OPENER_WANT(OPENER_MAPS), request_number(request, PARAM_start_time_ticks), &list->target, err);

	list->has_target = r == 0;
	return r < 0 ? r : vma_ops_new(&list->module, &list->target, request_number(request, PARAM_addr), &list->ops, err);
}

static void fail(struct request *request, const struct vmad_error *err)
{
	struct problem problem;

	if (err->code == ENXIO)
		problem_set(&problem, PROBLEM_NO_SUCH_VMA, "process %d maps nothing at 0x%llx", (int)err->pid,
			    (unsigned long long)request_number(request, PARAM_addr));
	else if (err->code == EPROTO)
		problem_set(&problem, PROBLEM_FAILED, "the helper module answers what makes no sense");
	else
		return reply_error(request, err);
	reply_problem(request, &problem);
}

void endpoint_ops(struct request *request)
{
	struct ops_list *list = calloc(1, sizeof(*list));
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };

	if (!list) {
		reply_error(request, &err);
		return;
	}
	if (!root_with_module(request, VMADK_CAN_VMAS | VMADK_CAN_MEMBERS, &list->module)) {
		free_list(list);
		return;
	}
	if (find(request, list, &err) == 0) {
		reply_list(request, &ops_ops, list);
		return;
	}
	free_list(list);
	fail(request, &err);
}
