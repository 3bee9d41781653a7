/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets: which process, or which saved document.
 *
 *   4242               a pid
 *   self               vmactl itself
 *   name:nginx         processes of that name; a pattern (fnmatch(3))
 *   unit:nginx.service processes of that systemd unit; a pattern
 *   saved.json, -      a file that holds an answer of vmad; standard input
 *   nginx              where there is no such file: as name:nginx
 */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "session.h"

enum target_form { TARGET_PID, TARGET_NAME, TARGET_UNIT, TARGET_FILE };

struct target {
	enum target_form form;
	pid_t pid;		/* TARGET_PID */
	const char *word;	/* the rest of it: pattern or file; borrowed */
};

/* EXIT_DONE, or EXIT_USAGE. */
int target_parse(const char *text, struct target *ret, struct trouble *trouble);

/* Is that process one that a pattern means? (TARGET_PID too; never TARGET_FILE.) */
bool target_match(const struct target *target, const json_t *process);

/* The pattern of a name, as vmad is asked with it: the kernel keeps 15 bytes of a name. The caller frees it. */
char *target_pattern(const struct target *target);

/* A process that a target turned out to be. */
struct process {
	pid_t pid;
	uint64_t start_time_ticks;	/* 0: not known; else the pid's reuse would be noticed */
	char comm[64];			/* empty: not known */
};

struct processes {
	struct process *v;
	size_t count;
};

/* Asks vmad where it must. EXIT_DONE with at least one, EXIT_MISSING, or other trouble. Not for TARGET_FILE. */
int target_resolve(struct session *session, const struct target *target, struct processes *ret);

/* The same for verbs that take one process: several are listed on stderr, and that is EXIT_USAGE. */
int target_resolve_one(struct session *session, const struct target *target, struct process *ret);

void processes_free(struct processes *processes);

#endif
