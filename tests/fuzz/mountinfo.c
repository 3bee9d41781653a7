/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_hidepid() and host_vma_limit(), which read files. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "source/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), hidepid;
	uint64_t limit;

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	hidepid = host_hidepid(fd, "/proc");
	MUST(hidepid <= 4);
	MUST(host_hidepid(fd, "/proc") == hidepid);
	host_vma_limit(fd, &limit);
	close(fd);
	return 0;
}
