/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>

#include "cell.h"
#include "colour.h"
#include "output.h"

struct table {
	struct libscols_table *scols;
	struct columns columns;
	struct cell_style style;
	const struct column *sort;
	struct libscols_column *sort_column;	/* hidden; its cells hold the keys */
	int direction;
	struct cell_key **keys;
	size_t key_count, key_room;
};

static bool is_right(const struct column *column)
{
	switch (column->type) {
	case COLUMN_ADDR:
	case COLUMN_HEX:
	case COLUMN_DEC:
	case COLUMN_U64:
	case COLUMN_PID:
	case COLUMN_RATIO:
		return true;
	case COLUMN_BOOL:
	case COLUMN_PERMS:
	case COLUMN_DEVICE:
	case COLUMN_WORD:
	case COLUMN_STR:
	case COLUMN_WORDS:
	case COLUMN_NUMBERS:
	case COLUMN_LINES:
		break;
	}
	return false;
}

static int compare(struct libscols_cell *a, struct libscols_cell *b, void *data)
{
	const struct table *table = data;

	return table->direction * cell_key_compare(scols_cell_get_userdata(a), scols_cell_get_userdata(b));
}

static int add_columns(struct table *t)
{
	char heading[COLUMN_HEADING_MAX];

	for (size_t i = 0; i < t->columns.count; i++) {
		column_heading(t->columns.v[i], heading);
		if (!scols_table_new_column(t->scols, heading, 0, is_right(t->columns.v[i]) ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	}
	if (!t->sort)
		return 0;
	t->sort_column = scols_table_new_column(t->scols, "SORT", 0, SCOLS_FL_HIDDEN);
	if (!t->sort_column)
		return -ENOMEM;
	return scols_column_set_cmpfunc(t->sort_column, compare, t);
}

struct table *table_new(const struct columns *columns, const struct column *sort, const struct options *options)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->columns = *columns;
	t->style = (struct cell_style){ options->bytes, options->form == OUTPUT_RAW };
	t->sort = sort;
	t->direction = options->sort && options->sort[0] == '-' ? -1 : 1;
	t->scols = scols_new_table();
	if (!t->scols || add_columns(t)) {
		table_free(t);
		return NULL;
	}
	scols_table_enable_raw(t->scols, t->style.raw);
	scols_table_enable_noheadings(t->scols, options->noheadings);
	scols_table_enable_colors(t->scols, colour_wanted());
	/* cells come escaped already, and a path is not cut to the terminal's width */
	scols_table_enable_noencoding(t->scols, 1);
	scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_NEVER);
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	scols_unref_table(t->scols);
	for (size_t i = 0; i < t->key_count; i++) {
		free(t->keys[i]->text);
		free(t->keys[i]);
	}
	free(t->keys);
	free(t);
}

static int add_key(struct table *t, struct libscols_line *line, const json_t *record, const json_t *head)
{
	struct cell_key *key;

	if (t->key_count == t->key_room) {
		size_t room = 2 * t->key_room + 64;
		struct cell_key **longer = realloc(t->keys, room * sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		t->keys = longer;
		t->key_room = room;
	}
	key = calloc(1, sizeof(*key));
	if (!key || cell_key(t->sort, record, head, key)) {
		free(key);
		return -ENOMEM;
	}
	t->keys[t->key_count++] = key;
	return scols_cell_set_userdata(scols_line_get_column_cell(line, t->sort_column), key);
}

int table_add(struct table *t, const json_t *record, const json_t *head)
{
	struct libscols_line *line = scols_table_new_line(t->scols, NULL);
	const char *colour = colour_of_record(record);

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < t->columns.count; i++) {
		char *text = cell_text(t->columns.v[i], record, head, &t->style);

		if (!text || scols_line_refer_data(line, i, text)) {
			free(text);
			return -ENOMEM;
		}
	}
	if (colour && scols_line_set_color(line, colour))
		return -ENOMEM;
	return t->sort ? add_key(t, line, record, head) : 0;
}

size_t table_arrange(struct table *t, size_t limit)
{
	size_t rows = table_rows(t), removed = 0;

	if (t->sort_column)
		scols_sort_table(t->scols, t->sort_column);
	if (!limit || rows <= limit)
		return 0;
	/* what stands last is found at the front of a backward walk: no search through the list for each line */
	struct libscols_iter *iter = scols_new_iter(SCOLS_ITER_BACKWARD);
	struct libscols_line *line;

	while (iter && rows - removed > limit) {
		scols_reset_iter(iter, SCOLS_ITER_BACKWARD);
		if (scols_table_next_line(t->scols, iter, &line) != 0)
			break;
		scols_table_remove_line(t->scols, line);
		removed++;
	}
	scols_free_iter(iter);
	return removed;
}

size_t table_rows(const struct table *t)
{
	return scols_table_get_nlines(t->scols);
}

int table_print(struct table *t)
{
	if (table_rows(t) == 0)
		return 0;
	scols_table_set_stream(t->scols, output());
	return scols_print_table(t->scols);
}
