/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmas: the VMAs of one process; as maps, as smaps, or as maps with what the kernel's own structs say. */
#include <errno.h>
#include <stdlib.h>

#include "encode/record.h"
#include "endpoint/query.h"
#include "endpoint/root.h"
#include "model/kernel_vmas.h"
#include "model/vma_list.h"
#include "source/smaps.h"

/* The choices of detail=. */
enum detail { DETAIL_MAPS, DETAIL_USAGE, DETAIL_KERNEL };

static const char *const sources[] = { "maps", "smaps", "maps+helper" };

struct vmas_list {
	const struct request *request;
	struct vma_list *list;
	enum detail detail;
	struct module module;		/* DETAIL_KERNEL */
	struct kernel_vmas *kernel;
	struct buf next_uri;
};

static void put_head(void *arg, struct buf *to)
{
	const struct vmas_list *list = arg;
	struct vmad_target target = target_record(vma_list_target(list->list));

	record_put_target(to, &target);
	record_put_origin(to, &(struct vmad_origin){ .source = sources[list->detail] });
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct vmas_list *list = arg;
	struct vma_list_row row;
	int r = vma_list_next(list->list, &row, err);

	if (r <= 0)
		return r;
	record_put_vma(to, &row.vma);
	if (list->detail == DETAIL_KERNEL) {
		const struct vmad_kernel *kernel = kernel_vmas_at(list->kernel, row.vma.start, row.vma.end);

		if (kernel)
			record_put_kernel(to, kernel);
	}
	if (list->detail != DETAIL_USAGE)
		return r;
	record_put_usage(to, &row.usage);
	for (size_t i = 0; i < row.unknown_count; i++)
		record_put_unknown(to, row.unknown[i].key, row.unknown[i].value);
	return r;
}

static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	struct vmas_list *list = arg;

	if (list->detail == DETAIL_USAGE)
		record_put_freshness(to, &(struct vmad_freshness){ .age_ms = 0 });
	switch (vma_list_end(list->list)) {
	case VMA_LIST_COMPLETE:
		if (list->kernel && kernel_vmas_error(list->kernel) < 0)
			*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = "module-failed" };
		break;
	case VMA_LIST_LIMIT:
		query_put_more(list->request, 0, vma_list_next_after(list->list), &list->next_uri, verdict);
		break;
	case VMA_LIST_TARGET_GONE:
		*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = "target-gone" };
		break;
	}
}

static void free_list(void *arg)
{
	struct vmas_list *list = arg;

	kernel_vmas_free(list->kernel);
	module_close(&list->module);
	vma_list_free(list->list);
	buf_free(&list->next_uri);
	free(list);
}

static uint64_t kernel_us(void *arg)
{
	return vma_list_kernel_us(((struct vmas_list *)arg)->list);
}

static const struct list_ops vmas_ops = {
	.record = "vma",
	.head = put_head,
	.next = put_next,
	.tail = put_tail,
	.free = free_list,
	.kernel_us = kernel_us,
};

static int open_list(struct request *request, struct vmas_list *list, struct vmad_error *err)
{
	struct endpoint_context *context = request->context;
	struct vma_list_query query = {
		.usage = list->detail == DETAIL_USAGE,
		.filter = query_vma_filter(request),
		.limit = request_number(request, PARAM_limit),
		.after = request->values[PARAM_cursor].address,
	};
	struct target target;
	int r = target_open(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid),
			    OPENER_WANT(query.usage ? OPENER_SMAPS : OPENER_MAPS),
			    request_number(request, PARAM_start_time_ticks), &target, err);

	if (r == 0 && request->head) {
		/* What the kernel let us open decides the status; reading would be a walk. */
		target_close(&target);
		return 0;
	}
	if (r == 0)
		r = vma_list_new(&target, &query, &list->list, err);
	if (r < 0 || list->detail != DETAIL_KERNEL)
		return r;
	return kernel_vmas_new(&list->module, vma_list_target(list->list),
			       query.after > query.filter.start ? query.after : query.filter.start, query.filter.end,
			       &list->kernel, err);
}

/* What has to be had before the process is looked at. False: the request has been answered. */
static bool prepare(struct request *request, struct vmas_list *list)
{
	switch (list->detail) {
	case DETAIL_MAPS:
		break;
	case DETAIL_USAGE:
		return request->head || request_walk(request, (pid_t)request_number(request, PARAM_pid));
	case DETAIL_KERNEL:
		return root_with_module(request, VMADK_CAN_VMAS, &list->module);
	}
	return true;
}

void endpoint_vmas(struct request *request)
{
	struct vmas_list *list = calloc(1, sizeof(*list));
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };
	int r;

	if (!list) {
		reply_error(request, &err);
		return;
	}
	list->request = request;
	list->detail = (enum detail)request_number(request, PARAM_detail_vmas);
	if (!prepare(request, list)) {
		free_list(list);
		return;
	}
	r = open_list(request, list, &err);
	if (r == 0 && list->list) {
		reply_list(request, &vmas_ops, list);
		return;
	}
	free_list(list);
	reply_bare(request, r, &err);
}
