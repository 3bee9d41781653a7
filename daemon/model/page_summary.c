/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page_summary.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/frame_count.h"
#include "model/page_spans.h"
#include "source/kpage.h"

struct page_summary {
	uint64_t page_size;
	/* One of them walked, and has the target. */
	struct page_runs *runs;
	struct page_spans *spans;
	struct tally tally;		/* of flags of frames; the tag is the page */
	enum page_runs_end end;
	size_t next;
};

void page_summary_free(struct page_summary *summary)
{
	if (!summary)
		return;
	page_runs_free(summary->runs);
	page_spans_free(summary->spans);
	tally_free(&summary->tally);
	free(summary);
}

const struct target *page_summary_target(const struct page_summary *summary)
{
	return summary->runs ? page_runs_target(summary->runs) : page_spans_target(summary->spans);
}

const char *page_summary_source(const struct page_summary *summary)
{
	return summary->runs ? page_runs_source(summary->runs) : page_spans_source(summary->spans);
}

enum page_runs_end page_summary_end(const struct page_summary *summary)
{
	return summary->end;
}

uint64_t page_summary_kernel_us(const struct page_summary *summary)
{
	return summary->runs ? page_runs_kernel_us(summary->runs) : page_spans_kernel_us(summary->spans);
}

static uint64_t tag_of(struct page page)
{
	return (uint64_t)page.flags << 8 | page.state;
}

static struct page page_of(uint64_t tag)
{
	return (struct page){ (enum page_state)(tag & 0xff), (unsigned)(tag >> 8) };
}

/* --- without flags of frames: the runs, summed up --- */

static int sum_runs(struct page_summary *summary, struct target *target, const struct page_runs_query *query, struct vmad_error *err)
{
	struct page_run run;
	int r = page_runs_new(target, query, &summary->runs, err);

	if (r < 0)
		return r;
	while ((r = page_runs_next(summary->runs, &run, err)) > 0) {
		int added = tally_add(&summary->tally, tag_of(run.page), 0, (run.end - run.start) / summary->page_size);

		if (added < 0)
			return vmad_fail(err, -added, target->files.pid, NULL, "count");
	}
	summary->end = page_runs_end(summary->runs);
	return r;
}

/* --- with flags of frames --- */

/* Pages without a frame are counted at once, the others by their frames. */
static int add_window(struct page_summary *summary, struct frame_count *count, const struct page_span *span, size_t spans)
{
	struct frame_span frames[FRAME_SPANS_MAX];
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < spans; i++) {
		uint64_t tag = tag_of(span[i].page);

		if (!span[i].pfn) {
			r = tally_add(&summary->tally, tag, 0, span[i].page_count);
			continue;
		}
		frames[n++] = (struct frame_span){ span[i].pfn, span[i].page_count, tag, span[i].one_huge };
		if (n == FRAME_SPANS_MAX) {
			r = frame_count_add(count, frames, n);
			n = 0;
		}
	}
	return r == 0 && n ? frame_count_add(count, frames, n) : r;
}

static int add_windows(struct page_summary *summary, struct frame_count *count, uint64_t deadline_us, struct vmad_error *err)
{
	const struct page_span *span;
	size_t spans;
	int r;

	while ((r = page_spans_next(summary->spans, &span, &spans, err)) > 0) {
		r = add_window(summary, count, span, spans);
		if (r < 0)
			return vmad_fail(err, -r, page_summary_target(summary)->files.pid, "kpageflags", "read");
		if (deadline_us && clock_us() > deadline_us) {
			summary->end = PAGE_RUNS_DEADLINE;
			return 0;
		}
	}
	summary->end = page_spans_target_gone(summary->spans) ? PAGE_RUNS_TARGET_GONE : PAGE_RUNS_COMPLETE;
	return r;
}

/* What the kernel says of the frame of zeros goes for the page too, as in page_runs. */
static int add_zero_flags(struct page_summary *summary)
{
	struct tally read = summary->tally;
	int r = 0;

	summary->tally = (struct tally){ 0 };
	for (size_t i = 0; r == 0 && i < read.room; i++) {
		bool zero = read.slots[i].word & KPAGE_BIT(ZERO_PAGE);
		uint64_t flag = zero ? tag_of((struct page){ (enum page_state)0, PAGEFLAG_BIT(ZERO) }) : 0;

		r = tally_add(&summary->tally, read.slots[i].tag | flag, read.slots[i].word, read.slots[i].count);
	}
	tally_free(&read);
	return r;
}

static int sum_frames(struct page_summary *summary, struct target *target, const struct page_runs_query *query, struct vmad_error *err)
{
	struct page_spans_query range = { query->start, query->end, query->without_scan };
	uint64_t deadline_us = query->budget_us ? clock_us() + query->budget_us : 0;
	int pid = target->files.pid, r = page_spans_new(target, &range, &summary->spans, err), counted;
	struct frame_count *count;

	if (r < 0)
		return r;
	r = frame_count_new(query->kpageflags_fd, KPAGE_BIT(NOPAGE), &count);
	if (r < 0)
		return vmad_fail(err, -r, pid, NULL, "allocate");
	r = add_windows(summary, count, deadline_us, err);
	counted = r == 0 ? frame_count_finish(count, &summary->tally) : 0;
	frame_count_free(count);
	if (counted == 0 && r == 0)
		counted = add_zero_flags(summary);
	return counted < 0 ? vmad_fail(err, -counted, pid, "kpageflags", "read") : r;
}

int page_summary_new(struct target *target, const struct page_runs_query *query, struct page_summary **ret_summary,
		     struct vmad_error *err)
{
	struct page_summary *summary = calloc(1, sizeof(*summary));
	bool frames = query->detail != PAGE_DETAIL_STATES && query->kpageflags_fd >= 0;
	int r;

	if (!summary) {
		target_close(target);
		return vmad_fail(err, ENOMEM, target->files.pid, NULL, "allocate");
	}
	summary->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	r = frames ? sum_frames(summary, target, query, err) : sum_runs(summary, target, query, err);
	if (r < 0) {
		page_summary_free(summary);
		return r;
	}
	tally_sort(&summary->tally);
	*ret_summary = summary;
	return 0;
}

int page_summary_next(struct page_summary *summary, struct page_kind *ret_kind)
{
	const struct tally_kind *kind;

	if (summary->next == summary->tally.kinds)
		return 0;
	kind = &summary->tally.slots[summary->next++];
	*ret_kind = (struct page_kind){ page_of(kind->tag), kind->word, kind->count };
	return 1;
}
