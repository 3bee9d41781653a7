/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame: what the kernel tells of one page frame. For root callers. */
#ifndef MODEL_FRAME_H
#define MODEL_FRAME_H

#include "opener/opener.h"
#include "source/kpage.h"
#include "vmad/records.h"

/* What the kernel tells it by; a descriptor is negative where there is no such file, or it is not for this caller. */
struct frame_files {
	int flags_fd, count_fd, cgroup_fd;
};

#define FRAME_FILES_NONE ((struct frame_files){ -1, -1, -1 })

struct frame_files frame_files_open(struct opener *opener, const struct vmad_caller *caller);
void frame_files_close(struct frame_files *files);

struct frame {
	struct vmad_frame record;	/* its strings lie here */
	uint64_t flags;
	char flag_names[KPAGE_NAMES_MAX];
	char *cgroup;
};

/*
 * All of it. 0; -ENXIO: there is no frame of that number; -EOPNOTSUPP: flags are not told; or another negative errno.
 * Everything but flags is absent where it is not known. To be cleared before it is read again.
 */
int frame_read(const struct frame_files *files, uint64_t pfn, struct frame *ret_frame);
void frame_clear(struct frame *frame);

/* To a record that has number and flags: folio, control group and node. */
void frame_add_place(const struct frame_files *files, uint64_t flags, struct vmad_frame *record, char **ret_cgroup);

#endif
