/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "decimal.h"
#include "escape.h"
#include "number.h"
#include "ops_text.h"
#include "size.h"
#include "text.h"

static char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *format, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	return len < 0 ? NULL : text;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && strcmp(name + len - n, end) == 0;
}

char *cell_string(const json_t *record, const char *name, const struct cell_style *style)
{
	const json_t *value = json_object_get(record, name);
	char flag[128];

	if (!json_is_string(value))
		return NULL;
	if (!style->raw)
		return escape_text(json_string_value(value), json_string_length(value));
	snprintf(flag, sizeof(flag), "%s_escaped", name);
	return json_is_true(json_object_get(record, flag)) ? escape_undo(json_string_value(value)) :
							      strdup(json_string_value(value));
}

/* The kernel's documents write addresses without 0x. */
static const char *without_0x(const char *text)
{
	return text && strncmp(text, "0x", 2) == 0 ? text + 2 : text;
}

static char *text_of_integer(const struct column *column, uint64_t n, const struct cell_style *style)
{
	char human[SIZE_HUMAN_MAX];

	if (!ends_with(column->json, "_bytes") || style->bytes)
		return format("%" PRIu64, n);
	if (strcmp(column->json, "offset_bytes") == 0)	/* a place, not an amount: as maps shows it */
		return format("%" PRIx64, n);
	size_human(n, human);
	return strdup(human);
}

static char *text_of_words(const json_t *array, const struct cell_style *style)
{
	struct text words = { 0 };
	const json_t *word;
	size_t i;
	char *safe;

	json_array_foreach(array, i, word) {
		const char *text = json_string_value(word), *blank = i ? style->raw ? "," : " " : "";

		if (json_is_integer(word) ? text_printf(&words, "%s%" PRIu64, blank, number_value(word)) :
					    text_printf(&words, "%s%s", blank, text ? text : "?"))
			goto no_memory;
	}
	safe = words.len ? escape_text(words.p, words.len) : strdup("-");
	text_free(&words);
	return safe;
no_memory:
	text_free(&words);
	return NULL;
}

static char *text_of_value(const struct column *column, const json_t *record, const json_t *value,
			   const struct cell_style *style)
{
	if (column->type == COLUMN_RATIO && json_is_number(value))
		return format("%.1f", 100 * json_number_value(value));
	switch (json_typeof(value)) {
	case JSON_STRING:
		if (column->type == COLUMN_ADDR || column->type == COLUMN_HEX) {
			const char *digits = without_0x(json_string_value(value));

			return escape_text(digits, strlen(digits));
		}
		return cell_string(record, column->json, style);
	case JSON_INTEGER:
	case JSON_REAL:
		return text_of_integer(column, number_value(value), style);
	case JSON_TRUE:
		return strdup("yes");
	case JSON_FALSE:
		return strdup("no");
	case JSON_ARRAY:
		return text_of_words(value, style);
	case JSON_OBJECT:
	case JSON_NULL:
		break;
	}
	return strdup("-");
}

char *cell_text(const struct column *column, const json_t *record, const json_t *head, const struct cell_style *style)
{
	const json_t *value;
	char *made;

	if (column->make) {
		made = column->make(record, style);
		return made ? made : strdup("-");
	}
	value = json_object_get(record, column->json);
	if (!value) {
		record = head;
		value = json_object_get(head, column->json);
	}
	return value ? text_of_value(column, record, value, style) : strdup("-");
}

static char *range_of(const json_t *record, const char *first, const char *behind, const struct cell_style *style)
{
	char *start = cell_string(record, first, style), *end = cell_string(record, behind, style);
	char *range = start && end ? format("%s-%s", without_0x(start), without_0x(end)) : NULL;

	free(start);
	free(end);
	return range;
}

char *cell_range(const json_t *record, const struct cell_style *style)
{
	return range_of(record, "start", "end", style);
}

char *cell_vma_range(const json_t *record, const struct cell_style *style)
{
	return range_of(record, "vma_start", "vma_end", style);
}

char *cell_vma_size(const json_t *record, const struct cell_style *style)
{
	const char *start = json_string_value(json_object_get(record, "vma_start"));
	const char *end = json_string_value(json_object_get(record, "vma_end"));
	uint64_t first, behind;
	char text[SIZE_HUMAN_MAX];

	if (!start || !end || address_parse_hex(start, &first) || address_parse_hex(end, &behind))
		return NULL;
	if (style->bytes)
		return format("%" PRIu64, behind - first);
	size_human(behind - first, text);
	return strdup(text);
}

