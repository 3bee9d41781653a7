/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters: which VMAs and which processes. A running vmad is asked with them; of a saved document vmactl picks itself,
 * by the same rules (include/vmad/params.def).
 */
#ifndef CLIENT_FILTER_H
#define CLIENT_FILTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text.h"
#include "trouble.h"

struct filter {
	/* VMAs */
	const char *kinds, *perms, *path;
	bool deleted;
	bool has_min_size, has_start, has_end;
	uint64_t min_size, start, end;
	/* processes */
	const char *comm, *unit;
	bool has_uid;
	uint32_t uid;
};

/* What an option's argument says; EXIT_DONE or EXIT_USAGE. */
int filter_set_kinds(struct filter *filter, const char *kinds, struct trouble *trouble);
int filter_set_perms(struct filter *filter, const char *perms, struct trouble *trouble);
int filter_set_user(struct filter *filter, const char *user, struct trouble *trouble);

/* The names of the kinds, with blanks between. */
void filter_print_kinds(FILE *out);

/* Appends "&name=value" for each filter that is set. 0, or -ENOMEM. */
int filter_query(const struct filter *filter, struct text *query);

/* Is the record (a VMA, a process, or both) one of those? head: members that all records share, or NULL. */
bool filter_match(const struct filter *filter, const json_t *record, const json_t *head);

#endif
