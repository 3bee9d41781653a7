/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meter: counts by label, bounded; and histograms. */
#include "unit.h"

#include <pthread.h>
#include <string.h>

#include "meter/meter.h"

struct found {
	const char *a, *b;
	uint64_t count, sum;
	unsigned series;
};

static void look(void *arg, const char *a, const char *b, uint64_t count)
{
	struct found *found = arg;

	found->series++;
	found->sum += count;
	if (a && found->a && !strcmp(a, found->a) && (!b || !strcmp(b, found->b)))
		found->count = count;
}

static struct found find(enum meter_family family, const char *a, const char *b)
{
	struct found found = { .a = a, .b = b };

	meter_each(family, look, &found);
	return found;
}

static void by_label(void **state)
{
	char same[] = "vmas";

	(void)state;
	meter_add(METER_HTTP_REQUESTS, "vmas", "200", 1);
	meter_add(METER_HTTP_REQUESTS, "vmas", "404", 5);
	meter_add(METER_HTTP_REQUESTS, same, "200", 2);
	assert_int_equal(find(METER_HTTP_REQUESTS, "vmas", "200").count, 3);
	assert_int_equal(find(METER_HTTP_REQUESTS, "vmas", "404").count, 5);
	assert_int_equal(find(METER_HTTP_REQUESTS, "vmas", "404").series, 2);
}

static void bounded(void **state)
{
	static char words[100][8];
	struct found found;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(words[i], sizeof(words[i]), "w%d", i);
		meter_add(METER_INCOMPLETE, words[i], "deadline", 1);
	}
	found = find(METER_INCOMPLETE, "other", "other");
	assert_int_equal(found.sum, 100);
	assert_true(found.series < 40);
	assert_int_equal(found.count, 100 - (found.series - 1));
}

static void without_labels(void **state)
{
	(void)state;
	meter_add(METER_OPENER_RESTARTS, NULL, NULL, 0);
	meter_add(METER_OPENER_RESTARTS, NULL, NULL, 2);
	assert_int_equal(find(METER_OPENER_RESTARTS, NULL, NULL).series, 1);
	assert_int_equal(find(METER_OPENER_RESTARTS, NULL, NULL).sum, 2);
}

static void histogram(void **state)
{
	struct meter_class_counts counts;

	(void)state;
	for (int i = 0; i < 3; i++)
		meter_begin(METER_WALK);
	meter_end(METER_WALK, meter_bucket_us[0]);
	meter_end(METER_WALK, meter_bucket_us[METER_BUCKETS - 1] + 1);
	meter_bytes(METER_WALK, 70);
	meter_class_read(METER_WALK, &counts);
	assert_int_equal(counts.in_flight, 1);
	assert_int_equal(counts.buckets[0], 1);
	assert_int_equal(counts.buckets[METER_BUCKETS], 1);
	assert_int_equal(counts.sum_us, meter_bucket_us[0] + meter_bucket_us[METER_BUCKETS - 1] + 1);
	assert_int_equal(counts.bytes, 70);
}

#define THREADS 4
#define ROUNDS 20000

static void *count_much(void *arg)
{
	static const char *const words[] = { "a", "b", "c", "d", "e" };

	for (int i = 0; i < ROUNDS; i++)
		meter_add(METER_OPENER_REQUESTS, words[(i + (int)(intptr_t)arg) % 5], NULL, 1);
	return NULL;
}

static void from_many_threads(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (intptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_much, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(find(METER_OPENER_REQUESTS, "a", NULL).sum, THREADS * ROUNDS);
	assert_int_equal(find(METER_OPENER_REQUESTS, "a", NULL).series, 5);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a count for each combination of labels, wherever their words lie", by_label),
		CASE("more combinations than there is room for are counted together as other", bounded),
		CASE("a family without labels", without_labels),
		CASE("a histogram: the upper end belongs to its bucket, and one is for all above", histogram),
		CASE("many threads at once lose nothing, and make no series twice", from_many_threads),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
