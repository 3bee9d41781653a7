/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One cell of a table: a JSON value as text, and as something to sort by. */
#ifndef CLIENT_CELL_H
#define CLIENT_CELL_H

#include <jansson.h>
#include <stdbool.h>

#include "columns.h"

struct cell_style {
	bool bytes;	/* exact sizes instead of 1.6M */
	bool raw;	/* the bytes themselves: who prints them escapes them */
};

/* The caller frees it; "-" for what the record does not have. NULL: no memory. head: members that all records share. */
char *cell_text(const struct column *column, const json_t *record, const json_t *head, const struct cell_style *style);

/* A member that holds text. NULL where it is absent or no memory is left; the caller frees it. */
char *cell_string(const json_t *record, const char *name, const struct cell_style *style);

/* Columns that are made of several members. */
char *cell_range(const json_t *record, const struct cell_style *style);
char *cell_vma_range(const json_t *record, const struct cell_style *style);
char *cell_vma_size(const json_t *record, const struct cell_style *style);
char *cell_origins(const json_t *record, const struct cell_style *style);
char *cell_mapping(const json_t *record, const struct cell_style *style);
char *cell_ops(const json_t *record, const struct cell_style *style);
char *cell_function(const json_t *record, const struct cell_style *style);
char *cell_what(const json_t *record, const struct cell_style *style);

/* What is absent comes first, numbers before words. */
struct cell_key {
	enum { KEY_ABSENT, KEY_NUMBER, KEY_TEXT } form;
	long double number;
	char *text;
};

/* 0, or -ENOMEM. The key owns its text. */
int cell_key(const struct column *column, const json_t *record, const json_t *head, struct cell_key *ret);
int cell_key_compare(const struct cell_key *a, const struct cell_key *b);

#endif
