/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vma: the API's record of a VMA, made from the kernel's line; and which VMAs a question wants. */
#ifndef MODEL_VMA_H
#define MODEL_VMA_H

#include <stdbool.h>

#include "model/kind.h"
#include "source/maps.h"
#include "vmad/records.h"

/* Its strings point where the entry's name points. */
struct vmad_vma vma_record(const struct maps_entry *entry);

/* A part of a file, as maps shows it. */
struct vma_file {
	uint64_t device, inode;
	uint64_t start, end;		/* offsets; end is the first one behind the part */
};

/* Which VMAs are wanted; all zero wants every one. */
struct vma_filter {
	uint64_t start, end;		/* VMAs that overlap [start, end); end 0: to the top */
	uint32_t kinds;			/* bits 1 << enum kind; 0: all */
	char perms[4];			/* . or NUL for any */
	const char *path;		/* fnmatch pattern for path or name; NULL: any */
	enum { VMA_DELETED_ANY, VMA_DELETED_YES, VMA_DELETED_NO } deleted;
	uint64_t min_size_bytes;
	bool of_file;			/* only VMAs that map some of `file` */
	struct vma_file file;
};

bool vma_matches(const struct vma_filter *filter, const struct vmad_vma *vma);

/* Nothing at this address or above can match: the rest need not be read. */
bool vma_is_beyond(const struct vma_filter *filter, uint64_t start);

/* fnmatch(3) on bytes that are not NUL-terminated. */
bool glob_matches(const char *pattern, struct vmad_str text);

#endif
