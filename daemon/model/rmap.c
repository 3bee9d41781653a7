/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap.h"

#include <errno.h>
#include <stdlib.h>

#include "clock/clock.h"
#include "model/mapping_set.h"
#include "model/rmap_frame.h"
#include "model/rmap_helper.h"
#include "model/rmap_proof.h"
#include "model/rmap_rows.h"
#include "model/rmap_steps.h"
#include "model/rmap_target.h"

/* of a step whose page's mappers come and go, and of a target whose page changes under us */
#define TRIES 3

struct rmap {
	struct rmap_question question;
	struct rmap_query query;
	struct rmap_target target;	/* not open: it is a frame that is asked about */
	struct rmap_frame frame;
	struct rmap_helper *helper;	/* NULL: there is no module */
	bool by_helper;			/* the answer is its */
	struct mapping_set set;
	const char *method, *reason;
	const char *ended;		/* the reason, where a limit was hit: no further step */
	bool complete, scanned;
	struct rmap_rows *rows;
};

void rmap_free(struct rmap *rmap)
{
	if (!rmap)
		return;
	rmap_rows_free(rmap->rows);
	rmap_helper_free(rmap->helper);
	rmap_target_close(&rmap->target);
	rmap_frame_close(&rmap->frame);
	mapping_set_free_later(&rmap->set);
	free(rmap);
}

const struct target *rmap_target(const struct rmap *rmap)
{
	return rmap->target.is_open ? &rmap->target.target : NULL;
}

const struct vmad_frame *rmap_frame(const struct rmap *rmap)
{
	return rmap->frame.is_there ? &rmap->frame.record : NULL;
}

struct vmad_mapped_page rmap_page(const struct rmap *rmap)
{
	struct vmad_mapped_page page = { .page = rmap_frame(rmap) };

	if (rmap->by_helper)
		rmap_helper_describe(rmap->helper, &page);
	return page;
}

const char *rmap_reason(const struct rmap *rmap)
{
	return rmap->complete ? NULL : rmap->reason;
}

static struct vmad_proof proof_by_helper(const struct rmap *rmap)
{
	const struct helper_mappings *found = rmap_helper_found(rmap->helper);

	return (struct vmad_proof){ .has = VMAD_HAS(proof, candidates_found),
				    .mappings_found = found->page.mapped,
				    .processes_found = rmap_helper_processes(rmap->helper),
				    .method = rmap->method,
				    .candidates_found = found->count - found->page.mapped };
}

struct vmad_proof rmap_proof(const struct rmap *rmap)
{
	if (rmap->by_helper)
		return proof_by_helper(rmap);
	return (struct vmad_proof){ .mappings_found = mapping_set_count(&rmap->set),
				    .processes_found = mapping_set_processes(&rmap->set),
				    .method = rmap->method };
}

/* Waiting for the permit is no part of the time that the look-up may take. */
static bool may_scan(struct rmap *rmap)
{
	uint64_t since = clock_us();
	bool may = !rmap->query.may_scan || rmap->query.may_scan(rmap->query.arg);

	rmap->question.deadline_us += clock_us() - since;
	return may;
}

/* The module goes through all page tables only where vmad would. Negative: it cannot tell. */
static int ask_helper(struct rmap *rmap, const char *never)
{
	const uint64_t pfn = rmap->set.pfn;
	int r = rmap_helper_find(rmap->helper, pfn, rmap->frame.flags, false);

	if (r < 0 || !(rmap_helper_found(rmap->helper)->result & VMADK_UNSCANNED))
		return r;
	if ((never && rmap->target.is_open) || !may_scan(rmap))
		return -EBUSY;
	return rmap_helper_find(rmap->helper, pfn, rmap->frame.flags, true);
}

static enum rmap_verdict judge_helper(struct rmap *rmap)
{
	const struct helper_mappings *found = rmap_helper_found(rmap->helper);

	if (!rmap_frame_recount(&rmap->frame) ||
	    found->result & (VMADK_TRUNCATED | VMADK_CONTENDED | VMADK_UNSCANNED | VMADK_CHANGED))
		return RMAP_MOVING;
	return rmap_compare(found->page.mapped, rmap->frame.count);
}

static const char *why_not_proved(const struct rmap *rmap, enum rmap_verdict verdict)
{
	return rmap_why_not_proved(verdict, &rmap->frame, &rmap->question);
}

/*
 * By the kernel's own reverse map. True: that is the answer. False: there is no module, or what it found is not proved to
 * be all; then the other steps have their turn. What no count can prove is answered all the same, if it found any.
 */
