/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma_count.h"

#include <errno.h>

#include "source/reader.h"

/* A captured file may end without a newline: its last line is one all the same. */
static uint64_t count_lines(struct vmad_str lines)
{
	uint64_t count = lines.p[lines.len - 1] != '\n';

	for (size_t i = 0; i < lines.len; i++)
		count += lines.p[i] == '\n';
	return count;
}

int vma_count(int fd, pid_t pid, uint64_t *ret_count)
{
	struct reader *reader;
	struct vmad_str lines;
	uint64_t count = 0;
	int alive, r = reader_new(fd, pid, "maps", READER_UNPACED, &reader, NULL);

	if (r < 0)
		return r;
	while ((r = reader_next(reader, &lines, NULL)) > 0)
		count += count_lines(lines);
	alive = r == 0 && count ? reader_target_alive(reader) : 0;
	if (r == 0 && alive <= 0)
		r = alive < 0 ? alive : -ESRCH;
	reader_free(reader);
	if (r == 0)
		*ret_count = count;
	return r;
}
