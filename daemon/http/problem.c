/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "encode/record.h"

static const struct {
	struct vmad_str type, title;
	unsigned status;
	const char *word;
} kinds[PROBLEMS] = {
#define PROBLEM(id, type, status, exit_code, title) \
	[PROBLEM_##id] = { VMAD_STR("urn:vmad:problem:" type), VMAD_STR(title), status, type },
#include "vmad/problems.def"
#undef PROBLEM
};

unsigned problem_status(enum problem_id id)
{
	return kinds[id].status;
}

const char *problem_word(enum problem_id id)
{
	return kinds[id].word;
}

bool problem_is_refusal(enum problem_id id)
{
	return kinds[id].status == 429 || kinds[id].status == 503;
}

void problem_set(struct problem *problem, enum problem_id id, const char *format, ...)
{
	va_list args;

	*problem = (struct problem){ .id = id };
	va_start(args, format);
	vsnprintf(problem->detail, sizeof(problem->detail), format, args);
	va_end(args);
}

static void set_refused(struct problem *problem, const struct vmad_error *err)
{
	if (err->pid)
		problem_set(problem, PROBLEM_NOT_ALLOWED, "process %d: the kernel does not let this caller read %s",
			    (int)err->pid, err->file ? err->file : "it");
	else
		problem_set(problem, PROBLEM_NOT_ALLOWED, "the kernel does not let this caller see processes");
	problem->mend = "ask as the user that the process runs as, or as root";
}

static void set_missing(struct problem *problem, pid_t pid, const char *file)
{
	if (pid)
		problem_set(problem, PROBLEM_NOT_AVAILABLE, "process %d has no %s here", (int)pid, file);
	else
		problem_set(problem, PROBLEM_NOT_AVAILABLE, "there is no %s here", file);
}

/* What an errno of the floors below means; those that are not here are vmad's own failure. */
void problem_from_error(struct problem *problem, const struct vmad_error *err)
{
	switch (err->code) {
	case ENOENT:
	case ESRCH:
		problem_set(problem, PROBLEM_NO_SUCH_PROCESS, "process %d", (int)err->pid);
		/* No errno and no file here: whether the kernel said ENOENT or ESRCH would tell hidden from gone. */
		return;
	case EACCES:
	case EPERM:
		set_refused(problem, err);
		break;
	case ESTALE:
		problem_set(problem, PROBLEM_PID_REUSED, "process %d did not begin at that start_time_ticks",
			    (int)err->pid);
		return;
	case EOPNOTSUPP:
		set_missing(problem, err->pid, err->file ? err->file : "such file");
		return;
	case ENXIO:
		problem_set(problem, PROBLEM_NO_SUCH_FRAME, "the frame is beyond the host's memory");
		return;
	case ETIMEDOUT:
		problem_set(problem, PROBLEM_TARGET_BLOCKED, "process %d: the kernel did not answer in time",
			    (int)err->pid);
		problem->retry_after_seconds = 60;
		break;
	case ENOTCONN:
		problem_set(problem, PROBLEM_BUSY, "vmad is starting again");
		problem->retry_after_seconds = 1;
		break;
	case EBUSY:
		problem_set(problem, PROBLEM_BUSY, "process %d execs again and again, faster than it can be read", (int)err->pid);
		problem->retry_after_seconds = 1;
		break;
	case EMFILE:
	case ENFILE:
	case EAGAIN:
		problem_set(problem, PROBLEM_BUSY, "vmad has no descriptors or threads left");
		problem->retry_after_seconds = 1;
		break;
	default:
		problem_set(problem, PROBLEM_FAILED, "%s%s%s", err->operation ? err->operation : "something",
			    err->file ? " " : "", err->file ? err->file : "");
	}
	problem->code = err->code;
}

static struct vmad_str str_of(const char *text)
{
	return (struct vmad_str){ text, text ? strlen(text) : 0 };
}

void problem_put(struct buf *to, const struct problem *problem)
{
	struct vmad_problem record = {
		.type = kinds[problem->id].type,
		.title = kinds[problem->id].title,
		.status = kinds[problem->id].status,
		.detail = str_of(problem->detail),
		.mend = str_of(problem->mend),
		.parameter = str_of(problem->parameter),
		.error_name = problem->code ? strerrorname_np(problem->code) : NULL,
	};

	record.has = (record.detail.len ? VMAD_HAS(problem, detail) : 0) |
		     (record.mend.len ? VMAD_HAS(problem, mend) : 0) |
		     (record.parameter.len ? VMAD_HAS(problem, parameter) : 0) |
		     (record.error_name ? VMAD_HAS(problem, error_name) : 0);
	record_put_problem(to, &record);
}
