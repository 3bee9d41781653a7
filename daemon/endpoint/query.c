/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint/query.h"

#include <string.h>

#include "source/host.h"

struct vma_filter query_vma_filter(const struct request *request)
{
	struct vma_filter filter = {
		.start = request_number(request, PARAM_start),
		.end = request_number(request, PARAM_end),
		.kinds = (uint32_t)request_number(request, PARAM_kind),
		.path = request_text(request, PARAM_path),
		.min_size_bytes = request_number(request, PARAM_min_size_bytes),
	};

	if (request->values[PARAM_perms].given)
		memcpy(filter.perms, request_text(request, PARAM_perms), sizeof(filter.perms));
	if (request->values[PARAM_deleted].given)
		filter.deleted = request_number(request, PARAM_deleted) ? VMA_DELETED_YES : VMA_DELETED_NO;
	return filter;
}

uint64_t query_vma_limit(const struct endpoint_context *context)
{
	uint64_t limit = 0;

	if (context->vma_limit_fd >= 0 && host_vma_limit(context->vma_limit_fd, &limit) < 0)
		return 0;
	return limit;
}

struct process_query query_processes(const struct request *request, const struct endpoint_context *context)
{
	return (struct process_query){
		.comm = request_text(request, PARAM_comm),
		.unit = request_text(request, PARAM_unit),
		.has_uid = request->values[PARAM_uid].given,
		.uid = request_number(request, PARAM_uid),
		.limit = request_number(request, PARAM_limit),
		.after = (pid_t)request_number(request, PARAM_cursor),
		.vma_limit = query_vma_limit(context),
	};
}

void query_put_more(const struct request *request, pid_t pid, uint64_t address, struct buf *uri,
		    struct vmad_verdict *verdict)
{
	request_put_next(request, uri, pid, address);
	*verdict = (struct vmad_verdict){
		.has = VMAD_HAS(verdict, reason) | VMAD_HAS(verdict, next),
		.reason = "limit",
		.next = { uri->p, uri->len },
	};
}
