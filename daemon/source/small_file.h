/* SPDX-License-Identifier: GPL-2.0-or-later */
/* small_file: a procfs file that is read as a whole, because the kernel makes it anew for each reading. */
#ifndef SOURCE_SMALL_FILE_H
#define SOURCE_SMALL_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* The file from its beginning, as far as there is room. Number of bytes, or a negative errno. */
ssize_t small_file_read(int fd, char *to, size_t room);

#endif
