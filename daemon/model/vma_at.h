/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vma_at: the VMA at one address, and nothing of its neighbours: one question to the kernel where it has PROCMAP_QUERY,
 * else the text of maps.
 */
#ifndef MODEL_VMA_AT_H
#define MODEL_VMA_AT_H

#include "model/lookup.h"
#include "source/maps.h"
#include "source/procmap_query.h"

/* What the record borrows from; all zero to begin with. */
struct vma_at {
	struct maps_entry entry;
	struct vmad_vma vma;
	struct lookup *lookup;
	char name[PROCMAP_NAME_MAX];
};

/*
 * The target needs OPENER_MAPS. NULL: there is none, or it cannot be told. It lives until the next call or
 * vma_at_clear().
 */
const struct vmad_vma *vma_at_find(struct vma_at *at, struct target *target, uint64_t address);
void vma_at_clear(struct vma_at *at);

#endif
