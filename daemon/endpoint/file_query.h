/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_query: questions about files: which one, which part of it, and what is said where that does not work. */
#ifndef ENDPOINT_FILE_QUERY_H
#define ENDPOINT_FILE_QUERY_H

#include "endpoint/endpoint.h"
#include "model/file.h"

struct file_query {
	struct file file;
	uint64_t start, end;		/* the part: offsets; end is the first one behind it */
	bool to_the_end;		/* no length was given: end is UINT64_MAX */
};

/*
 * Finds and opens the file that path, or device and inode, name. False: the request has been answered with a problem.
 * /
 */
bool file_query_open(struct request *request, struct file_query *ret_query);
void file_query_close(struct file_query *query);

/* The members that say which part of which file it is; they point into the query. */
struct vmad_file_range file_query_range(const struct file_query *query);

/* Answers with what an error of a file means. */
void file_query_fail(struct request *request, const struct vmad_error *err);

#endif
