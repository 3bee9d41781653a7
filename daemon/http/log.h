/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: a line a request, for those that are worth one: what was asked (the route, never an address, a path or a token),
 * by whom, how it ended and how long it took. systemd's journal gets fields, so that they can be searched by; standard
 * error gets text. So many a second at most; how many more there were is said.
 */
#ifndef HTTP_LOG_H
#define HTTP_LOG_H

#include <stdint.h>
#include <sys/types.h>

enum log_level {
	LOG_LEVEL_ERRORS,	/* requests that vmad could not answer though it should: 500 and 504 */
	LOG_LEVEL_NONE,
	LOG_LEVEL_REQUESTS,	/* all of them */
};

#define LOG_LINES_PER_SECOND 20
#define LOG_LINES_AT_ONCE 100	/* after a silence */

/* "errors", "none" or "requests"; -EINVAL: none of them. */
int log_level_parse(const char *text, enum log_level *ret_level);

/* Before there are threads. */
void log_begin(enum log_level level);

/* A name for a request, unlike all others of this vmad, which its error reply and the log both have. */
uint64_t log_next_request(void);
#define LOG_REQUEST_FORMAT "%016" PRIx64

struct log_request {
	uint64_t id;
	const char *method, *route;	/* route: as the index lists it, or "none" */
	unsigned status;		/* 0: there was no reply */
	uint64_t took_us;
	uid_t uid;			/* -1: nobody known */
};

void log_request(const struct log_request *request);

#endif
