/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/small_file.h"

#include <errno.h>
#include <unistd.h>

ssize_t small_file_read(int fd, char *to, size_t room)
{
	size_t done = 0;

	while (done < room) {
		ssize_t n = pread(fd, to + done, room - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
