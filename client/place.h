/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place: where a verb of one process looks: in that process, by asking vmad, or in a saved answer. */
#ifndef CLIENT_PLACE_H
#define CLIENT_PLACE_H

#include "list.h"
#include "session.h"
#include "target.h"

struct place {
	struct process process;	/* zero for a question that is of no process */
	const char *file;	/* the saved answer, or NULL */
	char subject[64];	/* for errors */
};

/* Further parameters of a question, each with its "&". 0, or -ENOMEM. */
typedef int place_ask(const struct session *session, struct text *query);

/* The one process, or the saved answer, that a target means. EXIT_DONE, or trouble. */
int place_find(struct session *session, const char *text, struct place *ret);

/*
 * Begins a query as query_begin() does; a pid that was found by name must still be that process when vmad answers. 0, or
 * -ENOMEM.
 */
int place_query(const struct place *place, enum route route, uint64_t addr, struct text *query);

/* Asks, or reads the saved answer, and shows the list. ask: NULL where there is nothing further. As list_show(). */
int place_show(struct session *session, const struct place *place, enum route route, uint64_t addr, place_ask *ask,
	       struct list *list);

/* All that a verb does whose one operand is a target. columns: those by default. */
int place_show_target(struct session *session, const char *text, enum route route, const char *columns, place_ask *ask,
		      struct list *list);

#endif
