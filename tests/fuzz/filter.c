/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmactl filters by: four lines are kinds, permissions, a user and a pattern; the rest is a record of a saved document. What is taken is sent to
 * vmad as it was written, in characters that need no escape; and a filter of nothing keeps every record.
 */
#include "fuzz.h"

#include <ctype.h>
#include <string.h>

#include "filter.h"

static int digit(char c)
{
	MUST(isxdigit((unsigned char)c));
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Takes "&name=" off the query, and then the value; it is the same text. */
static void check_pair(const char **query, const char *name, const char *text)
{
	const char *p = *query;

	MUST(*p == '&' && !strncmp(p + 1, name, strlen(name)) && p[1 + strlen(name)] == '=');
	p += strlen(name) + 2;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*p++;

		if (c == '%') {
			c = (unsigned char)(digit(p[0]) << 4 | digit(p[1]));
			p += 2;
		} else {
			MUST(isalnum(c) || strchr("-._~/,", c));
		}
		MUST(c == (unsigned char)*text);
	}
	*query = p;
}

static void check_query(const struct filter *filter)
{
	const char *const pairs[][2] = { { "kind", filter->kinds }, { "perms", filter->perms }, { "path", filter->path },
					 { "comm", filter->comm } };
	struct text query = { 0 };
	const char *rest;

	MUST(filter_query(filter, &query) == 0);
	rest = query.p ? query.p : "";
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i][1])
			check_pair(&rest, pairs[i][0], pairs[i][1]);
	MUST(!*rest || (filter->has_uid && !strncmp(rest, "&uid=", 5) && strtoull(rest + 5, NULL, 10) == filter->uid));
	text_free(&query);
}

static void check_perms(const struct filter *filter, const json_t *record)
{
	const struct filter alone = { .perms = filter->perms };
	const char *perms = json_string_value(json_object_get(record, "perms"));

	MUST(strlen(filter->perms) == 4);
	if (filter_match(&alone, record, NULL))
		for (size_t i = 0; i < 4; i++)
			MUST(perms && (filter->perms[i] == '.' || filter->perms[i] == perms[i]));
}

/* "" where there is none left. */
static const char *take_line(char **rest)
{
	return *rest ? strsep(rest, "\n") : "";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text;
	const char *kinds, *perms, *user;
	struct filter filter = { 0 };
	struct trouble trouble;
	json_t *record;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	kinds = take_line(&rest);
	perms = take_line(&rest);
	user = take_line(&rest);
	filter.path = filter.comm = rest ? strsep(&rest, "\n") : NULL;
	record = json_loads(rest ? rest : "", 0, NULL);
	MUST(filter_match(&filter, record, NULL) || filter.path);
	MUST((filter_set_kinds(&filter, kinds, &trouble) == EXIT_DONE) == (filter.kinds == kinds));
	MUST((filter_set_perms(&filter, perms, &trouble) == EXIT_DONE) == (filter.perms == perms));
	MUST((filter_set_user(&filter, user, &trouble) == EXIT_DONE) == filter.has_uid);
	check_query(&filter);
	if (filter.perms)
		check_perms(&filter, record);
	filter_match(&filter, record, record);
	json_decref(record);
	free(text);
	return 0;
}
