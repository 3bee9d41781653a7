/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_pages: what of a file is in the page cache. */
#ifndef MODEL_FILE_PAGES_H
#define MODEL_FILE_PAGES_H

#include "model/file.h"

struct file_pages {
	struct vmad_file_pages record;
	const char *source;		/* "cachestat" or "mincore" */
};

/*
 * Looks at the bytes from start up to end, as far as the file has them, a window at a time, and ends incomplete when
 * budget_us is over. The first window is always looked at. Errors as opener_cache; -ENOSYS never.
 */
int file_pages_read(struct opener *opener, const struct vmad_caller *caller, const struct file *file, uint64_t start,
		    uint64_t end, uint64_t budget_us, struct file_pages *ret_pages, struct vmad_error *err);

#endif
