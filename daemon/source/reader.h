/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader: the bytes of an open procfs file, in order, as whole lines.
 *
 * procfs returns at most one page a read() whatever the buffer, and maps is consistent only within one. A long file is
 * read ahead by a thread of its own (at most READER_AHEAD_BYTES), so that the kernel prints while vmad encodes.
 */
#ifndef SOURCE_READER_H
#define SOURCE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmad/error.h"
#include "vmad/records.h"

#define READER_AHEAD_BYTES (256 * 1024)

/*
 * How the reader treats the target. A walk (smaps, smaps_rollup) holds the target's mmap_lock while it reads; a paced
 * reader leaves it room where it needs some: see pace.h.
 */
enum reader_pace { READER_UNPACED, READER_PACED };

struct reader;

/*
 * Takes fd over, also on failure. The first read happens here, so that its error (ESRCH, EACCES) is known before an
 * answer begins. pid and file (static storage) name what is read, for errors.
 */
int reader_new(int fd, pid_t pid, const char *file, enum reader_pace pace, struct reader **ret_reader,
	       struct vmad_error *err);

/* Stops the thread that reads ahead, if there is one; waits for the read() that it is in. */
void reader_free(struct reader *reader);

/*
 * The next run of whole lines; valid until the next call. 1: *ret_bytes holds at least one line; 0: end of file;
 * negative: an error of read(), after all lines that came before it, or -EOVERFLOW: a line longer than READER_LINE_MAX.
 * The last line of a file that ends without a newline comes as it is.
 */
#define READER_LINE_MAX (256 * 1024)
int reader_next(struct reader *reader, struct vmad_str *ret_bytes, struct vmad_error *err);

/*
 * After end of file: is the mm still there (1)? 0: it died on the way (exec or exit) and the end came early; or there
 * never was one and the file was empty from the beginning (a thread of the kernel, a zombie): who reads knows whether
 * lines came. Negative: that cannot be told.
 */
int reader_target_alive(struct reader *reader);

/* Time spent in read(), in microseconds, so far. */
uint64_t reader_kernel_us(const struct reader *reader);

#endif
