/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/paced_file.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRIES_MAX 100		/* of EAGAIN, a millisecond apart */

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void pause_us(uint64_t us)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
}

static ssize_t read_patiently(int fd, char *bytes, size_t size)
{
	for (int retries = 0;;) {
		ssize_t n = read(fd, bytes, size);

		if (n >= 0)
			return n;
		if (errno == EAGAIN && retries++ < RETRIES_MAX)
			pause_us(1000);
		else if (errno != EINTR)
			return -errno;
	}
}

/* The number behind "Rss:", in kB; 0 where there is none. */
static uint64_t rss_kb(const char *p, const char *end)
{
	uint64_t kb = 0;

	while (p < end && *p == ' ')
		p++;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		kb = kb * 10 + (uint64_t)(*p - '0');
	return kb;
}

/*
 * Sum of all "Rss:" lines. A capital R is rare in smaps, so looking for it is much cheaper than looking at each line.
 * /
 */
static uint64_t sum_rss_bytes(const char *p, const char *end)
{
	uint64_t kb = 0;

	for (; (p = memchr(p, 'R', (size_t)(end - p))); p++)
		if (end - p > 4 && memcmp(p, "Rss:", 4) == 0)
			kb += rss_kb(p + 4, end);
	return kb * 1024;
}

/* How long to leave the target alone after a read() that took so long. */
static uint64_t pause_due_us(struct paced_file *file, uint64_t took_us)
{
	uint64_t due_us = took_us > PACED_LONG_READ_US ? took_us : 0, windows = file->rss_bytes / PACED_WINDOW_BYTES;

	file->rss_bytes %= PACED_WINDOW_BYTES;
	if (due_us < windows * PACED_PAUSE_US)
		due_us = windows * PACED_PAUSE_US;
	return due_us < PACED_PAUSE_MAX_US ? due_us : PACED_PAUSE_MAX_US;
}

ssize_t paced_file_read(struct paced_file *file, char *bytes, size_t size)
{
	uint64_t began_us = now_us(), took_us, due_us;
	ssize_t n = read_patiently(file->fd, bytes, size);

	took_us = now_us() - began_us;
	atomic_fetch_add_explicit(&file->kernel_us, took_us, memory_order_relaxed);
	if (n <= 0 || !file->paced)
		return n;
	file->rss_bytes += sum_rss_bytes(bytes, bytes + n);
	due_us = pause_due_us(file, took_us);
	if (due_us)
		pause_us(due_us);
	return n;
}