static bool look_up_by_helper(struct rmap *rmap, const char *never)
{
	rmap->by_helper = false;
	for (int i = 0; rmap->helper && i < TRIES && !rmap->by_helper; i++) {
		enum rmap_verdict verdict;

		if (ask_helper(rmap, never) < 0)
			return false;
		verdict = judge_helper(rmap);
		rmap->complete = verdict == RMAP_PROVED && !never;
		rmap->reason = never ? never : why_not_proved(rmap, verdict);
		rmap->by_helper = never ? verdict != RMAP_MOVING && rmap_helper_found(rmap->helper)->page.mapped :
					  verdict == RMAP_PROVED || (verdict == RMAP_MORE && rmap->frame.flags & KPAGE_BIT(HUGE));
	}
	if (rmap->by_helper)
		rmap->method = "helper";
	return rmap->by_helper;
}

/* One step: its name, whether it can find anything, and what it does. */
struct step {
	const char *name;
	bool (*applies)(const struct rmap *rmap);
	int (*run)(struct rmap *rmap, struct vmad_error *err);
};

static bool has_target(const struct rmap *rmap)
{
	return rmap->target.is_open;
}

static int run_same_address(struct rmap *rmap, struct vmad_error *err)
{
	return rmap_step_same_address(&rmap->question, rmap->query.address, &rmap->set, err);
}

/* A page that was copied on write belongs to no file, whatever its VMA. */
static bool is_of_file(const struct rmap *rmap)
{
	return rmap->target.file.inode && !(rmap->frame.flags & KPAGE_BIT(ANON));
}

static int run_file_offset(struct rmap *rmap, struct vmad_error *err)
{
	return rmap_step_file_offset(&rmap->question, rmap->target.file.device, rmap->target.file.inode, rmap->target.file.offset,
				     &rmap->set, err);
}

static void begin_set(struct rmap *rmap, uint64_t pfn)
{
	mapping_set_free(&rmap->set);
	mapping_set_init(&rmap->set, pfn);
	rmap->set.marks_start = rmap->target.marks_start;
}

/*
 * A scan that finds as many as are counted need not go on: if they are not all, the next one goes to the end. It begins
 * with an empty set: what is found twice would count twice.
 */
static int run_scan(struct rmap *rmap, struct vmad_error *err)
{
	const uint64_t pfn = rmap->set.pfn;
	int r;

	begin_set(rmap, pfn);
	rmap->question.enough = rmap->scanned || !rmap->frame.count ? SIZE_MAX : rmap->frame.count;
	rmap->scanned = true;
	r = rmap_step_scan(&rmap->question, &rmap->set, err);
	return r == -EALREADY ? 0 : r;
}

static bool always(const struct rmap *rmap)
{
	(void)rmap;
	return true;
}

static const struct step steps[] = {
	{ "same-address", has_target, run_same_address },
	{ "file-offset", is_of_file, run_file_offset },
	{ "scan", always, run_scan },
};

#define SCAN (&steps[sizeof(steps) / sizeof(steps[0]) - 1])

/* An end before the step's own: what was found may be all, which the proof tells. */
static const char *why_ended(int code)
{
	return code == -ETIMEDOUT ? "deadline" : code == -E2BIG || code == -EMFILE ? "too-many" : NULL;
}

/*
 * One step, and whether it was enough. Where the count changed or mappings went meanwhile, once more: what is missing
 * may have come just now, and most often the next step costs far more. 0: look at complete and reason.
 */
static int climb(struct rmap *rmap, const struct step *step, struct vmad_error *err)
{
	const char *ended = NULL;
	int r = 0;

	rmap->method = step->name;
	for (int i = 0; i < TRIES && !rmap->complete && !ended; i++) {
		uint64_t before = rmap->frame.count;
		enum rmap_verdict verdict;

		r = step->run(rmap, err);
		ended = why_ended(r);
		if (r < 0 && !ended)
			return r;
		r = rmap_prove(&rmap->set, &rmap->frame, rmap->rows, &rmap->question, &verdict, err);
		if (r < 0)
			ended = why_ended(r);
		if (r < 0 && !ended)
			return r;
		rmap->complete = r == 0 && verdict == RMAP_PROVED;
		rmap->reason = r < 0 ? ended : why_not_proved(rmap, verdict);
		/* A first scan may have ended early, with places that are gone or are one mapping of several pids. */
		if (r == 0 && verdict != RMAP_MOVING && verdict != RMAP_MORE && rmap->frame.count == before &&
		    rmap->question.enough == SIZE_MAX)
			break;
	}
	if (ended && !rmap->complete)
		rmap->reason = ended;
	rmap->ended = ended;
	return 0;
}

static const char *why_unprovable(const struct rmap *rmap)
{
	return rmap_frame_why_unprovable(&rmap->frame, rmap->query.pid, rmap->question.opener, rmap->question.caller);
}

