/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

static const char urn[] = "urn:vmad:problem:";

static const struct {
	const char *type;
	long status;
	enum exit_code code;
	const char *title;
} problems[] = {
#define PROBLEM(id, type, status, code, title) { type, status, (enum exit_code)(code), title },
#include "vmad/problems.def"
#undef PROBLEM
};

/* By type; one that this vmactl does not know (or a proxy's error) by its status. */
static enum exit_code code_of(const char *type, long status)
{
	size_t count = sizeof(problems) / sizeof(*problems);

	if (type && strncmp(type, urn, strlen(urn)) == 0)
		for (size_t i = 0; i < count; i++)
			if (strcmp(problems[i].type, type + strlen(urn)) == 0)
				return problems[i].code;
	for (size_t i = 0; i < count; i++)
		if (problems[i].status == status)
			return problems[i].code;
	return EXIT_FAILED;
}

static const char *string(const json_t *problem, const char *name)
{
	return json_string_value(json_object_get(problem, name));
}

/* Does the detail only name the process? Then the title says what is wrong with it. */
static bool is_process(const char *detail)
{
	static const char prefix[] = "process ";

	if (strncmp(detail, prefix, strlen(prefix)) != 0)
		return false;
	detail += strlen(prefix);
	return detail[strspn(detail, "0123456789")] == '\0';
}

/* "process 4242: no such process"; "not allowed: frame numbers are for root". */
static void say(const json_t *problem, enum exit_code code, const char *subject, struct trouble *trouble)
{
	const char *title = string(problem, "title"), *detail = string(problem, "detail");

	if (!title)
		title = "vmad refused";
	if (!detail || strcmp(detail, title) == 0)
		trouble_set(trouble, code, "%s%s%s", subject ? subject : "", subject ? ": " : "", title);
	else if (is_process(detail))
		trouble_set(trouble, code, "%s: %s", detail, title);
	else if (strstr(detail, title))
		trouble_set(trouble, code, "%s", detail);
	else
		trouble_set(trouble, code, "%s: %s", title, detail);
}

int problem_read(long status, const char *body, size_t len, const char *subject, struct trouble *trouble)
{
	json_t *problem = json_loadb(body, len, 0, NULL);
	enum exit_code code = code_of(string(problem, "type"), status);
	const char *mend = string(problem, "mend");

	if (string(problem, "type"))
		say(problem, code, subject, trouble);
	else
		trouble_set(trouble, code, "HTTP status %ld, without an answer of vmad", status);
	if (status == 401)	/* vmad speaks of header fields to those who speak HTTP */
		trouble_mend(trouble, "--token-file FILE; or ask over the Unix socket");
	else if (mend)
		trouble_mend(trouble, "%s", mend);
	json_decref(problem);
	return code;
}
