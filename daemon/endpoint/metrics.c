/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics: the last snapshot of the sampler, and vmad's own counts, as Prometheus wants them. No process is looked at
 * here; the text is made at most once in TEXT_MS, however often it is asked for.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "encode/prom.h"
#include "endpoint/endpoint.h"
#include "endpoint/metrics_own.h"
#include "http/text.h"
#include "sampler/snapshot.h"
#include "source/host.h"

#define TEXT_MS 200
#define ACCESS_MS 1000

enum how { HOW_SUM, HOW_MAX, HOW_SHARE, HOW_AGE };

#define GAUGE "gauge"
#define COUNTER "counter"

static const struct group_metric {
	const char *name, *labels, *help;
	enum how how;
} group_metrics[GROUP_NUMBERS] = {
#define GROUP(id, name, labels, how, need, help) [GROUP_##id] = { name, labels, help, HOW_##how },
#define HOST(id, name, type, labels, help)
#define OWN(id, name, type, labels, help)
#include "vmad/metrics.def"
#undef GROUP
#undef HOST
#undef OWN
};

static const struct host_metric {
	const char *name, *type, *labels, *help;
} host_metrics[HOST_NUMBERS] = {
#define GROUP(id, name, labels, how, need, help)
#define HOST(id, name, type, labels, help) [HOST_##id] = { name, type, labels, help },
#define OWN(id, name, type, labels, help)
#include "vmad/metrics.def"
#undef GROUP
#undef HOST
#undef OWN
};

/* Snapshot and text are large, and one at a time is made. */
static struct {
	pthread_mutex_t lock;
	struct snapshot snapshot;
	struct text *text;
	uint64_t made_us;
} last = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The number as the text has it. False: it cannot be told. */
static bool group_value(const struct snapshot *snapshot, const struct group_numbers *numbers, enum group_number id,
			uint64_t now_us, double *ret_value)
{
	uint64_t value = numbers->value[id];

	if (!(numbers->known & KNOWN(id)))
		return false;
	*ret_value = (double)value;
	if (group_metrics[id].how == HOW_AGE) {
		*ret_value = now_us > value ? (double)(now_us - value) / 1e6 : 0;
	} else if (group_metrics[id].how == HOW_SHARE) {
		if (!(snapshot->host_known & KNOWN(HOST_vma_limit)) || snapshot->host[HOST_vma_limit] < 1)
			return false;
		*ret_value = (double)value / snapshot->host[HOST_vma_limit];
	}
	return true;
}

/* The labels of each group, written once: group="nginx.service", NUL-terminated. */
static void put_names(struct buf *to, const struct snapshot *snapshot, size_t at[static GROUPS_MAX])
{
	for (uint32_t i = 0; i < snapshot->count; i++) {
		struct buf label = { 0 };

		prom_label(&label, "group", snapshot->groups[i].name);
		at[i] = to->len;
		buf_put(to, label.p, label.len);
		buf_put(to, "", 1);
		to->failed |= label.failed;
		buf_free(&label);
	}
}

static void put_group_sample(struct buf *to, const struct group_metric *metric, const char *group, double value)
{
	buf_puts(to, metric->name);
	BUF_PUT_LITERAL(to, "{");
	buf_puts(to, group);
	if (*metric->labels) {
		BUF_PUT_LITERAL(to, ",");
		buf_puts(to, metric->labels);
	}
	BUF_PUT_LITERAL(to, "} ");
	prom_value(to, value);
	BUF_PUT_LITERAL(to, "\n");
}

static void put_groups(struct buf *to, const struct snapshot *snapshot)
{
	struct buf names = { 0 };
	uint64_t now = clock_us();
	size_t at[GROUPS_MAX];
	double value;

	put_names(&names, snapshot, at);
	for (int id = 0; id < GROUP_NUMBERS && !names.failed; id++) {
		const struct group_metric *metric = &group_metrics[id];
		bool headed = id && !strcmp(group_metrics[id - 1].name, metric->name);

		for (uint32_t i = 0; i < snapshot->count; i++) {
			if (!group_value(snapshot, &snapshot->groups[i].numbers, (enum group_number)id, now, &value))
				continue;
			if (!headed)
				prom_head(to, metric->name, GAUGE, metric->help);
			headed = true;
			put_group_sample(to, metric, names.p + at[i], value);
		}
	}
	to->failed |= names.failed;
	buf_free(&names);
}

static void put_host(struct buf *to, const struct snapshot *snapshot)
{
	const char *headed = "";

	for (int id = 0; id < HOST_NUMBERS; id++) {
		const struct host_metric *metric = &host_metrics[id];

		if (!(snapshot->host_known & KNOWN(id)))
			continue;
		if (strcmp(headed, metric->name))
			prom_head(to, metric->name, metric->type, metric->help);
		headed = metric->name;
		prom_sample(to, metric->name, metric->labels, snapshot->host[id]);
	}
}

static struct text *make_text(const struct board *board)
{
	struct buf body = { 0 };

	if (board && board_read(board, &last.snapshot)) {
		put_groups(&body, &last.snapshot);
		put_host(&body, &last.snapshot);
	}
	metrics_own_put(&body);
	return text_new(&body);
}

/* With a reference for the caller; NULL without memory. */
static struct text *current_text(const struct board *board)
{
	struct text *text = NULL;
	uint64_t now;

	pthread_mutex_lock(&last.lock);
	now = clock_us();
	if (!last.text || now - last.made_us > TEXT_MS * 1000) {
		text_release(last.text);
		last.text = make_text(board);
		last.made_us = now;
	}
	if (last.text)
		text = text_hold(last.text);
	pthread_mutex_unlock(&last.lock);
	return text;
}

void metrics_follow(struct board *board, int fd)
{
	pthread_mutex_lock(&last.lock);
	board_follow(board, fd);
	pthread_mutex_unlock(&last.lock);
}

void metrics_forget(void)
{
	text_release(last.text);
	last.text = NULL;
}

void endpoint_metrics(struct request *request)
{
	const struct endpoint_context *context = request->context;
	struct problem problem;
	struct text *text;

	if (context->metrics == METRICS_OFF) {
		problem_set(&problem, PROBLEM_NO_SUCH_PATH, "metrics are switched off");
		problem.mend = "start vmad with --metrics open or --metrics token";
		reply_problem(request, &problem);
		return;
	}
	text = current_text(context->board);
	if (text)
		reply_text(request, PROM_CONTENT_TYPE, text);
	else
		reply_error(request, &(struct vmad_error){ .code = ENOMEM, .operation = "allocate" });
}

/* Does everybody on this host see the processes of everybody? Asked again now and then: a remount changes it. */
static bool processes_are_public(const struct endpoint_context *context)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t asked_us;
	static bool public;
	bool result;

	if (opener_is_captured(context->opener))
		return true;
	pthread_mutex_lock(&lock);
	if (!asked_us || clock_us() - asked_us > ACCESS_MS * 1000) {
		public = context->mountinfo_fd >= 0 && host_hidepid(context->mountinfo_fd, context->procfs) == 0;
		asked_us = clock_us();
	}
	result = public;
	pthread_mutex_unlock(&lock);
	return result;
}

bool endpoint_is_open(void *arg, const struct route *route, bool local)
{
	const struct endpoint_context *context = arg;

	switch (route->id) {
	case ROUTE_health:
		return true;
	case ROUTE_metrics:
		return context->metrics == METRICS_OFF ||
		       (context->metrics == METRICS_OPEN && local && processes_are_public(context));
	default:
		return false;
	}
}
