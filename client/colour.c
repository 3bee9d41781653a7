/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "colour.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"

bool colour_wanted(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return output_is_terminal() && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

/* Memory that can be written and executed. */
static bool is_writable_code(const json_t *record)
{
	const char *perms = json_string_value(json_object_get(record, "perms"));

	return perms && strlen(perms) == 4 && perms[1] == 'w' && perms[2] == 'x';
}

static bool is_deleted(const json_t *record)
{
	const char *kind = json_string_value(json_object_get(record, "kind"));

	/* a memfd and shared anonymous memory never had a name to lose */
	return json_is_true(json_object_get(record, "deleted")) && kind && strstr(kind, "-file");
}

static bool is_near_limit(const json_t *record)
{
	return json_number_value(json_object_get(record, "vma_limit_ratio")) >= 0.8;
}

static bool is_half_way(const json_t *record)
{
	return json_number_value(json_object_get(record, "vma_limit_ratio")) >= 0.5;
}

static bool is_missing(const json_t *record)
{
	return json_is_false(json_object_get(record, "available"));
}

const char *colour_of_record(const json_t *record)
{
	static const struct { bool (*applies)(const json_t *); const char *colour; } rules[] = {
		{ is_writable_code, RED }, { is_near_limit, RED },
		{ is_deleted, YELLOW }, { is_half_way, YELLOW }, { is_missing, YELLOW },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (rules[i].applies(record))
			return rules[i].colour;
	return NULL;
}
