/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts_is_local(), which reads a mountinfo that mount points of others stand in. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "opener/file/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "/", "/home", "/mnt/a b" };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		MUST(lseek(fd, 0, SEEK_SET) == 0);
		mounts_is_local(dup(fd), 22, i ? paths[i] : NULL);
	}
	close(fd);
	return 0;
}