char *cell_mapping(const json_t *record, const struct cell_style *style)
{
	char *path = cell_string(record, "path", style), *marked;

	if (!path)
		path = cell_string(record, "name", style);
	if (!path || !json_is_true(json_object_get(record, "deleted")))
		return path;
	marked = format("%s (deleted)", path);
	free(path);
	return marked;
}

/* A symbol is plain ASCII, and vmad has seen to that; another vmad may not have. It takes the text over. */
static char *safe_text(struct text *text, int failed, const struct cell_style *style)
{
	char *safe = failed ? NULL : style->raw ? strdup(text->p) : escape_text(text->p, text->len);

	text_free(text);
	return safe;
}

/* What the module has told nothing of has no vm_ops that would be NULL. */
char *cell_ops(const json_t *record, const struct cell_style *style)
{
	struct text text = { 0 };

	return json_object_get(record, "has_vm_ops") ? safe_text(&text, ops_text_table(record, &text), style) : NULL;
}

char *cell_function(const json_t *record, const struct cell_style *style)
{
	struct text text = { 0 };

	return safe_text(&text, ops_text_function(record, &text), style);
}

char *cell_what(const json_t *record, const struct cell_style *style)
{
	return cell_string(record, json_is_true(json_object_get(record, "null")) ? "otherwise" : "called", style);
}

/* "libc.so.6", "libc.so.6 (anonymous)", "private-anon", "[heap]". A name's last part is enough here: -J has all of it. */
static int append_origin(const json_t *origin, const struct cell_style *style, struct text *out)
{
	char *name = cell_mapping(origin, style), *kind = cell_string(origin, "kind", style);
	const char *last = name ? name : kind ? kind : "?", *slash = strrchr(last, '/');
	bool is_copy = json_object_get(origin, "path") && json_is_true(json_object_get(origin, "anonymous"));
	int r = text_printf(out, "%s%s", slash && slash[1] && !style->raw ? slash + 1 : last, is_copy ? " (anonymous)" : "");

	free(name);
	free(kind);
	return r;
}

#define ORIGINS_SHOWN 3

char *cell_origins(const json_t *record, const struct cell_style *style)
{
	const json_t *origins = json_object_get(record, "origins"), *origin;
	struct text text = { 0 };
	char size[SIZE_HUMAN_MAX];
	int r = 0;
	size_t i;

	json_array_foreach(origins, i, origin) {
		uint64_t bytes = number_member(origin, "shared_bytes");

		if (i == ORIGINS_SHOWN && !style->raw && json_array_size(origins) > ORIGINS_SHOWN + 1) {
			r |= text_printf(&text, ", and %zu more", json_array_size(origins) - i);
			break;
		}
		size_human(bytes, size);
		r |= text_printf(&text, "%s", !i ? "" : style->raw ? "," : ", ");
		r |= style->bytes ? text_printf(&text, "%" PRIu64 " ", bytes) : text_printf(&text, "%s ", size);
		r |= append_origin(origin, style, &text);
	}
	if (!r)
		return text.p;
	text_free(&text);
	return NULL;
}

static bool number_of_text(const struct column *column, const char *text, uint64_t *ret)
{
	if (column->type == COLUMN_ADDR || column->type == COLUMN_HEX || (column->make && strncmp(text, "0x", 2) == 0))
		return address_parse_hex(text, ret) == 0;
	return column->type == COLUMN_DEC && decimal_parse(text, UINT64_MAX, ret) == 0;
}

int cell_key(const struct column *column, const json_t *record, const json_t *head, struct cell_key *ret)
{
	const char *name = column->make ? column->sort_by : column->json;
	const json_t *value = json_object_get(record, name);
	uint64_t n;

	*ret = (struct cell_key){ KEY_ABSENT, 0, NULL };
	if (!value)
		value = json_object_get(head, name);
	if (json_is_string(value) && !number_of_text(column, json_string_value(value), &n)) {
		ret->form = KEY_TEXT;
		ret->text = strdup(json_string_value(value));
		return ret->text ? 0 : -ENOMEM;
	}
	if (json_is_number(value) || json_is_boolean(value) || json_is_string(value)) {
		ret->form = KEY_NUMBER;
		ret->number = json_is_string(value) ? n : json_is_real(value) ? json_real_value(value) :
			      json_is_integer(value) ? (long double)json_integer_value(value) : json_is_true(value);
	}
	return 0;
}

int cell_key_compare(const struct cell_key *a, const struct cell_key *b)
{
	if (a->form != b->form)
		return a->form < b->form ? -1 : 1;
	if (a->form == KEY_TEXT)
		return strcmp(a->text, b->text);
	return a->number < b->number ? -1 : a->number > b->number;
}
