/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/words.h"

#include <errno.h>
#include <unistd.h>

long words_read(int fd, uint64_t index, uint64_t *words, size_t count)
{
	size_t wanted = count * sizeof(*words), done = 0;

	/* No file is as long as that; multiplied, the index would be a small one again. */
	if (index > INT64_MAX / sizeof(*words) - count)
		return 0;
	while (done < wanted) {
		ssize_t n = pread(fd, (char *)words + done, wanted - done, (off_t)(index * sizeof(*words) + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (long)(done / sizeof(*words));
}
