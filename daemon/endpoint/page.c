/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: one page of one process. */
#include "model/page.h"

#include <string.h>
#include <unistd.h>

#include "encode/record.h"
#include "endpoint/endpoint.h"
#include "endpoint/root.h"

/* What may be missing besides the frame, which is the caller's doing. */
static const struct {
	enum page_missing missing;
	const char *why;
} reasons[] = {
	{ PAGE_MISSING_MAPCOUNT, "map count: this kernel has no /proc/kpagecount, or does not let root read it" },
	{ PAGE_MISSING_CGROUP, "control group: this kernel has no /proc/kpagecgroup (CONFIG_MEMCG), or does not let root read it" },
	{ PAGE_MISSING_CGROUP_PATH, "path of the control group: no directory that vmad sees has its inode" },
	{ PAGE_MISSING_NODE, "NUMA node: sysfs does not tell it" },
};

static void put_reason(struct buf *to, const char *what, const char *why)
{
	buf_printf(to, "%s%s%s", to->len ? "; " : "", what, why);
}

static void put_missing(const struct request *request, const struct page_facts *page, struct buf *to)
{
	unsigned missing = page_facts_missing(page);

	if (missing & PAGE_MISSING_STATE)
		put_reason(to, "state: pagemap cannot be read: ", strerror(page_facts_pagemap_error(page)));
	if (missing & PAGE_MISSING_FRAME)
		put_reason(to, "frame or swap slot: ", why_no_frames(request));
	if (missing & PAGE_MISSING_FLAGS)
		put_reason(to, "frame: ", why_no_frames(request));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (missing & reasons[i].missing)
			put_reason(to, "", reasons[i].why);
}

static void put_page(const struct request *request, const struct page_facts *page, struct buf *to)
{
	struct vmad_target target = target_record(page_facts_target(page));
	struct vmad_page_list list = { .page_size_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
	struct buf missing = { 0 };

	put_missing(request, page, &missing);
	if (missing.len) {
		list.has = VMAD_HAS(page_list, missing);
		list.missing = (struct vmad_str){ missing.p, missing.len };
	}
	record_put_target(to, &target);
	record_put_origin(to, &(struct vmad_origin){ .source = page_facts_source(page) });
	record_put_page_list(to, &list);
	record_put_lookup(to, page_facts_lookup(page));
	record_put_page(to, page_facts_record(page));
	buf_free(&missing);
}

void endpoint_page(struct request *request)
{
	struct endpoint_context *context = request->context;
	struct buf members = { 0 };
	struct page_facts *page;
	struct vmad_error err = { 0 };

	if (page_facts_new(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid),
			   request_number(request, PARAM_start_time_ticks), request_number(request, PARAM_addr), &page, &err) < 0) {
		reply_error(request, &err);
		return;
	}
	put_page(request, page, &members);
	page_facts_free(page);
	reply_document(request, &members);
}
