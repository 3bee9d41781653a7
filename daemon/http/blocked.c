/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/blocked.h"

#include <stdio.h>
#include <sys/socket.h>

#include "encode/record.h"
#include "http/problem.h"
#include "stall/stall.h"

void blocked_answer(int fd, pid_t pid)
{
	struct buf body = { 0 };
	struct problem problem;
	char reply[2048];
	int len;

	problem_set(&problem, PROBLEM_TARGET_BLOCKED, "process %d: the kernel did not answer in %d s", (int)pid,
		    STALL_MS / 1000);
	BUF_PUT_LITERAL(&body, "{");
	problem_put(&body, &problem);
	record_close(&body);
	BUF_PUT_LITERAL(&body, "\n");
	if (!body.failed) {
		len = snprintf(reply, sizeof(reply),
			       "HTTP/1.1 %u Gateway Timeout\r\nContent-Type: application/problem+json\r\n"
			       "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
			       "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
			       "Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n"
			       "X-Frame-Options: DENY\r\nRetry-After: %d\r\n"
			       "Connection: close\r\nContent-Length: %zu\r\n\r\n%.*s",
			       problem_status(problem.id), STALL_QUARANTINE_MS / 1000, body.len, (int)body.len, body.p);
		if (len > 0 && (size_t)len < sizeof(reply))
			send(fd, reply, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	buf_free(&body);
}
