/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one writer of tables: libsmartcols, rows out of JSON records. */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include <jansson.h>
#include <stddef.h>

#include "columns.h"
#include "options.h"

struct table;

/* sort: a column to sort by, or NULL. NULL: no memory. */
struct table *table_new(const struct columns *columns, const struct column *sort, const struct options *options);
void table_free(struct table *table);

/* Adds a row. 0, or -ENOMEM. */
int table_add(struct table *table, const json_t *record, const json_t *head);

/* Sorts where that is asked for, then keeps the first rows (limit 0: all). Returns how many it took away. */
size_t table_arrange(struct table *table, size_t limit);

size_t table_rows(const struct table *table);

/* Prints it to output(). 0, or a negative errno. */
int table_print(struct table *table);

#endif
