/* SPDX-License-Identifier: GPL-2.0-or-later */
/* problem: what an error of the floors below says to a caller, and what it must not say. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "encode/record.h"
#include "http/problem.h"
#include "http/reply.h"

/* The members, NUL-terminated; static, until the next call. */
static const char *text_of(const struct problem *problem)
{
	static char text[2048];
	struct buf buf = { 0 };

	problem_put(&buf, problem);
	record_close(&buf);
	assert_false(buf.failed);
	assert_in_range(buf.len, 1, sizeof(text) - 1);
	memcpy(text, buf.p, buf.len);
	text[buf.len] = '\0';
	buf_free(&buf);
	return text;
}

static const char *text_of_error(int code, pid_t pid, const char *file, const char *operation)
{
	struct vmad_error err = { .code = code, .pid = pid, .file = file, .operation = operation };
	struct problem problem;

	problem_from_error(&problem, &err);
	return text_of(&problem);
}

/* Whether it is gone, was never there, or is hidden from the caller: the same bytes, whatever file and step told. */
static void hidden_is_gone(void **state)
{
	static const char *const files[] = { "stat", "maps", "smaps", "smaps_rollup", NULL };
	static const int codes[] = { ENOENT, ESRCH };
	char first[2048];

	(void)state;
	strcpy(first, text_of_error(ENOENT, 42, "stat", "open"));
	assert_non_null(strstr(first, "\"status\":404"));
	assert_null(strstr(first, "errno"));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		for (size_t j = 0; j < sizeof(codes) / sizeof(codes[0]); j++) {
			assert_string_equal(text_of_error(codes[j], 42, files[i], "open"), first);
			assert_string_equal(text_of_error(codes[j], 42, files[i], "read"), first);
		}
	}
}

static void errors(void **state)
{
	static const struct { int code; unsigned status; const char *type, *words; } rows[] = {
		{ EACCES, 403, "not-allowed", "\"errno\":\"EACCES\"" },
		{ EPERM, 403, "not-allowed", "\"mend\":" },
		{ ESTALE, 409, "pid-reused", "start_time_ticks" },
		{ ETIMEDOUT, 504, "target-blocked", "in time" },
		{ EBUSY, 503, "busy", "process 42 execs" },
		{ EMFILE, 503, "busy", "EMFILE" },
		{ ENFILE, 503, "busy", "ENFILE" },
		{ EIO, 500, "failed", "\"errno\":\"EIO\"" },
		{ ENOMEM, 500, "failed", "open maps" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmad_error err = { .code = rows[i].code, .pid = 42, .file = "maps", .operation = "open" };
		struct problem problem;
		const char *text;
		char type[64];

		problem_from_error(&problem, &err);
		text = text_of(&problem);
		snprintf(type, sizeof(type), "urn:vmad:problem:%s\"", rows[i].type);
		assert_int_equal(problem_status(problem.id), rows[i].status);
		assert_non_null(strstr(text, type));
		assert_non_null(strstr(text, rows[i].words));
	}
}

/* What would work later says when. */
static void retry_after(void **state)
{
	static const int codes[] = { ETIMEDOUT, EBUSY, EMFILE, EAGAIN };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct vmad_error err = { .code = codes[i], .pid = 1 };
		struct problem problem;

		problem_from_error(&problem, &err);
		assert_true(problem.retry_after_seconds > 0);
	}
}

static void long_details(void **state)
{
	char text[1000];
	struct problem problem;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	problem_set(&problem, PROBLEM_BAD_REQUEST, "%s", text);
	assert_int_equal(strlen(problem.detail), sizeof(problem.detail) - 1);
}

/* What a client sent and a problem repeats cannot end its string. */
static void odd_details(void **state)
{
	struct problem problem;

	(void)state;
	problem_set(&problem, PROBLEM_BAD_REQUEST, "\"\\\n\x01");
	assert_non_null(strstr(text_of(&problem), "\"detail\":\"\\\"\\\\\\u000a\\u0001\""));
	problem_set(&problem, PROBLEM_BAD_REQUEST, "\xff");
	assert_non_null(strstr(text_of(&problem), "\"detail\":\"\\\\xff\",\"detail_escaped\":true"));
}

static void every_row(void **state)
{
	(void)state;
	for (int id = 0; id < PROBLEMS; id++) {
		struct problem problem;

		problem_set(&problem, (enum problem_id)id, "%s", "");
		assert_in_range(problem_status(problem.id), 400, 599);
		assert_non_null(strstr(text_of(&problem), "\"title\":\""));
		assert_null(strstr(text_of(&problem), "detail"));
	}
}

/* Root is not told to ask as root. */
static void refused_to_root(void **state)
{
	const struct vmad_caller root = { .class = VMAD_CALLER_ROOT }, user = { .uid = 1000, .class = VMAD_CALLER_USER };
	struct vmad_error err = { .code = EACCES, .pid = 1, .file = "maps" };
	struct reply reply = { 0 };
	struct request request = { .reply = &reply, .caller = &user };

	(void)state;
	reply_error(&request, &err);
	assert_non_null(strstr(text_of(&reply.problem), "or as root"));
	request.caller = &root;
	reply_error(&request, &err);
	assert_null(strstr(text_of(&reply.problem), "as root"));
	assert_non_null(strstr(text_of(&reply.problem), "root out too"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("hidden and gone are the same bytes", hidden_is_gone),
		CASE("errors and their problems", errors),
		CASE("who is root is not told to be root", refused_to_root),
		CASE("what would work later says when", retry_after),
		CASE("a long detail is cut", long_details),
		CASE("odd bytes in a detail", odd_details),
		CASE("every row of problems.def", every_row),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
