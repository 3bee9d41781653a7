/* SPDX-License-Identifier: GPL-2.0-or-later */
/* problem: the errors of problems.def, as application/problem+json (RFC 9457). */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "encode/buf.h"
#include "vmad/error.h"

enum problem_id {
#define PROBLEM(id, type, status, exit_code, title) PROBLEM_##id,
#include "vmad/problems.def"
#undef PROBLEM
	PROBLEMS
};

struct problem {
	enum problem_id id;
	char detail[256];		/* what was wrong this time; "" for nothing */
	const char *mend;		/* what would help, or NULL; static storage */
	const char *parameter;		/* the parameter that was wrong, or NULL; lives as long as the exchange */
	int code;			/* errno, positive, or 0 */
	unsigned retry_after_seconds;	/* 0: none */
};

unsigned problem_status(enum problem_id id);
/* Its type without the prefix that all have: "busy". */
const char *problem_word(enum problem_id id);
/* Would the same request be answered at another time? It was turned away for the sake of others. */
bool problem_is_refusal(enum problem_id id);

/* Fills a problem; detail as in printf(3), cut at its end where it is too long. */
void problem_set(struct problem *problem, enum problem_id id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * What an error of the floors below means to a caller. It says the same for a process that is gone and for one that is
 * hidden: byte for byte, so that nobody learns which.
 */
void problem_from_error(struct problem *problem, const struct vmad_error *err);

/* The members of its record. */
void problem_put(struct buf *to, const struct problem *problem);

#endif
