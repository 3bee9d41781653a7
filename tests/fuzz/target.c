/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target of a request, all the way: uri_parse(), route_find() and param_parse(). What is taken means the same when each of its bytes is written as
 * a percent escape.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "http/route.h"
#include "http/uri.h"

static char *escape(char *to, const char *text)
{
	for (; *text; text++)
		to += sprintf(to, "%%%02x", (unsigned char)*text);
	return to;
}

static void parse_again(const struct uri *uri, size_t len)
{
	char *raw = malloc(3 * len + URI_ARGS_MAX * 2 + 2), *to = raw;
	const char *what;
	struct uri again;

	MUST(raw);
	*to++ = '/';
	to = escape(to, uri->path + 1);
	for (size_t i = 0; i < uri->arg_count; i++) {
		*to++ = i ? '&' : '?';
		to = escape(to, uri->args[i].name);
		*to++ = '=';
		to = escape(to, uri->args[i].value);
	}
	MUST(uri_parse(raw, (size_t)(to - raw), &again, &what) == 0);
	MUST(!strcmp(again.path, uri->path) && again.arg_count == uri->arg_count);
	for (size_t i = 0; i < uri->arg_count; i++)
		MUST(!strcmp(again.args[i].name, uri->args[i].name) && !strcmp(again.args[i].value, uri->args[i].value));
	uri_free(&again);
	free(raw);
}

static void parse_params(const struct route *route, const struct uri *uri, struct param_value values[static PARAMS])
{
	for (size_t i = 0; i < uri->arg_count; i++) {
		enum param_id id = route_param(route, uri->args[i].name);

		if (id == PARAM_none || param_parse(id, uri->args[i].value, &values[id]) < 0)
			continue;
		MUST(values[id].given && values[id].text == uri->args[i].value);
		MUST(params[id].type != PARAM_TYPE_LIMIT || values[id].number > 0);
		MUST(params[id].type != PARAM_TYPE_CHOICE || values[id].number < 8);
	}
}

static void find_route(struct uri *uri, const char *method)
{
	struct param_value values[PARAMS] = { 0 };
	const struct route *route = NULL;
	enum param_id bad = PARAM_none;
	char *path = strdup(uri->path);
	int r;

	MUST(path);
	r = route_find(method, path, values, &route, &bad);
	MUST(r == 0 || r == -ENOENT || r == -EOPNOTSUPP || r == -EINVAL);
	MUST((r == -ENOENT) == (route == NULL) && (r == -EINVAL) == (bad != PARAM_none));
	if (r == -EINVAL)
		MUST(values[bad].text >= path && strlen(values[bad].text) > 0);
	if (r == 0) {
		MUST(!strcmp(path, uri->path));
		parse_params(route, uri, values);
	}
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *what = NULL;
	struct uri uri;

	if (uri_parse((const char *)data, size, &uri, &what) < 0) {
		MUST(what);
		return 0;
	}
	MUST(uri.arg_count <= URI_ARGS_MAX && uri.path[0] == '/');
	parse_again(&uri, size);
	find_route(&uri, "GET");
	find_route(&uri, "POST");
	uri_free(&uri);
	return 0;
}
