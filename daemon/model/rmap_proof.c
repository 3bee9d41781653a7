/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/rmap_proof.h"

#include <errno.h>

enum rmap_verdict rmap_compare(size_t found, uint64_t count)
{
	return found < count ? RMAP_FEWER : found > count ? RMAP_MORE : RMAP_PROVED;
}

/* What the rows tell of a process is read together with its places: the kernel has both at hand. */
static bool reread(struct mapping_set *set, struct rmap_rows *rows)
{
	const struct mapping_look look = { rmap_rows_look, rows };
	bool same;

	rmap_rows_begin(rows);
	same = mapping_set_reread(set, &look);
	if (!same)
		rmap_rows_forget(rows);
	return same;
}

int rmap_prove(struct mapping_set *set, struct rmap_frame *frame, struct rmap_rows *rows,
	       const struct rmap_question *question, enum rmap_verdict *ret_verdict, struct vmad_error *err)
{
	int r;

	rmap_rows_forget(rows);
	r = mapping_set_settle(set, question->opener, question->caller, err);
	if (r < 0 && r != -ENOSYS && r != -EAGAIN)
		return r;
	*ret_verdict = RMAP_MOVING;
	if (!rmap_frame_recount(frame) || !reread(set, rows) || r == -EAGAIN)
		return 0;
	*ret_verdict = rmap_compare(mapping_set_count(set), frame->count);
	if (*ret_verdict == RMAP_PROVED && r < 0)
		*ret_verdict = RMAP_UNTOLD;
	return 0;
}

const char *rmap_why_not_proved(enum rmap_verdict verdict, const struct rmap_frame *frame,
				const struct rmap_question *question)
{
	switch (verdict) {
	case RMAP_PROVED:
		return NULL;
	case RMAP_FEWER:
		return question->unreadable ? "unreadable-process" : "unreached";
	case RMAP_MORE:
		return frame->flags & KPAGE_BIT(HUGE) ? "hugetlb-shared-tables" : "unstable";
	case RMAP_MOVING:
		return "unstable";
	case RMAP_UNTOLD:
		return "no-kcmp";
	}
	return NULL;
}
