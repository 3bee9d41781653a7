/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_vmas: the VMAs of all processes that the caller may read. */
#include <errno.h>
#include <stdlib.h>

#include "encode/record.h"
#include "endpoint/query.h"
#include "model/host_vmas.h"

struct host_vmas_list {
	const struct request *request;
	struct host_vmas *list;
	struct buf next_uri;
};

static void put_head(void *list, struct buf *to)
{
	(void)list;
	record_put_origin(to, &(struct vmad_origin){ .source = "maps" });
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct host_vmas_list *list = arg;
	struct vmad_target target;
	struct vmad_vma vma;
	int r = host_vmas_next(list->list, &target, &vma, err);

	if (r > 0) {
		record_put_target(to, &target);
		record_put_vma(to, &vma);
	}
	return r;
}

static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	struct host_vmas_list *list = arg;
	struct vmad_coverage coverage = host_vmas_coverage(list->list);
	uint64_t after;
	pid_t pid;

	record_put_coverage(to, &coverage);
	if (host_vmas_more(list->list, &pid, &after))
		query_put_more(list->request, pid, after, &list->next_uri, verdict);
}

static void free_list(void *arg)
{
	struct host_vmas_list *list = arg;

	host_vmas_free(list->list);
	buf_free(&list->next_uri);
	free(list);
}

static const struct list_ops host_vmas_ops = {
	.record = "vma", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list,
};

void endpoint_host_vmas(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct host_vmas_query query = {
		.filter = query_vma_filter(request),
		.processes = query_processes(request, context),
		.limit = request_number(request, PARAM_limit),
		.after_pid = (pid_t)request_number(request, PARAM_cursor),
		.after = request->values[PARAM_cursor].address,
	};
	struct host_vmas_list *list = calloc(1, sizeof(*list));
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };
	int r = list ? host_vmas_new(context->opener, request->caller, &query, &list->list, &err) : -ENOMEM;

	if (r < 0) {
		free(list);
		reply_error(request, &err);
		return;
	}
	list->request = request;
	reply_list(request, &host_vmas_ops, list);
}
