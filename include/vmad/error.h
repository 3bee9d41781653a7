/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error as a value: what failed, on which process and file. Functions below the endpoints return 0 or a negative
 * errno and fill one of these; only endpoints and main turn it into words.
 */
#ifndef VMAD_ERROR_H
#define VMAD_ERROR_H

#include <sys/types.h>

struct vmad_error {
	int code;		/* errno, positive; 0: no error */
	pid_t pid;		/* the process it is about, or 0 */
	const char *file;	/* the file under /proc/PID, such as "maps", or NULL; static storage */
	const char *operation;	/* "open", "read", "parse", ...; static storage */
};

/* Fills err, where there is one, and returns -code: `return vmad_fail(err, ESRCH, pid, "maps", "open");` */
static inline int vmad_fail(struct vmad_error *err, int code, pid_t pid, const char *file, const char *operation)
{
	if (err)
		*err = (struct vmad_error){ .code = code, .pid = pid, .file = file, .operation = operation };
	return -code;
}

/* The same for a result of 0 or negative errno: `return vmad_outcome(err, r, pid, "maps", "open");` */
static inline int vmad_outcome(struct vmad_error *err, int r, pid_t pid, const char *file, const char *operation)
{
	return r < 0 ? vmad_fail(err, -r, pid, file, operation) : 0;
}

#endif
