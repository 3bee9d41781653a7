/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * problem_read() of vmactl: an error of whoever answers. The first two bytes are the status, the rest is the body. It ends in words and in an exit
 * code that is none of success: that of its type where that is a vmad's, else that of its status.
 */
#include "fuzz.h"

#include <jansson.h>
#include <string.h>

#include "problem.h"

static const struct { const char *type; long status; int code; } rows[] = {
#define PROBLEM(id, type, status, code, title) { "urn:vmad:problem:" type, status, code },
#include "vmad/problems.def"
#undef PROBLEM
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int expected(const char *type, long status)
{
	for (size_t i = 0; i < ROWS; i++)
		if (type && !strcmp(rows[i].type, type))
			return rows[i].code;
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].status == status)
			return rows[i].code;
	return EXIT_FAILED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data + 2;
	struct trouble trouble;
	json_t *problem;
	long status;
	int code;

	if (size < 2)
		return 0;
	memset(&trouble, 'x', sizeof(trouble));
	status = data[0] << 8 | data[1];
	code = problem_read(status, body, size - 2, "process 7", &trouble);
	problem = json_loadb(body, size - 2, 0, NULL);
	MUST(code == expected(json_string_value(json_object_get(problem, "type")), status) && code > EXIT_DONE);
	MUST((int)trouble.code == code && memchr(trouble.message, '\0', sizeof(trouble.message)) && trouble.message[0]);
	MUST(memchr(trouble.mend, '\0', sizeof(trouble.mend)));
	json_decref(problem);
	return 0;
}
