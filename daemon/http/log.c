/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "clock/clock.h"

static enum log_level log_level;
static bool to_journal;
static _Atomic uint64_t next_request;

/* A bucket of lines, which fills with time. */
static struct {
	pthread_mutex_t lock;
	uint64_t filled_us;
	double lines;
	uint64_t left_out;
} bucket = { .lock = PTHREAD_MUTEX_INITIALIZER, .lines = LOG_LINES_AT_ONCE };

int log_level_parse(const char *text, enum log_level *ret_level)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERRORS] = "errors", [LOG_LEVEL_NONE] = "none", [LOG_LEVEL_REQUESTS] = "requests"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* systemd says which stream it listens to (systemd.exec(5), $JOURNAL_STREAM); standard error may be another by now. */
static bool journal_has_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return !strcmp(stream, own);
}

void log_begin(enum log_level level)
{
	uint64_t first = 0;

	log_level = level;
	to_journal = journal_has_stderr();
	/* So that the names of the last run's requests do not come again. */
	if (getrandom(&first, sizeof(first), GRND_NONBLOCK) < 0)
		first = clock_us();
	atomic_store(&next_request, first);
}

uint64_t log_next_request(void)
{
	return atomic_fetch_add_explicit(&next_request, 1, memory_order_relaxed);
}

/* How many were left out since the last one that may be written; -1: this one may not. */
static int64_t take_line(void)
{
	uint64_t now = clock_us();
	int64_t left_out = -1;

	pthread_mutex_lock(&bucket.lock);
	if (bucket.filled_us)
		bucket.lines += (double)(now - bucket.filled_us) * LOG_LINES_PER_SECOND / 1000000;
	bucket.filled_us = now;
	if (bucket.lines > LOG_LINES_AT_ONCE)
		bucket.lines = LOG_LINES_AT_ONCE;
	if (bucket.lines >= 1) {
		bucket.lines--;
		left_out = (int64_t)bucket.left_out;
		bucket.left_out = 0;
	} else {
		bucket.left_out++;
	}
	pthread_mutex_unlock(&bucket.lock);
	return left_out;
}

static bool is_error(const struct log_request *request)
{
	return request->status == 500 || request->status == 504;
}

static bool is_wanted(const struct log_request *request)
{
	return log_level == LOG_LEVEL_REQUESTS || (log_level == LOG_LEVEL_ERRORS && is_error(request));
}

static void write_journal(const struct log_request *request, const char *uid, int64_t left_out)
{
	if (left_out)
		sd_journal_send("MESSAGE=%" PRId64 " requests were not logged", left_out, "PRIORITY=5", NULL);
	sd_journal_send("MESSAGE=%s %s: %u in %.3f ms", request->method, request->route, request->status,
			(double)request->took_us / 1000, "PRIORITY=%d", is_error(request) ? 4 : 6,
			"VMAD_REQUEST=" LOG_REQUEST_FORMAT, request->id, "VMAD_METHOD=%s", request->method,
			"VMAD_ROUTE=%s", request->route, "VMAD_STATUS=%u", request->status,
			"VMAD_DURATION_US=%" PRIu64, request->took_us, "VMAD_UID=%s", uid, NULL);
}

static void write_text(const struct log_request *request, const char *uid, int64_t left_out)
{
	if (left_out)
		fprintf(stderr, "vmad: %" PRId64 " requests were not logged\n", left_out);
	fprintf(stderr, "vmad: request=" LOG_REQUEST_FORMAT " method=%s route=%s status=%u duration_ms=%.3f uid=%s\n",
		request->id, request->method, request->route, request->status, (double)request->took_us / 1000, uid);
}

void log_request(const struct log_request *request)
{
	int64_t left_out;
	char uid[16] = "none";

	if (!is_wanted(request))
		return;
	left_out = take_line();
	if (left_out < 0)
		return;
	if (request->uid != (uid_t)-1)
		snprintf(uid, sizeof(uid), "%u", (unsigned)request->uid);
	(to_journal ? write_journal : write_text)(request, uid, left_out);
}
