/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts: what libproc2 knows of processes. It reads /proc by itself, as the worker; so it is asked only for pids that
 * the opener listed or opened for the caller, and what it says is taken only where the start time is the same.
 */
#ifndef SOURCE_FACTS_H
#define SOURCE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmad/error.h"
#include "vmad/records.h"

struct facts {
	pid_t pid;
	int32_t ppid;
	uint64_t start_time_ticks;
	uint64_t uid;
	uint64_t threads;
	uint64_t vm_size_bytes, rss_bytes, swap_bytes;
	char state;
	struct vmad_str user, cgroup;	/* empty where unknown; until the next facts_read() or facts_free() */
};

struct facts_reader;

/* One reader is for one thread at a time. */
int facts_new(struct facts_reader **ret_reader, struct vmad_error *err);
void facts_free(struct facts_reader *reader);

/*
 * Reads the facts of `count` processes (at most FACTS_BATCH). (*ret_facts)[i] belongs to pids[i]; pid 0 where the
 * process is gone or hidden from the worker. They live until the next call.
 */
#define FACTS_BATCH 128
int facts_read(struct facts_reader *reader, const pid_t *pids, size_t count, const struct facts **ret_facts,
	       struct vmad_error *err);

#endif
