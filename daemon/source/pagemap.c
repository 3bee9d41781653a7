/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagemap.h"

#include <unistd.h>

#include "source/words.h"

long pagemap_read(int fd, uint64_t address, uint64_t *entries, size_t count)
{
	return words_read(fd, address / (uint64_t)sysconf(_SC_PAGESIZE), entries, count);
}
