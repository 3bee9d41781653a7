/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint/metrics_own.h"

#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "encode/prom.h"
#include "meter/meter.h"
#include "source/self.h"
#include "stall/stall.h"

enum own {
#define GROUP(id, name, labels, how, need, help)
#define HOST(id, name, type, labels, help)
#define OWN(id, name, type, labels, help) OWN_##id,
#include "vmad/metrics.def"
#undef GROUP
#undef HOST
#undef OWN
	OWNS
};

#define GAUGE "gauge"
#define COUNTER "counter"
#define HISTOGRAM "histogram"

static const struct own_metric {
	const char *name, *type, *help;
} metrics[OWNS] = {
#define GROUP(id, name, labels, how, need, help)
#define HOST(id, name, type, labels, help)
#define OWN(id, name, type, labels, help) [OWN_##id] = { name, type, help },
#include "vmad/metrics.def"
#undef GROUP
#undef HOST
#undef OWN
};

static void put_head(struct buf *to, enum own id)
{
	prom_head(to, metrics[id].name, metrics[id].type, metrics[id].help);
}

static void put_one(struct buf *to, enum own id, double value)
{
	put_head(to, id);
	prom_sample(to, metrics[id].name, "", value);
}

/* A family of the meter, with the names of its labels. */
struct series {
	struct buf *to;
	const char *name, *a, *b;
	double scale;
	size_t count;
};

static void put_series(void *arg, const char *a, const char *b, uint64_t count)
{
	struct series *series = arg;
	struct buf labels = { 0 };

	if (a)
		prom_label(&labels, series->a, a);
	if (b)
		prom_label(&labels, series->b, b);
	buf_put(&labels, "", 1);
	if (!labels.failed)
		prom_sample(series->to, series->name, labels.p, (double)count * series->scale);
	series->to->failed |= labels.failed;
	buf_free(&labels);
}

static void put_family(struct buf *to, enum own id, enum meter_family family, const char *a, const char *b, double scale)
{
	struct series series = { .to = to, .name = metrics[id].name, .a = a, .b = b, .scale = scale };

	put_head(to, id);
	meter_each(family, put_series, &series);
}

static void put_histogram(struct buf *to, const char *class, const struct meter_class_counts *counts)
{
	const char *name = metrics[OWN_http_duration].name;
	uint64_t so_far = 0;

	for (int i = 0; i <= METER_BUCKETS; i++) {
		so_far += counts->buckets[i];
		buf_printf(to, "%s_bucket{class=\"%s\",le=\"", name, class);
		if (i < METER_BUCKETS)
			prom_value(to, (double)meter_bucket_us[i] / 1e6);
		else
			BUF_PUT_LITERAL(to, "+Inf");
		buf_printf(to, "\"} %llu\n", (unsigned long long)so_far);
	}
	buf_printf(to, "%s_sum{class=\"%s\"} ", name, class);
	prom_value(to, (double)counts->sum_us / 1e6);
	buf_printf(to, "\n%s_count{class=\"%s\"} %llu\n", name, class, (unsigned long long)so_far);
}

static void put_class(struct buf *to, enum own id, enum meter_class class, uint64_t value)
{
	buf_printf(to, "%s{class=\"%s\"} %llu\n", metrics[id].name, meter_class_name(class), (unsigned long long)value);
}

static void put_classes(struct buf *to)
{
	struct meter_class_counts counts[METER_CLASSES];

	for (int i = 0; i < METER_CLASSES; i++)
		meter_class_read((enum meter_class)i, &counts[i]);
	put_head(to, OWN_http_duration);
	for (int i = 0; i < METER_CLASSES; i++)
		put_histogram(to, meter_class_name((enum meter_class)i), &counts[i]);
	put_head(to, OWN_http_in_flight);
	for (int i = 0; i < METER_CLASSES; i++)
		put_class(to, OWN_http_in_flight, (enum meter_class)i, counts[i].in_flight);
	put_head(to, OWN_http_bytes);
	for (int i = 0; i < METER_CLASSES; i++)
		put_class(to, OWN_http_bytes, (enum meter_class)i, counts[i].bytes);
}

static void put_process(struct buf *to)
{
	struct self_facts self;

	self_read(&self);
	put_one(to, OWN_cpu, self.cpu_seconds);
	if (self.resident_bytes)
		put_one(to, OWN_resident, (double)self.resident_bytes);
	if (self.virtual_bytes)
		put_one(to, OWN_virtual, (double)self.virtual_bytes);
	put_one(to, OWN_start_time, self.start_time_seconds);
	if (self.open_fds)
		put_one(to, OWN_open_fds, (double)self.open_fds);
	put_one(to, OWN_max_fds, (double)self.max_fds);
}

/* A rate of what has not happened yet needs a zero to begin with. */
static void add_zeros(void)
{
	static const struct { enum meter_family family; const char *a; } rows[] = {
		{ METER_REJECTED, "too-many" }, { METER_REJECTED, "busy" }, { METER_REJECTED, "connections" },
		{ METER_REJECTED, "slow-reader" },
		{ METER_OPENER_REQUESTS, "ok" }, { METER_OPENER_REQUESTS, "failed" }, { METER_OPENER_REQUESTS, "timeout" },
		{ METER_OPENER_RESTARTS, NULL },
		{ METER_WALK_MICROSECONDS, "process" }, { METER_WALK_MICROSECONDS, "host" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		meter_add(rows[i].family, rows[i].a, NULL, 0);
}

void metrics_own_put(struct buf *to)
{
	add_zeros();
	put_family(to, OWN_http_requests, METER_HTTP_REQUESTS, "route", "code", 1);
	put_classes(to);
	put_family(to, OWN_rejected, METER_REJECTED, "reason", NULL, 1);
	put_family(to, OWN_incomplete, METER_INCOMPLETE, "route", "reason", 1);
	put_family(to, OWN_opener_requests, METER_OPENER_REQUESTS, "result", NULL, 1);
	put_family(to, OWN_opener_restarts, METER_OPENER_RESTARTS, NULL, NULL, 1);
	put_family(to, OWN_walk_seconds, METER_WALK_MICROSECONDS, "kind", NULL, 1e-6);
	put_one(to, OWN_targets_quarantined, stall_count());
	put_one(to, OWN_module_loaded, access("/sys/module/vmad", F_OK) == 0);
	put_head(to, OWN_build_info);
	prom_sample(to, metrics[OWN_build_info].name, "version=\"" PACKAGE_VERSION "\"", 1);
	put_process(to);
}
