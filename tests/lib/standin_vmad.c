/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standin_vmad: what makes a vmad answer as if the helper module were loaded (linked with --wrap, see tests/api/local.mk).
 * The text is that of the file that VMAD_STANDIN names, and may change while vmad runs; where it begins with "absent", the
 * device is missing as ever. Who may open the device the real opener decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/standin.h"
#include "opener/opener.h"
#include "vmad/uapi.h"

#define TEXT_BYTES (1 << 20)

static const char *text;

int __real_opener_open_helper(struct opener *opener, const struct vmad_caller *caller);
int __wrap_opener_open_helper(struct opener *opener, const struct vmad_caller *caller);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

__attribute__((constructor)) static void map_text(void)
{
	const char *path = getenv("VMAD_STANDIN");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	text = fd < 0 ? MAP_FAILED : mmap(NULL, TEXT_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (text == MAP_FAILED) {
		perror("VMAD_STANDIN");
		exit(1);
	}
	close(fd);
	standin_text(text);
}

int __wrap_opener_open_helper(struct opener *opener, const struct vmad_caller *caller)
{
	int r = __real_opener_open_helper(opener, caller);

	if (r != -ENOENT || !strncmp(text, "absent", 6))
		return r;
	return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);	/* any will do, and this needs no more than vmad may */
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request >> 8 != VMADK_TYPE)
		return __real_ioctl(fd, request, arg);
	r = standin_ioctl(fd, request, arg);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : r;
}
