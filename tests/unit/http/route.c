/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route: which row of routes.def a path means. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "http/route.h"

static int find(const char *method, const char *path, struct param_value values[static PARAMS], const struct route **ret_route, enum param_id *ret_bad)
{
	static char text[256];

	memset(values, 0, PARAMS * sizeof(*values));
	strcpy(text, path);
	*ret_route = NULL;
	*ret_bad = PARAM_none;
	return route_find(method, text, values, ret_route, ret_bad);
}

static void found(void **state)
{
	static const struct { const char *path; enum route_id id; } rows[] = {
		{ "/v1", ROUTE_index },
		{ "/v1/health", ROUTE_health },
		{ "/v1/processes", ROUTE_processes },
		{ "/v1/processes/1", ROUTE_process },
		{ "/v1/processes/1/vmas", ROUTE_vmas },
		{ "/v1/processes/1/vmas/0xff", ROUTE_vma },
		{ "/v1/vmas", ROUTE_host_vmas },
	};
	struct param_value values[PARAMS];
	const struct route *route;
	enum param_id bad;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(find("GET", rows[i].path, values, &route, &bad), 0);
		assert_int_equal(route->id, rows[i].id);
		assert_int_equal(find("HEAD", rows[i].path, values, &route, &bad), 0);
		assert_int_equal(route->id, rows[i].id);
		assert_int_equal(find("POST", rows[i].path, values, &route, &bad), -EOPNOTSUPP);
		assert_int_equal(route->id, rows[i].id);
	}
}

static void not_found(void **state)
{
	static const char *const paths[] = {
		"", "/", "//", "/v", "/v1x", "/v2", "/v1/", "/v1/health/", "/v1/healthx", "/v1/processes/", "/v1/processes//vmas", "/v1/processes/1/",
		"/v1/processes/1/vmas/", "/v1/processes/1/vmas/1/2", "/v1/processes/1/vma", "v1", "/v1/{pid}", "/V1",
	};
	struct param_value values[PARAMS];
	const struct route *route;
	enum param_id bad;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (find("GET", paths[i], values, &route, &bad) != -ENOENT)
			fail_msg("\"%s\" is found", paths[i]);
		assert_int_equal(find("POST", paths[i], values, &route, &bad), -ENOENT);
	}
}

static void path_parameters(void **state)
{
	struct param_value values[PARAMS];
	const struct route *route;
	enum param_id bad;

	(void)state;
	assert_int_equal(find("GET", "/v1/processes/4242/vmas/7f00", values, &route, &bad), 0);
	assert_int_equal(values[PARAM_pid].number, 4242);
	assert_int_equal(values[PARAM_addr].number, 0x7f00);
	assert_false(values[PARAM_start].given);
}

/* The parameter that is wrong is named, with what stands there, wherever in the path it is. */
static void wrong_parameters(void **state)
{
	static const struct { const char *path; enum param_id bad; const char *text; } rows[] = {
		{ "/v1/processes/abc", PARAM_pid, "abc" },
		{ "/v1/processes/0/vmas", PARAM_pid, "0" },
		{ "/v1/processes/-1/vmas/0x1000", PARAM_pid, "-1" },
		{ "/v1/processes/1/vmas/xyz", PARAM_addr, "xyz" },
		{ "/v1/processes/{pid}/vmas", PARAM_pid, "{pid}" },
	};
	struct param_value values[PARAMS];
	const struct route *route;
	enum param_id bad;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(find("GET", rows[i].path, values, &route, &bad), -EINVAL);
		assert_int_equal(bad, rows[i].bad);
		assert_string_equal(values[bad].text, rows[i].text);
	}
}

static void query_parameters(void **state)
{
	(void)state;
	assert_int_equal(route_param(&routes[ROUTE_vmas], "detail"), PARAM_detail_vmas);
	assert_int_equal(route_param(&routes[ROUTE_process], "detail"), PARAM_detail_process);
	assert_int_equal(route_param(&routes[ROUTE_processes], "detail"), PARAM_detail_processes);
	assert_int_equal(route_param(&routes[ROUTE_health], "detail"), PARAM_none);
	assert_int_equal(route_param(&routes[ROUTE_vmas], "pid"), PARAM_none);
	assert_int_equal(route_param(&routes[ROUTE_vmas], ""), PARAM_none);
}

/* The rows themselves: what the code below them relies on. */
static void rows_are_sound(void **state)
{
	(void)state;
	for (int i = 0; i < ROUTES; i++) {
		assert_int_equal(routes[i].id, i);
		assert_int_equal(routes[i].params[ROUTE_PARAMS_MAX - 1], PARAM_none);
		assert_true(!strncmp(routes[i].path, "/v1", 3) || i == ROUTE_metrics);
		assert_true(strlen(routes[i].help) > 0 && strlen(route_cost_name(routes[i].cost)) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(routes[i].name, routes[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("paths and their rows; HEAD goes where GET goes; other methods are known as such", found),
		CASE("paths that mean nothing", not_found),
		CASE("path parameters are typed", path_parameters),
		CASE("a wrong path parameter is named with its own text", wrong_parameters),
		CASE("names of query parameters are a route's own", query_parameters),
		CASE("the rows are sound", rows_are_sound),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
