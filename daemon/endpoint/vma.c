/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vma: what one address of a process is. */
#include "encode/record.h"
#include "endpoint/endpoint.h"
#include "model/lookup.h"

void endpoint_vma(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct vmad_target record;
	struct lookup *lookup;
	struct target target;
	struct vmad_error err = { 0 };
	struct buf members = { 0 };
	int r = target_open(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid),
			    OPENER_WANT(OPENER_MAPS), request_number(request, PARAM_start_time_ticks), &target, &err);

	if (r < 0) {
		reply_error(request, &err);
		return;
	}
	r = lookup_new(&target, request_number(request, PARAM_addr), &lookup, &err);
	if (r == 0) {
		record = target_record(&target);
		record_put_target(&members, &record);
		record_put_origin(&members, &(struct vmad_origin){ .source = lookup_source(lookup) });
		record_put_lookup(&members, lookup_record(lookup));
		lookup_free(lookup);
		reply_document(request, &members);
	} else {
		reply_error(request, &err);
	}
	target_close(&target);
}
