/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/auxv.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "source/small_file.h"

/* AT_PAGESZ is in every vector: words of another size would not show it as it is. */
int auxv_parse(const char *bytes, size_t len, struct auxv *auxv)
{
	struct auxv parsed = { 0 };
	uint64_t page_size = 0, pair[2];

	for (; len >= sizeof(pair); bytes += sizeof(pair), len -= sizeof(pair)) {
		memcpy(pair, bytes, sizeof(pair));
		switch (pair[0]) {
		case AT_BASE:
			parsed.loader = pair[1];
			break;
		case AT_PHDR:
			parsed.program_headers = pair[1];
			break;
		case AT_SYSINFO_EHDR:
			parsed.vdso = pair[1];
			break;
		case AT_RANDOM:
			parsed.random = pair[1];
			break;
		case AT_PAGESZ:
			page_size = pair[1];
			break;
		case AT_NULL:
			if (page_size != (uint64_t)sysconf(_SC_PAGESIZE))
				return -EINVAL;
			*auxv = parsed;
			return 0;
		}
	}
	return -EINVAL;
}

int auxv_read(int fd, struct auxv *auxv)
{
	char bytes[2048];	/* some 25 pairs */
	ssize_t n = small_file_read(fd, bytes, sizeof(bytes));

	return n < 0 ? (int)n : auxv_parse(bytes, (size_t)n, auxv);
}
