/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * smaps: the "Key: value" lines that follow each maps line in /proc/PID/smaps, and all of smaps_rollup.
 * Format: fs/proc/task_mmu.c show_smap(), Linux 2.6.14 to 6.18; proc_pid_smaps(5).
 */
#ifndef SOURCE_SMAPS_H
#define SOURCE_SMAPS_H

#include <stddef.h>

#include "vmad/records.h"

/* A key that this vmad does not know passes through to whoever listens: name without its colon, and the value. */
typedef void smaps_unknown_fn(void *arg, struct vmad_str key, struct vmad_str value);

/*
 * Parses the key lines of one record (bytes .. bytes + len, whole lines) into usage, whose `has` says which were there;
 * kB become bytes. `flags` points into the bytes. Unknown keys go to unknown(arg, ...), where it is not NULL. 0, or
 * -EINVAL where a line is no "Key: value" or a known key's number is none; usage then holds what was read so far.
 */
int smaps_parse_keys(const char *bytes, size_t len, struct vmad_usage *usage, smaps_unknown_fn *unknown, void *arg);

/*
 * Length of the record at the start of bytes: its maps line and its key lines, up to the next maps line. 0: the next
 * maps line is not there yet, so more bytes are needed (at end of file the rest is the record). *ret_keys is where the
 * key lines begin.
 */
size_t smaps_record_length(const char *bytes, size_t len, size_t *ret_keys);

#endif
