/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file: one file that a question is about, and what the kernel calls it. */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include <stdbool.h>

#include "opener/opener.h"
#include "vmad/records.h"

struct file {
	int fd;				/* -1: it was named by its device and inode */
	struct vmad_file record;	/* device and inode as maps shows them; its path is borrowed */
	/*
	 * What stat(2) says. Where that is not what maps shows (btrfs, overlayfs), what maps shows need not be the
	 * file's alone: subvolumes number their inodes each for themselves, under one device.
	 */
	uint64_t stat_device, stat_inode;
	bool is_ambiguous;
};

/* Opens it as the caller; errors as opener_open_path. The path is borrowed for as long as the file. */
int file_open(struct opener *opener, const struct vmad_caller *caller, const char *path, struct file *ret_file,
	      struct vmad_error *err);

/* A file that may have no path any more. */
struct file file_by_inode(uint64_t device, uint64_t inode);

void file_close(struct file *file);

#endif
