/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps: the unmapped areas of a process, and where its next mmap would go. */
#include <errno.h>
#include <stdlib.h>

#include "encode/record.h"
#include "endpoint/query.h"
#include "model/gaps.h"
#include "model/placement.h"
#include "source/host.h"

struct gaps_list {
	const struct request *request;
	struct vma_list *vmas;		/* owns the target */
	struct layout layout;
	struct placement_facts facts;
	bool usage;
	bool target_gone;
	struct gaps gaps;
	uint64_t given, limit;
	bool more;
	struct buf next_uri;
};

static void put_head(void *arg, struct buf *to)
{
	const struct gaps_list *list = arg;
	struct vmad_target target = target_record(vma_list_target(list->vmas));

	record_put_target(to, &target);
	record_put_origin(to, &(struct vmad_origin){ .source = list->usage ? "smaps" : "maps" });
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct gaps_list *list = arg;
	struct gaps before = list->gaps;
	struct vmad_gap gap;

	(void)err;
	if (!gaps_next(&list->gaps, &gap))
		return 0;
	if (list->limit && list->given == list->limit) {
		list->gaps = before;
		list->more = true;
		return 0;
	}
	list->given++;
	record_put_gap(to, &gap);
	return 1;
}

static void put_sum(const struct gaps_list *list, const struct placement *placement, struct buf *to)
{
	struct vmad_gap largest;
	struct vmad_gaps record = { .placement = placement ? &placement->record : NULL };

	if (gaps_sum(&list->layout, list->facts.min_address, &record.gap_count, &largest))
		record.largest = &largest;
	record_put_gaps(to, &record);
}

static void put_tail(void *arg, struct buf *to, struct vmad_verdict *verdict)
{
	struct gaps_list *list = arg;
	uint64_t length = list->layout.count ? request_number(list->request, PARAM_length) : 0;
	struct placement placement;

	if (length)
		placement_find(&list->layout, &list->facts, length, request_number(list->request, PARAM_align), &placement);
	put_sum(list, length ? &placement : NULL, to);
	if (list->target_gone)
		*verdict = (struct vmad_verdict){ .has = VMAD_HAS(verdict, reason), .reason = "target-gone" };
	else if (list->more)
		query_put_more(list->request, 0, list->gaps.at, &list->next_uri, verdict);
}

static void free_list(void *arg)
{
	struct gaps_list *list = arg;

	vma_list_free(list->vmas);
	layout_free(&list->layout);
	buf_free(&list->next_uri);
	free(list);
}

static uint64_t kernel_us(void *arg)
{
	return vma_list_kernel_us(((struct gaps_list *)arg)->vmas);
}

static const struct list_ops gaps_ops = {
	.record = "gap", .head = put_head, .next = put_next, .tail = put_tail, .free = free_list, .kernel_us = kernel_us,
};

static uint64_t number_of(int fd)
{
	uint64_t number = 0;

	return fd >= 0 && host_number(fd, &number) == 0 ? number : 0;
}

static void read_host(const struct endpoint_context *context, struct placement_facts *facts)
{
	facts->min_address = number_of(context->min_address_fd);
	facts->overcommit = number_of(context->overcommit_fd);
	facts->vma_limit = query_vma_limit(context);
	/* The kernel that made a captured layout is not the one that runs here. */
	if (opener_is_captured(context->opener))
		facts->rules.known = false;
}

static int read_layout(struct gaps_list *list, struct target *target, struct vmad_error *err)
{
	struct vma_list_query query = { .usage = list->usage };
	int r;

	placement_facts_read(target, &list->facts, &list->layout.auxv);
	read_host(list->request->context, &list->facts);
	r = vma_list_new(target, &query, &list->vmas, err);
	if (r == 0)
		r = layout_read(&list->layout, list->vmas, err);
	if (r < 0)
		return r;
	list->target_gone = vma_list_end(list->vmas) == VMA_LIST_TARGET_GONE;
	list->facts.complete = !list->target_gone;
	return 0;
}

