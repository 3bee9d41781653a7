/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gaps: every unmapped range of a layout, one after the other; what cannot be mapped although it is free is a range of its own, with the reason. */
#ifndef MODEL_GAPS_H
#define MODEL_GAPS_H

#include "model/layout.h"

struct gaps {
	const struct layout *layout;
	uint64_t min_address;		/* vm.mmap_min_addr */
	uint64_t at;			/* behind the last one */
	size_t area;			/* the first area that may lie above */
};

/* Begins with the first gap that reaches beyond `after`; 0: with the lowest. */
void gaps_init(struct gaps *gaps, const struct layout *layout, uint64_t min_address, uint64_t after);

/* False: there are no more. */
bool gaps_next(struct gaps *gaps, struct vmad_gap *ret_gap);

/* How many there are in all, and the largest that can be mapped; false where there is none of these. */
bool gaps_sum(const struct layout *layout, uint64_t min_address, uint64_t *ret_count, struct vmad_gap *ret_largest);

#endif
