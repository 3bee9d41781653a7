/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint/page_question.h"

#include <string.h>
#include <unistd.h>

#include "encode/record.h"

static void open_flags(struct page_question *question, const struct request *request)
{
	struct endpoint_context *context = request->context;

	if (question->query.detail == PAGE_DETAIL_STATES)
		return;
	question->query.kpageflags_fd = opener_open_frames(context->opener, request->caller, OPENER_HOST_KPAGEFLAGS);
	if (question->query.kpageflags_fd >= 0)
		return;
	if (request->caller->class != VMAD_CALLER_ROOT)
		question->missing = "flags and numbers of frames: root only, because frame numbers help rowhammer attacks";
	else if (opener_uid(context->opener) != 0)
		question->missing = "flags and numbers of frames: this vmad runs as an ordinary user";
	else
		question->missing = "flags of frames: this kernel has no /proc/kpageflags, or does not let root read it";
}

int page_question_open(struct page_question *question, const struct request *request, uint64_t value, struct target *ret_target,
		     struct vmad_error *err)
{
	struct endpoint_context *context = request->context;
	int r;

	question->query = (struct page_runs_query){
		.start = request_number(request, PARAM_start),
		.end = request_number(request, PARAM_end),
		.detail = (enum page_detail)value,
		.kpageflags_fd = -1,
		.budget_us = request_budget_us(request),
	};
	r = target_open(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid), OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP),
			request_number(request, PARAM_start_time_ticks), ret_target, err);
	/* What the kernel let us open decides the status of HEAD; reading would be a walk. */
	if (r == 0 && !request->head)
		open_flags(question, request);
	return r;
}

void page_question_close(struct page_question *question)
{
	if (question->query.kpageflags_fd >= 0)
		close(question->query.kpageflags_fd);
}

void page_question_put_head(const struct page_question *question, const struct target *target, const char *source, struct buf *to)
{
	struct vmad_page_list pages = { .page_size_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
	struct vmad_target record = target_record(target);

	if (question->missing) {
		pages.has = VMAD_HAS(page_list, missing);
		pages.missing = (struct vmad_str){ question->missing, strlen(question->missing) };
	}
	record_put_target(to, &record);
	record_put_origin(to, &(struct vmad_origin){ .source = source });
	record_put_page_list(to, &pages);
}

struct vmad_str page_question_names(struct page page, uint64_t frame_flags, char names[static PAGE_QUESTION_NAMES_MAX])
{
	size_t len = page_flag_names(page.flags, names);

	if (frame_flags) {
		if (len)
			names[len++] = ' ';
		len += kpage_flag_names(frame_flags, names + len);
	}
	return (struct vmad_str){ names, len };
}
