/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "route.h"

#include <stddef.h>

#define R(record) RECORD_##record,
#define O(record) RECORD_##record,
#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) \
	static const enum record records_of_##id[] = { head rows RECORD_NONE };
#include "vmad/routes.def"
#undef ROUTE
#undef R
#undef O

static const struct {
	const char *path;
	const enum record *records;
} routes[] = {
#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) { path, records_of_##id },
#include "vmad/routes.def"
#undef ROUTE
};

const char *route_path(enum route route)
{
	return routes[route].path;
}

const enum record *route_records(enum route route)
{
	return routes[route].records;
}
