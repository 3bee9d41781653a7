/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/file.h"

#include <string.h>
#include <unistd.h>

#include "source/maps.h"

/* What nobody can map shows nowhere, so stat's names for it are as good. */
static void identify(struct file *file, const struct opener_path *opened)
{
	struct maps_entry shown;

	file->record.device = file->stat_device = opened->device;
	file->record.inode = file->stat_inode = opened->inode;
	if (!opened->line[0] || maps_parse_line(opened->line, strlen(opened->line), &shown) < 0)
		return;
	file->record.device = shown.device;
	file->record.inode = shown.inode;
	file->is_ambiguous = shown.device != opened->device || shown.inode != opened->inode;
}

int file_open(struct opener *opener, const struct vmad_caller *caller, const char *path, struct file *ret_file,
	      struct vmad_error *err)
{
	struct opener_path opened;
	int r = opener_open_path(opener, caller, path, &opened, err);

	if (r < 0)
		return r;
	*ret_file = (struct file){
		.fd = opened.fd,
		.record = {
			.has = VMAD_HAS(file, path) | VMAD_HAS(file, size_bytes),
			.path = { path, strlen(path) },
			.size_bytes = opened.size_bytes,
		},
	};
	identify(ret_file, &opened);
	return 0;
}

struct file file_by_inode(uint64_t device, uint64_t inode)
{
	return (struct file){ .fd = -1, .record = { .device = device, .inode = inode } };
}

void file_close(struct file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
