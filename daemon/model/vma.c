/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const struct vmad_str deleted_mark = VMAD_STR(" (deleted)");

static bool ends_with(struct vmad_str text, struct vmad_str end)
{
	return text.len >= end.len && !memcmp(text.p + text.len - end.len, end.p, end.len);
}

struct vmad_vma vma_record(const struct maps_entry *entry)
{
	struct vmad_vma vma = {
		.start = entry->start,
		.end = entry->end,
		.size_bytes = entry->end - entry->start,
		.offset_bytes = entry->offset_bytes,
		.device = entry->device,
		.inode = entry->inode,
		.kind = kind_name(kind_of(entry)),
	};

	memcpy(vma.perms, entry->perms, sizeof(vma.perms));
	if (entry->name.len && entry->name.p[0] == '/') {
		vma.has = VMAD_HAS(vma, path);
		vma.path = entry->name;
		/* Only one mark goes: a file may really be named "x (deleted)". */
		vma.deleted = ends_with(entry->name, deleted_mark);
		if (vma.deleted)
			vma.path.len -= deleted_mark.len;
	} else if (entry->name.len) {
		vma.has = VMAD_HAS(vma, name);
		vma.name = entry->name;
	}
	return vma;
}

bool glob_matches(const char *pattern, struct vmad_str text)
{
	char *copy = vmad_str_copy(text);
	bool matches = copy && fnmatch(pattern, copy, 0) == 0;

	free(copy);
	return matches;
}

static bool perms_match(const char wanted[4], const char perms[4])
{
	for (int i = 0; i < 4; i++) {
		if (wanted[i] && wanted[i] != '.' && wanted[i] != perms[i])
			return false;
	}
	return true;
}

static bool kind_matches(uint32_t kinds, const char *kind)
{
	for (int i = 0; i < KINDS; i++) {
		if (kinds & UINT32_C(1) << i && kind_name((enum kind)i) == kind)
			return true;
	}
	return false;
}

static bool path_matches(const char *pattern, const struct vmad_vma *vma)
{
	if (vma->has & VMAD_HAS(vma, path))
		return glob_matches(pattern, vma->path);
	return vma->has & VMAD_HAS(vma, name) && glob_matches(pattern, vma->name);
}

/* Its last byte in the file: an end could be one too many for 64 bits. */
static uint64_t last_offset(const struct vmad_vma *vma)
{
	uint64_t last = vma->offset_bytes + (vma->size_bytes - 1);

	return last < vma->offset_bytes ? UINT64_MAX : last;
}

/* Memory without a file shows device 0 and inode 0; files may have one of the two, SysV's first segment has. */
static bool is_of_file(const struct vma_file *file, const struct vmad_vma *vma)
{
	return vma->inode == file->inode && vma->device == file->device && (vma->inode || vma->device) &&
	       vma->size_bytes && vma->offset_bytes < file->end && last_offset(vma) >= file->start;
}

bool vma_matches(const struct vma_filter *filter, const struct vmad_vma *vma)
{
	if (vma->end <= filter->start || vma_is_beyond(filter, vma->start) || vma->size_bytes < filter->min_size_bytes)
		return false;
	if (filter->of_file && !is_of_file(&filter->file, vma))
		return false;
	if (!perms_match(filter->perms, vma->perms))
		return false;
	if (filter->deleted != VMA_DELETED_ANY && vma->deleted != (filter->deleted == VMA_DELETED_YES))
		return false;
	if (filter->kinds && !kind_matches(filter->kinds, vma->kind))
		return false;
	return !filter->path || path_matches(filter->path, vma);
}

bool vma_is_beyond(const struct vma_filter *filter, uint64_t start)
{
	return filter->end && start >= filter->end;
}
