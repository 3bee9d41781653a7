/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/comm.h"

#include <errno.h>
#include <unistd.h>

int comm_read(int fd, char comm[static COMM_MAX], size_t *ret_len)
{
	ssize_t n;

	do {
		n = pread(fd, comm, COMM_MAX, 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	*ret_len = (size_t)n - (comm[n - 1] == '\n');
	return 0;
}
