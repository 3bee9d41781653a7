/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meter/meter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

struct slot {
	const char *a, *b;
	_Atomic uint64_t count;
};

#define SLOTS_MAX 64

struct family {
	unsigned room;
	_Atomic unsigned used;		/* grows under the lock; a slot below it does not change any more */
	struct slot slots[SLOTS_MAX];
};

static struct family families[METER_FAMILIES] = {
	[METER_HTTP_REQUESTS] = { .room = 64 },
	[METER_REJECTED] = { .room = 14 },
	[METER_INCOMPLETE] = { .room = 28 },
	[METER_OPENER_REQUESTS] = { .room = 8 },
	[METER_OPENER_RESTARTS] = { .room = 1 },
	[METER_WALK_MICROSECONDS] = { .room = 4 },
};

_Static_assert(64 + 14 + 28 + 8 + 1 + 4 <= METER_SERIES_MAX, "room for the series of all families");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_same(const char *x, const char *y)
{
	return x == y || (x && y && !strcmp(x, y));
}

/* The last slot takes what there is no room for. */
static struct slot *find_slot(struct family *family, const char *a, const char *b)
{
	unsigned used = atomic_load_explicit(&family->used, memory_order_acquire);

	for (unsigned i = 0; i < used; i++) {
		if (is_same(family->slots[i].a, a) && is_same(family->slots[i].b, b))
			return &family->slots[i];
	}
	return used == family->room ? &family->slots[used - 1] : NULL;
}

static struct slot *new_slot(struct family *family, const char *a, const char *b)
{
	struct slot *slot;

	pthread_mutex_lock(&lock);
	slot = find_slot(family, a, b);
	if (!slot) {
		unsigned at = atomic_load_explicit(&family->used, memory_order_relaxed);
		bool last = at && at == family->room - 1;

		slot = &family->slots[at];
		slot->a = a && last ? "other" : a;
		slot->b = b && last ? "other" : b;
		atomic_store_explicit(&family->used, at + 1, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return slot;
}

void meter_add(enum meter_family id, const char *a, const char *b, uint64_t n)
{
	struct family *family = &families[id];
	struct slot *slot = find_slot(family, a, b);

	if (!slot)
		slot = new_slot(family, a, b);
	atomic_fetch_add_explicit(&slot->count, n, memory_order_relaxed);
}

void meter_each(enum meter_family id, meter_fn *fn, void *arg)
{
	struct family *family = &families[id];
	unsigned used = atomic_load_explicit(&family->used, memory_order_acquire);

	for (unsigned i = 0; i < used; i++)
		fn(arg, family->slots[i].a, family->slots[i].b,
		   atomic_load_explicit(&family->slots[i].count, memory_order_relaxed));
}

const uint64_t meter_bucket_us[METER_BUCKETS] = { 1000, 5000, 25000, 100000, 500000, 2000000, 10000000 };

/* Lines of their own: what cheap requests count is not what walks count. */
static struct {
	_Alignas(64) _Atomic uint64_t buckets[METER_BUCKETS + 1];
	_Atomic uint64_t sum_us, bytes, in_flight;
} classes[METER_CLASSES];

const char *meter_class_name(enum meter_class class)
{
	static const char *const names[METER_CLASSES] = { "cheap", "walk", "global" };

	return names[class];
}

void meter_begin(enum meter_class class)
{
	atomic_fetch_add_explicit(&classes[class].in_flight, 1, memory_order_relaxed);
}

void meter_end(enum meter_class class, uint64_t us)
{
	unsigned bucket = 0;

	while (bucket < METER_BUCKETS && us > meter_bucket_us[bucket])
		bucket++;
	atomic_fetch_add_explicit(&classes[class].buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&classes[class].sum_us, us, memory_order_relaxed);
	atomic_fetch_sub_explicit(&classes[class].in_flight, 1, memory_order_relaxed);
}

void meter_bytes(enum meter_class class, uint64_t bytes)
{
	atomic_fetch_add_explicit(&classes[class].bytes, bytes, memory_order_relaxed);
}

void meter_class_read(enum meter_class class, struct meter_class_counts *ret_counts)
{
	for (unsigned i = 0; i <= METER_BUCKETS; i++)
		ret_counts->buckets[i] = atomic_load_explicit(&classes[class].buckets[i], memory_order_relaxed);
	ret_counts->sum_us = atomic_load_explicit(&classes[class].sum_us, memory_order_relaxed);
	ret_counts->bytes = atomic_load_explicit(&classes[class].bytes, memory_order_relaxed);
	ret_counts->in_flight = atomic_load_explicit(&classes[class].in_flight, memory_order_relaxed);
}
