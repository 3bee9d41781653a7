/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trouble: what a command ends with, as a value. Whoever understands what went wrong fills one in and returns its code;
 * only main prints it.
 */
#ifndef CLIENT_TROUBLE_H
#define CLIENT_TROUBLE_H

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_MISSING = 3,	/* no such process, path, address */
	EXIT_DENIED = 4,
	EXIT_UNREACHABLE = 5,
	EXIT_PARTIAL = 6,
	EXIT_BUSY = 7,

	EXIT_QUIET = -1,	/* nobody reads our output any more: end, and say nothing */
	EXIT_INTERRUPTED = -2,	/* a signal asked us to end */
};

struct trouble {
	enum exit_code code;
	char message[1024];
	char mend[512];		/* what would help, or empty */
};

/* Fills it in and returns code, so that callers can `return trouble_set(...)`. A mend of earlier trouble is forgotten. */
int trouble_set(struct trouble *trouble, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int trouble_oom(struct trouble *trouble);
void trouble_mend(struct trouble *trouble, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "vmactl: MESSAGE", and "  mend: MEND" where there is one, to stderr; safe for a terminal. */
void trouble_print(const struct trouble *trouble);

/* A remark that does not change the exit code: "vmactl: MESSAGE" to stderr; safe for a terminal. */
void trouble_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
