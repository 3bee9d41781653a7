/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/self.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock/clock.h"
#include "source/statm.h"

static int statm_fd = -1, fds_fd = -1;
static double start_time_seconds;

void self_open(void)
{
	statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	fds_fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	start_time_seconds = (double)clock_us_of(CLOCK_REALTIME) / 1e6;
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void read_statm(struct self_facts *facts)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char bytes[128];
	ssize_t n = statm_fd < 0 ? -1 : pread(statm_fd, bytes, sizeof(bytes), 0);
	struct statm statm;

	if (n < 0 || statm_parse(bytes, (size_t)n, &statm) < 0)
		return;
	facts->virtual_bytes = statm.size_pages * page;
	facts->resident_bytes = statm.resident_pages * page;
}

void self_read(struct self_facts *facts)
{
	struct rlimit limit = { 0 };
	struct rusage usage;
	struct stat fds;

	*facts = (struct self_facts){ .start_time_seconds = start_time_seconds };
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		facts->cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	read_statm(facts);
	/* The size of the directory is their number (fs/proc/fd.c, proc_fd_getattr). */
	if (fds_fd >= 0 && fstat(fds_fd, &fds) == 0)
		facts->open_fds = (uint64_t)fds.st_size;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		facts->max_fds = limit.rlim_cur;
}