/* Climbs the steps until one is proved to have found all. */
static int look_up(struct rmap *rmap, struct vmad_error *err)
{
	const char *never = why_unprovable(rmap);
	int r = 0;

	if (look_up_by_helper(rmap, never))
		return 0;
	for (const struct step *step = steps; step <= SCAN && r == 0 && !rmap->complete && !rmap->ended; step++) {
		if (!step->applies(rmap))
			continue;
		/* No count to reach: going through every process would prove nothing more. */
		if (step == SCAN && never && rmap->target.is_open)
			break;
		if (step == SCAN && !may_scan(rmap)) {
			rmap->reason = "busy";
			return rmap->target.is_open ? 0 : vmad_fail(err, EBUSY, 0, NULL, "scan");
		}
		r = climb(rmap, step, err);
		if (never)
			rmap->complete = false;
	}
	if (never)
		rmap->reason = never;
	return r;
}

static int fail_incomplete(struct rmap *rmap, const char *reason)
{
	rmap->complete = false;
	rmap->reason = reason;
	return 0;
}

static int fail_without_page(struct rmap *rmap)
{
	rmap->frame.is_there = false;
	return fail_incomplete(rmap, "not-present");
}

/*
 * Where the target's page is another one when all is done (copied, migrated, swapped out), the question has changed:
 * once more.
 */
static int look_up_address(struct rmap *rmap, struct vmad_error *err)
{
	uint64_t pfn = 0, now = 0;
	int r = 0;

	r = rmap_target_read_pfn(&rmap->target, &now, err);
	for (int i = 0; i < TRIES && r == 0; i++) {
		pfn = now;
		begin_set(rmap, pfn);
		rmap->complete = false;
		rmap->ended = NULL;
		rmap->scanned = false;
		rmap->question.enough = SIZE_MAX;
		if (!pfn || !rmap_frame_read(&rmap->frame, pfn))
			return fail_without_page(rmap);
		r = look_up(rmap, err);
		if (r == 0)
			r = rmap_target_read_pfn(&rmap->target, &now, err);
		if (r == 0 && now == pfn)
			return 0;
		/* What was found is an answer all the same. */
		if (r == -ESRCH)
			return fail_incomplete(rmap, "target-gone");
	}
	return r < 0 ? r : fail_incomplete(rmap, "unstable");
}

static int look_up_target(struct rmap *rmap, struct vmad_error *err)
{
	struct target_again again = { rmap->question.opener, rmap->question.caller, rmap->query.pid, rmap->query.start_time_ticks, 0 };
	int r;

	do {
		r = rmap_target_open(&rmap->target, again.opener, again.caller, again.pid, rmap->query.address,
				     again.start_time_ticks, err);
		if (r == 0)
			r = look_up_address(rmap, err);
	} while (target_asks_again(&again, &r, err));
	return r;
}

static int look_up_frame(struct rmap *rmap, struct vmad_error *err)
{
	mapping_set_init(&rmap->set, rmap->query.pfn);
	if (!rmap_frame_read(&rmap->frame, rmap->query.pfn))
		return vmad_fail(err, ENXIO, 0, "kpageflags", "read");
	if (!rmap->frame.count) {
		/*
		 * The count proves it without a look: nothing maps the frame. Where nothing is counted, it proves
		 * nothing.
		 */
		rmap->method = "scan";
		rmap->reason = why_unprovable(rmap);
		rmap->complete = !rmap->reason;
		return 0;
	}
	return look_up(rmap, err);
}

int rmap_new(struct opener *opener, const struct vmad_caller *caller, const struct rmap_query *query,
	     struct rmap **ret_rmap,
	     struct vmad_error *err)
{
	struct rmap *rmap = calloc(1, sizeof(*rmap));
	int r;

	if (!rmap)
		return vmad_fail(err, ENOMEM, query->pid, NULL, "allocate");
	rmap->query = *query;
	rmap->question = (struct rmap_question){ .pid = query->pid,
						 .enough = SIZE_MAX,
						 .opener = opener, .caller = caller,
						 .deadline_us = clock_us() + query->budget_us };
	rmap->method = "same-address";
	r = rmap_rows_new(&rmap->set, &rmap->rows, err);
	if (r < 0) {
		free(rmap);
		return r;
	}
	rmap->helper = rmap_helper_new(opener, caller);
	if (query->pid && !rmap->helper)
		rmap_begin_listing(&rmap->question);
	r = rmap_frame_open(&rmap->frame, opener, caller, err);
	if (r == 0)
		r = query->pid ? look_up_target(rmap, err) : look_up_frame(rmap, err);
	rmap_end_listing(&rmap->question);
	if (r == 0 && rmap->by_helper && rmap_helper_begin(rmap->helper, query->candidates) < 0)
		r = vmad_fail(err, ENOMEM, query->pid, NULL, "allocate");
	if (r < 0) {
		rmap_free(rmap);
		return r;
	}
	*ret_rmap = rmap;
	return 0;
}

int rmap_next(struct rmap *rmap, struct vmad_mapping *ret_mapping)
{
	return rmap->by_helper ? rmap_helper_next(rmap->helper, ret_mapping) : rmap_rows_next(rmap->rows, ret_mapping);
}
