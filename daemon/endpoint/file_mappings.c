/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_mappings: who maps a file. */
#include <errno.h>
#include <stdlib.h>

#include "encode/record.h"
#include "endpoint/file_query.h"
#include "endpoint/query.h"
#include "model/file_mappings.h"

struct mappings_list {
	const struct request *request;
	struct file_query query;
	struct file_mappings *list;
	struct buf next_uri;
};

static void put_head(void *arg, struct buf *to)
{
	const struct mappings_list *list = arg;
	struct vmad_file_range range = file_query_range(&list->query);

	record_put_file_range(to, &range);
	record_put_origin(to, &(struct vmad_origin){ .source = file_mappings_method(list->list) });
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct mappings_list *list = arg;
	struct file_mappings_row row;
	int r = file_mappings_next(list->list, &row, err);

	if (r > 0) {
		record_put_target(to, &row.target);
		record_put_vma(to, &row.vma);
		record_put_file_mapping(to, &row.mapping);
	}
	return r;
}

/* By device and inode it is whatever has these; whether they are one file's alone nobody asked. */
static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	struct mappings_list *list = arg;
	const struct host_vmas *source = file_mappings_source(list->list);
	struct vmad_coverage coverage = host_vmas_coverage(source);
	struct vmad_file_match match = { .exact = file_mappings_exact(list->list) };
	uint64_t after;
	pid_t pid;

	if (list->query.file.fd >= 0)
		match.has = VMAD_HAS(file_match, exact);
	record_put_file_match(to, &match);
	record_put_coverage(to, &coverage);
	if (host_vmas_more(source, &pid, &after))
		query_put_more(list->request, pid, after, &list->next_uri, verdict);
}

static void free_list(void *arg)
{
	struct mappings_list *list = arg;

	file_mappings_free(list->list);
	file_query_close(&list->query);
	buf_free(&list->next_uri);
	free(list);
}

static const struct list_ops mappings_ops = {
	.record = "mapping", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list,
};

static int open_list(struct request *request, struct mappings_list *list, struct vmad_error *err)
{
	struct endpoint_context *context = request->context;
	struct host_vmas_query query = {
		.processes = query_processes(request, context),
		.limit = request_number(request, PARAM_limit),
		.after_pid = (pid_t)request_number(request, PARAM_cursor),
		.after = request->values[PARAM_cursor].address,
	};

	return file_mappings_new(context->opener, request->caller, &list->query.file, list->query.start,
				 list->query.end, &query, &list->list, err);
}

void endpoint_file_mappings(struct request *request)
{
	struct mappings_list *list = calloc(1, sizeof(*list));
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };

	if (!list) {
		reply_error(request, &err);
		return;
	}
	list->request = request;
	list->query.file.fd = -1;
	if (!file_query_open(request, &list->query)) {
		free_list(list);
		return;
	}
	if (open_list(request, list, &err) < 0) {
		free_list(list);
		reply_error(request, &err);
		return;
	}
	reply_list(request, &mappings_ops, list);
}
