/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_pages: what of a file is in the page cache. */
#include "encode/record.h"
#include "endpoint/file_query.h"
#include "model/file_pages.h"

#define DEADLINE_MS 2000	/* where none was given */

static int put_pages(struct request *request, const struct file_query *query, struct buf *to, struct vmad_error *err)
{
	const struct endpoint_context *context = request->context;
	const struct param_value *deadline = &request->values[PARAM_deadline_ms];
	struct vmad_file_range range = file_query_range(query);
	struct file_pages pages;
	int r = file_pages_read(context->opener, request->caller, &query->file, query->start, query->end,
				(deadline->given ? deadline->number : DEADLINE_MS) * 1000, &pages, err);

	if (r < 0)
		return r;
	record_put_file_range(to, &range);
	record_put_origin(to, &(struct vmad_origin){ .source = pages.source });
	record_put_file_pages(to, &pages.record);
	record_put_freshness(to, &(struct vmad_freshness){ .age_ms = 0 });
	return 0;
}

static void answer(struct request *request, const struct file_query *query)
{
	struct buf members = { 0 };
	struct vmad_error err = { 0 };

	if (put_pages(request, query, &members, &err) == 0) {
		reply_document(request, &members);
		return;
	}
	buf_free(&members);
	file_query_fail(request, &err);
}

void endpoint_file_pages(struct request *request)
{
	struct file_query query;

	if (!file_query_open(request, &query))
		return;
	if (request->head)
		reply_empty(request);
	else if (request_walk(request, 0))
		answer(request, &query);
	file_query_close(&query);
}
