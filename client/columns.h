/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Columns: one for each scalar of fields.def, and a few that are made of several. A new row of fields.def is a new column.
 */
#ifndef CLIENT_COLUMNS_H
#define CLIENT_COLUMNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "route.h"
#include "trouble.h"

/* The types of include/vmad/records.h. */
enum column_type {
	COLUMN_ADDR, COLUMN_HEX, COLUMN_DEC, COLUMN_U64, COLUMN_PID, COLUMN_RATIO, COLUMN_BOOL, COLUMN_PERMS,
	COLUMN_DEVICE, COLUMN_WORD, COLUMN_STR, COLUMN_WORDS, COLUMN_NUMBERS, COLUMN_LINES,
};

struct cell_style;

struct column {
	enum record record;
	const char *json;	/* the member's name */
	enum column_type type;
	const char *help;
	/* of a column that is made of several members: its text (the caller frees it), NULL where there is none */
	char *(*make)(const json_t *record, const struct cell_style *style);
	const char *sort_by;	/* and the member that it is sorted by */
};

#define COLUMNS_MAX 128

struct columns {
	const struct column *v[COLUMNS_MAX];
	size_t count;
};

#define COLUMN_HEADING_MAX 48
void column_heading(const struct column *column, char out[COLUMN_HEADING_MAX]);

/* The column that a word names: its JSON name or its heading, in any case. NULL: none. */
const struct column *columns_find(enum route route, const char *name, size_t len);

/*
 * Which columns to show: spec is what -o says, NULL for the defaults, "+..." for these and more. Names have commas between.
 * EXIT_DONE, or EXIT_USAGE with the word that names no column.
 */
int columns_choose(enum route route, const char *defaults, const char *spec, struct columns *ret, struct trouble *trouble);

bool columns_include(const struct columns *columns, enum record record);

/* One line for each column that the route's answers can show. */
void columns_help(enum route route, FILE *out);

#endif
