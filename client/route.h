/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routes of include/vmad/routes.def as the client sees them: paths, and which records an answer's rows hold. */
#ifndef CLIENT_ROUTE_H
#define CLIENT_ROUTE_H

#include <stdbool.h>

enum route {
#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) ROUTE_##id,
#include "vmad/routes.def"
#undef ROUTE
};

enum record {
#define RECORD(record, help) RECORD_##record,
#define FIELD(record, member, type, need, json, help)
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
	RECORD_NONE,	/* ends a list of records */
};

/* The path, with parameters in braces. */
const char *route_path(enum route route);

/* The records whose members a row of the answer can show: its own, and those before the list. Ends with RECORD_NONE. */
const enum record *route_records(enum route route);

#endif
