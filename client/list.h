/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list, shown: what ps, maps and find have in common. */
#ifndef CLIENT_LIST_H
#define CLIENT_LIST_H

#include <jansson.h>
#include <stdbool.h>

#include "columns.h"
#include "fetch.h"
#include "session.h"

struct list {
	struct question question;
	struct columns columns;		/* filled by list_columns() */
	const struct column *sort;	/* likewise */
	const char *noun;		/* "VMA"; a plural is made of it with "plural" */
	const char *plural;
	bool of_others;			/* rows are not the answer's own process: what they lack is not taken from it */
	bool silent_if_empty;		/* no rows: not even the line that says so */
	/* further than vmad's filters; NULL: every record */
	bool (*accept)(void *arg, const json_t *record);
	/* all records were read: gives further rows to add(), such as sums; NULL: none */
	int (*gather)(void *arg, reader_record *add, void *add_arg);
	/* prints what stands between the answer and the table; NULL: nothing */
	int (*banner)(void *arg, const json_t *envelope);
	void *arg;
	/* what stands in front of that line; NULL: nothing */
	void (*preface)(const json_t *envelope, const struct cell_style *style, FILE *out);
	/* what else the answer says, for the line in front of the table; NULL: nothing */
	void (*remark)(const json_t *envelope, struct text *out);
	/* what the answer is about, on a line of its own; and what stands in place of the count. NULL: none */
	int (*subject)(const json_t *envelope, struct text *out);
	int (*summary)(const json_t *envelope, struct text *out);
};

/* Reads -o and --sort. EXIT_DONE or EXIT_USAGE. */
int list_columns(struct session *session, enum route route, const char *defaults, struct list *list);

/* "-o help": prints the columns and returns true. */
bool list_help(const struct session *session, enum route route);

/*
 * Asks, and prints a table, or the bytes as they came: the answer first, then how far to trust it, then the rows.
 * EXIT_DONE, EXIT_PARTIAL, or trouble.
 */
int list_show(struct session *session, struct list *list);

/* A remark for answers about all processes: how many were read, and how many could not be. */
void list_remark_processes(const json_t *envelope, struct text *out);

/* Appends limit= to a path, unless sorting has to see all rows first. 0, or -ENOMEM. */
int list_add_limit(const struct session *session, struct text *path);

#endif
