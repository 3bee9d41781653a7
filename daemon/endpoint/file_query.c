/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint/file_query.h"

#include <errno.h>
#include <string.h>

static void refuse(struct request *request, const char *parameter, const char *detail)
{
	struct problem problem;

	problem_set(&problem, PROBLEM_BAD_PARAMETER, "%s", detail);
	problem.parameter = parameter;
	reply_problem(request, &problem);
}

/* What an errno means where a file was asked for. The words stand behind the path. */
static const struct meaning {
	const char *operation;		/* NULL: any */
	int code;
	enum problem_id id;
	const char *words, *mend;
} meanings[] = {
	{ "find", ENOENT, PROBLEM_NO_SUCH_FILE, NULL, NULL },
	{ "find", ENOTDIR, PROBLEM_NO_SUCH_FILE, "something in front of a slash is no directory", NULL },
	{ "find", EACCES, PROBLEM_NOT_ALLOWED, "the kernel does not let this caller read it",
	  "ask as somebody who may read it, or as root; or by device and inode, as maps shows them" },
	{ "find", EPERM, PROBLEM_NOT_ALLOWED, "the kernel does not let this caller read it",
	  "ask as somebody who may read it, or as root" },
	{ "find", EXDEV, PROBLEM_NOT_ALLOWED, "not on a local file system; one that does not answer could hold vmad up",
	  "ask as root; or by device and inode, as maps shows them" },
	{ "find", EISDIR, PROBLEM_BAD_PARAMETER, "it is a directory, not a regular file", NULL },
	{ "find", EINVAL, PROBLEM_BAD_PARAMETER, "it is no regular file", NULL },
	{ "find", ENXIO, PROBLEM_BAD_PARAMETER, "it is no regular file", NULL },
	{ "find", ELOOP, PROBLEM_BAD_PARAMETER, "too many symbolic links, or one of those of /proc that lead anywhere",
	  NULL },
	{ "find", ENAMETOOLONG, PROBLEM_BAD_PARAMETER, "a name in it is too long", NULL },
	{ "find", EOPNOTSUPP, PROBLEM_BAD_PARAMETER, "this vmad reads a captured tree, whose files are elsewhere",
	  "ask by device and inode, as maps shows them" },
	{ "find", ENOSYS, PROBLEM_NOT_AVAILABLE,
	  "paths are followed safely by openat2 only, which this kernel does not have", "Linux 5.6 or later" },
	{ "find", EWOULDBLOCK, PROBLEM_BUSY, "somebody holds a lease on it, or vmad has no threads left", NULL },
	{ NULL, EPERM, PROBLEM_NOT_ALLOWED,
	  "the kernel tells what is cached of a file only to who owns it or may write to it",
	  "ask as its owner, or as root" },
	{ NULL, EOPNOTSUPP, PROBLEM_BAD_PARAMETER, "its file system has no page cache that the kernel would describe",
	  NULL },
	{ NULL, ENODEV, PROBLEM_BAD_PARAMETER, "its file system has no page cache that the kernel would describe",
	  NULL },
	{ NULL, ETIMEDOUT, PROBLEM_FILE_BLOCKED, NULL, NULL },
};

static const struct meaning *meaning_of(const struct vmad_error *err)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].code == err->code &&
		    (!meanings[i].operation || !strcmp(meanings[i].operation, err->operation)))
			return &meanings[i];
	}
	return NULL;
}

/* Of a long path the end is shown: that tells more than its beginning. */
static void fill(struct problem *problem, const struct meaning *meaning, const char *path)
{
	size_t taken = (meaning->words ? strlen(meaning->words) : 0) + sizeof("...: "),
	       room = sizeof(problem->detail) - taken, len = strlen(path);
	bool is_cut = len > room;

	problem_set(problem, meaning->id, "%s%s%s%s", is_cut ? "..." : "", is_cut ? path + len - room : path,
		    meaning->words ? ": " : "", meaning->words ? meaning->words : "");
	problem->mend = meaning->mend;
}

void file_query_fail(struct request *request, const struct vmad_error *err)
{
	const struct meaning *meaning = meaning_of(err);
	struct problem problem;

	if (!meaning) {
		reply_error(request, err);
		return;
	}
	fill(&problem, meaning, request_text(request, PARAM_file_path));
	problem.code = err->code;
	problem.parameter = meaning->id == PROBLEM_BAD_PARAMETER ? "path" : NULL;
	problem.retry_after_seconds = meaning->id == PROBLEM_FILE_BLOCKED || meaning->id == PROBLEM_BUSY ? 1 : 0;
	reply_problem(request, &problem);
}

static bool read_part(struct request *request, struct file_query *query)
{
	const struct param_value *length = &request->values[PARAM_file_length];

	query->start = request_number(request, PARAM_file_offset);
	query->to_the_end = !length->given;
	if (length->given && !length->number) {
		refuse(request, "length", "length is 0, but wants 1 or more");
		return false;
	}
	if (query->to_the_end)
		query->end = UINT64_MAX;
	else if (__builtin_add_overflow(query->start, length->number, &query->end)) {
		refuse(request, "length", "offset and length together go beyond 64 bits");
		return false;
	}
	if (query->start == UINT64_MAX) {
		refuse(request, "offset", "no file has that offset");
		return false;
	}
	return true;
}

static bool open_by_path(struct request *request, struct file_query *query)
{
	const struct endpoint_context *context = request->context;
	struct vmad_error err = { 0 };

	if (file_open(context->opener, request->caller, request_text(request, PARAM_file_path), &query->file, &err) ==
	    0)
		return true;
	file_query_fail(request, &err);
	return false;
}

bool file_query_open(struct request *request, struct file_query *query)
{
	bool path = request->values[PARAM_file_path].given, device = request->values[PARAM_device].given,
	     inode = request->values[PARAM_inode].given;

	if (!read_part(request, query))
		return false;
	if (path && !device && !inode)
		return open_by_path(request, query);
	if (!path && device && inode) {
		query->file =
			file_by_inode(request_number(request, PARAM_device), request_number(request, PARAM_inode));
		return true;
	}
	if (route_param(request->route, "device") == PARAM_none)
		refuse(request, "path", "path is missing: which file?");
	else
		refuse(request,
		       path	? "device"
		       : device ? "inode"
		       : inode	? "device"
				: "path",
		       "it takes path, or device and inode");
	return false;
}

void file_query_close(struct file_query *query)
{
	file_close(&query->file);
}

struct vmad_file_range file_query_range(const struct file_query *query)
{
	return (struct vmad_file_range){
		.has = query->to_the_end ? 0 : VMAD_HAS(file_range, length_bytes),
		.file = &query->file.record,
		.offset_bytes = query->start,
		.length_bytes = query->end - query->start,
	};
}
