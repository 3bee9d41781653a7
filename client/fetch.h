/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gets an answer, from a running vmad or out of a saved document: nobody above needs to know which. */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include <jansson.h>

#include "reader.h"
#include "session.h"
#include "verdict.h"

struct question {
	const char *file;	/* a saved document ("-": standard input), or NULL */
	const char *path;	/* else the path and query to ask vmad for */
	bool single;		/* one object, not a list */
	bool post;		/* it makes something */
	const char *subject;	/* what it is about, for errors: "process 4242" */
};

/* What came around the records, and how far to trust it. */
struct answer {
	struct verdict verdict;
	json_t *envelope;
};

void answer_free(struct answer *answer);

/*
 * Each record goes to fn (NULL: there are none to expect). EXIT_DONE also for an answer that came in part: the verdict
 * says so. ret_answer is filled on EXIT_DONE only.
 */
int fetch_records(struct session *session, const struct question *question, reader_record *fn, void *arg,
		  struct answer *ret_answer);

/* Prints the answer's bytes unchanged. EXIT_PARTIAL where they are not all that there is. */
int fetch_copy(struct session *session, const struct question *question);

#endif