static int open_list(struct gaps_list *list, struct vmad_error *err)
{
	static const unsigned files = OPENER_WANT(OPENER_STATUS) | OPENER_WANT(OPENER_LIMITS) | OPENER_WANT(OPENER_AUXV);
	const struct request *request = list->request;
	struct endpoint_context *context = request->context;
	struct target target;
	int r = target_open(context->opener, request->caller, (pid_t)request_number(request, PARAM_pid),
			    files | OPENER_WANT(list->usage ? OPENER_SMAPS : OPENER_MAPS), request_number(request, PARAM_start_time_ticks), &target, err);

	if (r == 0 && request->head) {
		target_close(&target);
		return 0;
	}
	return r < 0 ? r : read_layout(list, &target, err);
}

static int read_again(struct gaps_list *list, bool usage, struct vmad_error *err)
{
	vma_list_free(list->vmas);
	list->vmas = NULL;
	layout_free(&list->layout);
	list->facts = (struct placement_facts){ 0 };
	list->usage = usage;
	return open_list(list, err);
}

/*
 * maps does not show which areas grow down, but the kernel counts them (VmStk): where the main thread's stack is the only one, as it nearly always is, all is
 * known. Otherwise only smaps tells them; that walks the page tables. False: it was not to be had, and the request has been answered.
 */
static bool find_stacks(struct request *request, struct gaps_list *list, int *r, struct vmad_error *err)
{
	const struct status_facts *status = &list->facts.status;

	list->facts.has_stacks = status->has_mm && status->stack_bytes == list->layout.stack_bytes;
	if (list->facts.has_stacks || !status->has_mm || list->target_gone)
		return true;
	if (!request_walk(request, (pid_t)request_number(request, PARAM_pid)))
		return false;
	*r = read_again(list, true, err);
	list->facts.has_stacks = *r == 0 && list->facts.status.stack_bytes == list->layout.stack_bytes;
	/* a kernel without smaps (CONFIG_PROC_PAGE_MONITOR) */
	if (*r == -EOPNOTSUPP)
		*r = read_again(list, false, err);
	return true;
}

static bool refuse(struct request *request, enum param_id id, const char *detail)
{
	struct problem problem;

	problem_set(&problem, PROBLEM_BAD_PARAMETER, "%s", detail);
	problem.parameter = params[id].name;
	reply_problem(request, &problem);
	return false;
}

static bool check(struct request *request)
{
	uint64_t align = request_number(request, PARAM_align);
	bool has_length = request->values[PARAM_length].given, has_align = request->values[PARAM_align].given;

	if (has_length && request_number(request, PARAM_length) == 0)
		return refuse(request, PARAM_length, "length is 0: mmap refuses that");
	if (has_align && !has_length)
		return refuse(request, PARAM_align, "align says nothing without length");
	if (has_align && (align == 0 || align & (align - 1)))
		return refuse(request, PARAM_align, "align is not a power of two");
	return true;
}

void endpoint_gaps(struct request *request)
{
	struct gaps_list *list;
	struct vmad_error err = { .code = ENOMEM, .operation = "allocate" };
	int r;

	if (!check(request))
		return;
	list = calloc(1, sizeof(*list));
	if (!list) {
		reply_error(request, &err);
		return;
	}
	list->request = request;
	list->limit = request_number(request, PARAM_limit);
	r = open_list(list, &err);
	if (r == 0 && list->vmas && !find_stacks(request, list, &r, &err)) {
		free_list(list);
		return;
	}
	if (r == 0 && list->vmas) {
		gaps_init(&list->gaps, &list->layout, list->facts.min_address, request->values[PARAM_cursor].address);
		reply_list(request, &gaps_ops, list);
		return;
	}
	free_list(list);
	reply_bare(request, r, &err);
}
