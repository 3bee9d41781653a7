/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "columns.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "cell.h"

static const struct column all[] = {
#define RECORD(record, help)
#define FIELD(record, member, type, need, json, help) { RECORD_##record, json, COLUMN_##type, help, NULL, NULL },
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
	{ RECORD_vma, "range", COLUMN_STR, "start-end, as maps prints it", cell_range, "start" },
	{ RECORD_run, "run", COLUMN_STR, "start-end, as maps prints them", cell_range, "start" },
	{ RECORD_vma, "mapping", COLUMN_STR, "path, or the name of an area that has none, with the mark of a deleted file",
	  cell_mapping, "path" },
	{ RECORD_sharing, "origins", COLUMN_STR, "what it is, the largest first: of which files and kinds", cell_origins,
	  "shared_bytes" },
	{ RECORD_mapping, "range", COLUMN_STR, "its VMA: start-end, as maps prints it", cell_vma_range, "vma_start" },
	{ RECORD_mapping, "size", COLUMN_U64, "size of its VMA", cell_vma_size, "vma_start" },
	{ RECORD_kernel, "ops", COLUMN_STR, "symbol of vm_ops, with the module that it is in; NULL where there is none", cell_ops, "vm_ops" },
	{ RECORD_vma_op, "function", COLUMN_STR, "its symbol, with the module that it is in; NULL where there is none",
	  cell_function, "symbol" },
	{ RECORD_vma_op, "what", COLUMN_STR, "when the kernel calls it; of one that is NULL, what it does instead", cell_what,
	  "member" },
	{ RECORD_mapping, "mapping", COLUMN_STR, "path of its VMA, or the name of one that has none", cell_mapping,
	  "path" },
};

#define ALL (sizeof(all) / sizeof(*all))

/* Headings that say more than the rule below would. */
static const struct { enum record record; const char *json, *heading; } headings[] = {
	{ RECORD_process, "vma_count", "VMAS" },
	{ RECORD_process, "vma_limit_ratio", "LIMIT%" },
	{ RECORD_process, "vm_size_bytes", "SIZE" },
	{ RECORD_run, "run", "PAGES" },
	{ RECORD_run, "page_count", "COUNT" },
	{ RECORD_vma, "range", "VMA" },
	{ RECORD_kernel, "ops", "VM_OPS" },
	{ RECORD_mapping, "range", "VMA" },
	{ RECORD_mapping, "pids", "PID" },
	{ RECORD_sharing, "pids", "PID" },
	{ RECORD_gap, "reason", "WHY" },
};

/* The rule: the name in capitals, without its unit, which the cell shows. */
void column_heading(const struct column *column, char out[COLUMN_HEADING_MAX])
{
	static const char unit[] = "_bytes";
	size_t len = strlen(column->json);

	for (size_t i = 0; i < sizeof(headings) / sizeof(*headings); i++)
		if (headings[i].record == column->record && strcmp(headings[i].json, column->json) == 0) {
			strcpy(out, headings[i].heading);
			return;
		}
	if (len >= sizeof(unit) && strcmp(column->json + len - strlen(unit), unit) == 0)
		len -= strlen(unit);
	if (len >= COLUMN_HEADING_MAX)
		len = COLUMN_HEADING_MAX - 1;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)toupper((unsigned char)column->json[i]);
	out[len] = '\0';
}

static bool in_route(enum route route, const struct column *column)
{
	for (const enum record *record = route_records(route); *record != RECORD_NONE; record++)
		if (*record == column->record)
			return true;
	return false;
}

static bool is_word(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && strncasecmp(name, word, len) == 0;
}

const struct column *columns_find(enum route route, const char *name, size_t len)
{
	char heading[COLUMN_HEADING_MAX];

	for (size_t i = 0; i < ALL; i++)
		if (in_route(route, &all[i]) && is_word(all[i].json, name, len))
			return &all[i];
	for (size_t i = 0; i < ALL; i++) {
		column_heading(&all[i], heading);
		if (in_route(route, &all[i]) && is_word(heading, name, len))
			return &all[i];
	}
	return NULL;
}

static int add_list(enum route route, const char *list, struct columns *ret, struct trouble *trouble)
{
	for (;;) {
		size_t n = strcspn(list, ",");
		const struct column *column = columns_find(route, list, n);

		if (!column) {
			trouble_set(trouble, EXIT_USAGE, "unknown column '%.*s'", (int)n, list);
			trouble_mend(trouble, "-o help lists the columns");
			return EXIT_USAGE;
		}
		if (ret->count == COLUMNS_MAX)
			return trouble_set(trouble, EXIT_USAGE, "more than %d columns", COLUMNS_MAX);
		ret->v[ret->count++] = column;
		if (!list[n])
			return EXIT_DONE;
		list += n + 1;
	}
}

int columns_choose(enum route route, const char *defaults, const char *spec, struct columns *ret,
		   struct trouble *trouble)
{
	int r = EXIT_DONE;

	ret->count = 0;
	if (!spec || *spec == '+')
		r = add_list(route, defaults, ret, trouble);
	if (r == EXIT_DONE && spec)
		r = add_list(route, spec + (*spec == '+'), ret, trouble);
	return r;
}

bool columns_include(const struct columns *columns, enum record record)
{
	for (size_t i = 0; i < columns->count; i++)
		if (columns->v[i]->record == record)
			return true;
	return false;
}

/* A member that two records of one answer share is one column. */
static bool is_first_of_its_name(enum route route, const struct column *column)
{
	return columns_find(route, column->json, strlen(column->json)) == column;
}

void columns_help(enum route route, FILE *out)
{
	char heading[COLUMN_HEADING_MAX];

	for (size_t i = 0; i < ALL; i++) {
		if (!in_route(route, &all[i]) || !is_first_of_its_name(route, &all[i]))
			continue;
		column_heading(&all[i], heading);
		fprintf(out, "%20s  %-24s %s\n", heading, all[i].json, all[i].help);
	}
}
