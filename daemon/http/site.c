/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/site.h"

#include <string.h>

const struct site_file *site_find(const struct site_file *files, const char *path)
{
	for (; files && files->path; files++) {
		if (!strcmp(files->path, path))
			return files;
	}
	return NULL;
}
