/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/route.h"

#include <errno.h>
#include <string.h>

#define P(id) PARAM_##id,
#define R(record) { VMAD_RECORD_##record, true },
#define O(record) { VMAD_RECORD_##record, false },

const struct route routes[ROUTES] = {
#define ROUTE(id_, method_, path_, params_, head_, list_, rows_, tail_, cost_, help_)			\
	[ROUTE_##id_] = { .id = ROUTE_##id_, .name = #id_, .method = #method_, .path = path_,	\
			  .params = { params_ }, .head = { head_ },	\
			  .list = list_, .rows = { rows_ }, .tail = { tail_ }, .cost = COST_##cost_, .help = help_ },
#include "vmad/routes.def"
#undef ROUTE
};

#undef P
#undef R
#undef O

const char *route_cost_name(enum route_cost cost)
{
	static const char *const names[] = {
		[COST_CHEAP] = "cheap",
		[COST_WALK] = "walk",
		[COST_GLOBAL] = "global",
		[COST_WALKS_IF_ASKED] = "cheap; detail=usage: walk",
	};

	return names[cost];
}

/* A segment of a template that is a parameter in braces. */
static enum param_id segment_param(const char *segment, size_t len)
{
	if (len < 3 || segment[0] != '{' || segment[len - 1] != '}')
		return PARAM_none;
	for (int id = PARAM_none + 1; id < PARAMS; id++) {
		if (strlen(params[id].name) == len - 2 && !memcmp(params[id].name, segment + 1, len - 2))
			return (enum param_id)id;
	}
	return PARAM_none;
}

struct path_arg {
	enum param_id id;
	const char *text;
	size_t len;
};

/* Does the path have the template's shape? Its parameters, as text, go to args. */
static bool has_shape(const char *template, const char *path, struct path_arg args[static ROUTE_SEGMENTS_MAX],
		      size_t *ret_count)
{
	*ret_count = 0;
	for (;;) {
		size_t want = strcspn(template, "/"), have = strcspn(path, "/");
		enum param_id id = segment_param(template, want);

		if (id != PARAM_none && have)
			args[(*ret_count)++] = (struct path_arg){ id, path, have };
		else if (want != have || memcmp(template, path, want))
			return false;
		template += want;
		path += have;
		if (!*template || !*path)
			return *template == *path;
		template++;
		path++;
	}
}

static int parse_args(const struct path_arg *args, size_t count, struct param_value values[static PARAMS],
		      enum param_id *ret_bad)
{
	for (size_t i = 0; i < count; i++) {
		char *end = (char *)args[i].text + args[i].len, saved = *end;
		int r;

		*end = '\0';
		r = param_parse(args[i].id, args[i].text, &values[args[i].id]);
		if (r < 0) {
			*ret_bad = args[i].id;
			values[args[i].id].text = args[i].text;
			return r;
		}
		*end = saved;
	}
	return 0;
}

int route_find(const char *method, char *path, struct param_value values[static PARAMS], const struct route **ret_route,
	       enum param_id *ret_bad)
{
	const char *wanted = strcmp(method, "HEAD") ? method : "GET";
	struct path_arg args[ROUTE_SEGMENTS_MAX];
	size_t count;
	int r = -ENOENT;

	for (int i = 0; i < ROUTES; i++) {
		if (!has_shape(routes[i].path, path, args, &count))
			continue;
		*ret_route = &routes[i];
		if (!strcmp(routes[i].method, wanted))
			return parse_args(args, count, values, ret_bad);
		r = -EOPNOTSUPP;
	}
	return r;
}

enum param_id route_param(const struct route *route, const char *name)
{
	for (int i = 0; i < ROUTE_PARAMS_MAX && route->params[i] != PARAM_none; i++) {
		if (!strcmp(params[route->params[i]].name, name))
			return route->params[i];
	}
	return PARAM_none;
}
