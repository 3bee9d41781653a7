/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma_at.h"

#include <errno.h>

#include "model/vma.h"

void vma_at_clear(struct vma_at *at)
{
	lookup_free(at->lookup);
	at->lookup = NULL;
}

const struct vmad_vma *vma_at_find(struct vma_at *at, struct target *target, uint64_t address)
{
	int r = procmap_query_available() ? procmap_query(target->files.fd[OPENER_MAPS], address, false, &at->entry,
							  at->name) : -ENOTTY;

	vma_at_clear(at);
	if (r == 0) {
		at->vma = vma_record(&at->entry);
		return &at->vma;
	}
	/* Not there, or a path that is longer than any buffer of PROCMAP_QUERY. */
	if ((r != -ENOTTY && r != -ENAMETOOLONG) || lookup_new(target, address, &at->lookup, NULL) < 0)
		return NULL;
	return lookup_record(at->lookup)->vma;
}
