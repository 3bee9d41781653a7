/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter: what vmad counts of itself, for GET /metrics. Counting takes no lock, so that the way of a request is not
 * longer for it; reading sees each number by itself.
 *
 * Labels are words of static storage. There is room for so many combinations of them in each family; what comes after
 * is counted together as "other", so that nobody can make more series by asking strange things.
 */
#ifndef METER_METER_H
#define METER_METER_H

#include <stddef.h>
#include <stdint.h>

enum meter_family {
	METER_HTTP_REQUESTS,		/* route, code */
	METER_REJECTED,			/* reason */
	METER_INCOMPLETE,		/* route, reason */
	METER_OPENER_REQUESTS,		/* result */
	METER_OPENER_RESTARTS,		/* no label */
	METER_WALK_MICROSECONDS,	/* kind */
	METER_FAMILIES
};

/* Series of all families together, at most. */
#define METER_SERIES_MAX 120

void meter_add(enum meter_family family, const char *a, const char *b, uint64_t n);

/* Calls back for each combination of labels; a and b are NULL where the family has no such label. */
typedef void meter_fn(void *arg, const char *a, const char *b, uint64_t count);
void meter_each(enum meter_family family, meter_fn *fn, void *arg);

/* Cost classes of requests. */
enum meter_class { METER_CHEAP, METER_WALK, METER_GLOBAL, METER_CLASSES };
const char *meter_class_name(enum meter_class class);

/* Upper ends of a histogram's buckets, in microseconds; one more bucket is for all above. */
#define METER_BUCKETS 7
extern const uint64_t meter_bucket_us[METER_BUCKETS];

struct meter_class_counts {
	uint64_t buckets[METER_BUCKETS + 1], sum_us;	/* of requests that ended, each in one bucket */
	uint64_t bytes;
	uint64_t in_flight;
};

void meter_begin(enum meter_class class);
void meter_end(enum meter_class class, uint64_t us);
void meter_bytes(enum meter_class class, uint64_t bytes);
void meter_class_read(enum meter_class class, struct meter_class_counts *ret_counts);

#endif
