/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rmap_proof: is every mapping of a frame found? All that were found are read, then the frame's count, then all of them
 * again: what came or went meanwhile shows.
 */
#ifndef MODEL_RMAP_PROOF_H
#define MODEL_RMAP_PROOF_H

#include "model/mapping_set.h"
#include "model/rmap_frame.h"
#include "model/rmap_rows.h"
#include "model/rmap_steps.h"

enum rmap_verdict {
	RMAP_PROVED,
	RMAP_FEWER,		/* found than the frame's count says */
	RMAP_MORE,
	RMAP_MOVING,		/* mappings went while they were counted */
	RMAP_UNTOLD,		/* which processes share an mm */
};

/*
 * Settles the set, counts the frame anew, and judges; the rows are those of the set then. 0; or what mapping_set_settle()
 * failed with.
 */
int rmap_prove(struct mapping_set *set, struct rmap_frame *frame, struct rmap_rows *rows,
	       const struct rmap_question *question, enum rmap_verdict *ret_verdict, struct vmad_error *err);

/* Of so many found mappings that did not move. */
enum rmap_verdict rmap_compare(size_t found, uint64_t count);

/* NULL: they are proved to be all. */
const char *rmap_why_not_proved(enum rmap_verdict verdict, const struct rmap_frame *frame,
				const struct rmap_question *question);

#endif
