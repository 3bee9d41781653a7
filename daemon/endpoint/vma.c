/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vma: what one address of a process is. */
#include <errno.h>

#include "encode/record.h"
#include "endpoint/endpoint.h"
#include "model/lookup.h"

static int look_up(struct request *request, struct target *target, struct lookup **ret_lookup, struct vmad_error *err)
{
	struct endpoint_context *context = request->context;
	struct target_again again = { context->opener, request->caller, (pid_t)request_number(request, PARAM_pid),
				      request_number(request, PARAM_start_time_ticks), 0 };
	int r;

	do {
		r = target_open(again.opener, again.caller, again.pid, OPENER_WANT(OPENER_MAPS), again.start_time_ticks, target, err);
		if (r < 0)
			continue;
		r = lookup_new(target, request_number(request, PARAM_addr), ret_lookup, err);
		if (r < 0)
			target_close(target);
	} while (target_asks_again(&again, &r, err));
	return r;
}

void endpoint_vma(struct request *request)
{
	struct vmad_target record;
	struct lookup *lookup;
	struct target target;
	struct vmad_error err = { 0 };
	struct buf members = { 0 };

	if (look_up(request, &target, &lookup, &err) < 0) {
		reply_error(request, &err);
		return;
	}
	record = target_record(&target);
	record_put_target(&members, &record);
	record_put_origin(&members, &(struct vmad_origin){ .source = lookup_source(lookup) });
	record_put_lookup(&members, lookup_record(lookup));
	lookup_free(lookup);
	reply_document(request, &members);
	target_close(&target);
}
