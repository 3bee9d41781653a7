/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route: the rows of routes.def, and which of them a path means. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/params.h"
#include "vmad/records.h"

enum route_id {
#define ROUTE(id, method, path, params, head, list, rows, tail, cost, help) ROUTE_##id,
#include "vmad/routes.def"
#undef ROUTE
	ROUTES
};

enum route_cost { COST_CHEAP, COST_WALK, COST_GLOBAL, COST_WALKS_IF_ASKED };

/* A record that makes up a part of a reply; always, or only where it is known or asked for. */
struct route_part {
	enum vmad_record_id record;
	bool always;
};

#define ROUTE_PARAMS_MAX 20
#define ROUTE_PARTS_MAX 8
#define ROUTE_SEGMENTS_MAX 8

struct route {
	enum route_id id;
	const char *name;		/* stable: metrics, OpenAPI's operationId */
	const char *method, *path;
	enum param_id params[ROUTE_PARAMS_MAX];		/* of the query; PARAM_none ends */
	struct route_part head[ROUTE_PARTS_MAX], rows[ROUTE_PARTS_MAX], tail[ROUTE_PARTS_MAX];
	const char *list;		/* name of the array, or NULL */
	enum route_cost cost;
	const char *help;
};

extern const struct route routes[ROUTES];

const char *route_cost_name(enum route_cost cost);

/*
 * The route that a path and a method mean. Path parameters are parsed into values (one for each PARAM id). 0; -ENOENT:
 * no such path; -EOPNOTSUPP: the path exists but not with that method, *ret_route is one of those that it has; -EINVAL:
 * *ret_bad is a path parameter that is wrong, its value's text is what the path says there, and the path ends behind
 * it. HEAD goes where GET goes.
 */
int route_find(const char *method, char *path, struct param_value values[static PARAMS], const struct route **ret_route,
	       enum param_id *ret_bad);

/*
 * Does the route take this parameter in its query? Names are looked up within one route: detail differs between them.
 * /
 */
enum param_id route_param(const struct route *route, const char *name);

#endif
