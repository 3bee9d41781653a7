/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames: all page frames of the host by kind, and one of them. */
#include "encode/record.h"
#include "endpoint/endpoint.h"
#include "endpoint/root.h"
#include "model/frame.h"
#include "model/frames.h"

static void put_head(void *list, struct buf *to)
{
	record_put_origin(to, &(struct vmad_origin){ .source = frames_source(list) });
}

static int put_next(void *list, struct buf *to, struct vmad_error *err)
{
	struct vmad_frame_kind kind;
	int r = frames_next(list, &kind);

	(void)err;
	if (r > 0)
		record_put_frame_kind(to, &kind);
	return r;
}

static void put_tail(void *list, struct buf *to, struct vmad_verdict *verdict)
{
	record_put_frame_total(to, &(struct vmad_frame_total){ .total_page_count = frames_total(list) });
	if (!frames_complete(list))
		*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = "deadline" };
}

static void free_list(void *list)
{
	frames_free(list);
}

static const struct list_ops frames_ops = {
	.record = "frame_kind", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list,
};

void endpoint_frames(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct frames *frames;
	struct vmad_error err = { 0 };

	if (!root_only(request, "page frames tell of everybody's memory"))
		return;
	if (request->head)
		reply_empty(request);
	else if (!request_walk(request, 0))
		return;
	else if (frames_new(context->opener, request->caller, (enum frames_by)request_number(request, PARAM_by),
			    request_budget_us(request), &frames, &err) < 0)
		reply_error(request, &err);
	else
		reply_list(request, &frames_ops, frames);
}

void endpoint_frame(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct frame_files files;
	struct buf members = { 0 };
	struct frame frame = { 0 };
	int r;

	if (!root_only(request, "page frames tell of everybody's memory"))
		return;
	files = frame_files_open(context->opener, request->caller);
	r = frame_read(&files, request_number(request, PARAM_pfn), &frame);
	frame_files_close(&files);
	if (r < 0) {
		reply_error(request, &(struct vmad_error){ .code = -r, .file = "kpageflags", .operation = "read" });
		return;
	}
	record_put_frame(&members, &frame.record);
	frame_clear(&frame);
	reply_document(request, &members);
}
