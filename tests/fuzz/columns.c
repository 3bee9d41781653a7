/* SPDX-License-Identifier: GPL-2.0-or-later */
/* columns_choose() of vmactl: the first byte is the route, the rest what -o says. The columns' names name these columns again. */
#include "fuzz.h"

#include <string.h>

#include "columns.h"
#include "text.h"

static const enum route routes[] = {
#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) ROUTE_##id,
#include "vmad/routes.def"
#undef ROUTE
};

static void choose_again(enum route route, const struct columns *columns)
{
	char heading[COLUMN_HEADING_MAX];
	struct columns again, twice;
	struct trouble trouble;
	struct text names = { 0 };

	for (size_t i = 0; i < columns->count; i++) {
		column_heading(columns->v[i], heading);
		MUST(strlen(heading) > 0 && columns_include(columns, columns->v[i]->record));
		MUST(text_printf(&names, "%s%s", i ? "," : "+", columns->v[i]->json) == 0);
	}
	MUST(columns_choose(route, NULL, names.p + 1, &again, &trouble) == EXIT_DONE && again.count == columns->count);
	for (size_t i = 0; i < again.count; i++)
		MUST(again.v[i] == columns->v[i] || !strcmp(again.v[i]->json, columns->v[i]->json));
	if (2 * columns->count <= COLUMNS_MAX)
		MUST(columns_choose(route, names.p + 1, names.p, &twice, &trouble) == EXIT_DONE && twice.count == 2 * again.count);
	text_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size ? malloc(size) : NULL;
	struct columns columns;
	struct trouble trouble;
	enum route route;

	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	route = routes[data[0] % (sizeof(routes) / sizeof(routes[0]))];
	if (*text != '+' && columns_choose(route, NULL, text, &columns, &trouble) == EXIT_DONE) {
		MUST(columns.count >= 1 && columns.count <= COLUMNS_MAX);
		choose_again(route, &columns);
	} else if (*text != '+') {
		MUST(trouble.code == EXIT_USAGE && memchr(trouble.message, '\0', sizeof(trouble.message)));
	}
	free(text);
	return 0;
}
