/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/paced_file.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define RETRIES_MAX 100		/* of EAGAIN, a millisecond apart */

static ssize_t read_patiently(int fd, char *bytes, size_t size)
{
	for (int retries = 0;;) {
		ssize_t n = read(fd, bytes, size);

		if (n >= 0)
			return n;
		if (errno == EAGAIN && retries++ < RETRIES_MAX)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		else if (errno != EINTR)
			return -errno;
	}
}

ssize_t paced_file_read(struct paced_file *file, char *bytes, size_t size)
{
	ssize_t n;

	pace_begin(&file->pace);
	n = read_patiently(file->fd, bytes, size);
	pace_end(&file->pace);
	atomic_store_explicit(&file->kernel_us, file->pace.kernel_us, memory_order_relaxed);
	return n;
}
