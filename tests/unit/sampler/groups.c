/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups: how numbers of processes become those of groups, and which groups are shown. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sampler/groups.h"

static struct snapshot snapshot;

static struct process *add(struct process_table *table, const char *group, uint64_t anon)
{
	struct process *process = process_table_add(table, (pid_t)table->count + 1);

	assert_non_null(process);
	process->counted = true;
	snprintf(process->group, sizeof(process->group), "%s", group);
	process->numbers.known = KNOWN(GROUP_processes) | KNOWN(GROUP_resident_anon);
	process->numbers.value[GROUP_processes] = 1;
	process->numbers.value[GROUP_resident_anon] = anon;
	return process;
}

static void set(struct process *process, enum group_number id, uint64_t value)
{
	process->numbers.known |= KNOWN(id);
	process->numbers.value[id] = value;
}

static const struct group_numbers *find(const char *name)
{
	for (uint32_t i = 0; i < snapshot.count; i++) {
		if (!strcmp(snapshot.groups[i].name, name))
			return &snapshot.groups[i].numbers;
	}
	return NULL;
}

static void sums_and_maxima(void **state)
{
	struct process_table table = { 0 };
	struct groups *groups = groups_new(GROUPS_MAX);
	const struct group_numbers *a;
	size_t folded;

	(void)state;
	set(add(&table, "a", 10), GROUP_process_vmas_max, 70);
	set(add(&table, "a", 5), GROUP_process_vmas_max, 90);
	set(add(&table, "a", 1), GROUP_maps_read, 300);
	set(add(&table, "a", 1), GROUP_maps_read, 200);
	add(&table, "b", 1);
	add(&table, "kernel", 1)->counted = false;
	assert_int_equal(groups_sum(groups, &table, &snapshot, &folded), 0);
	a = find("a");
	assert_non_null(a);
	assert_int_equal(a->value[GROUP_processes], 4);
	assert_int_equal(a->value[GROUP_resident_anon], 17);
	assert_int_equal(a->value[GROUP_process_vmas_max], 90);
	assert_int_equal(a->value[GROUP_maps_read], 200);
	assert_int_equal(snapshot.count, 2);
	assert_int_equal(folded, 0);
	assert_null(find("kernel"));
	/* unknown is absent, never 0 */
	assert_false(find("b")->known & KNOWN(GROUP_process_vmas_max));
	process_table_free(&table);
	groups_free(groups);
}

static void ended_groups_disappear(void **state)
{
	struct process_table table = { 0 };
	struct groups *groups = groups_new(GROUPS_MAX);
	size_t folded;

	(void)state;
	add(&table, "a", 10);
	add(&table, "b", 10);
	groups_sum(groups, &table, &snapshot, &folded);
	assert_int_equal(snapshot.count, 2);
	table.count = 1;
	groups_sum(groups, &table, &snapshot, &folded);
	assert_int_equal(snapshot.count, 1);
	assert_null(find("b"));
	process_table_free(&table);
	groups_free(groups);
}

static void the_lightest_are_folded(void **state)
{
	struct process_table table = { 0 };
	struct groups *groups = groups_new(10);
	char name[GROUP_NAME_MAX];
	size_t folded;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "g%02d", i);
		add(&table, name, 1000 + (uint64_t)i * 10);
	}
	assert_int_equal(groups_sum(groups, &table, &snapshot, &folded), 0);
	assert_int_equal(snapshot.count, 10);
	assert_int_equal(folded, 91);
	assert_non_null(find("g99"));
	assert_non_null(find("g91"));
	assert_null(find("g90"));
	assert_int_equal(find("other")->value[GROUP_processes], 91);
	/* one that is a little heavier now does not push out one that is shown; a much heavier one does */
	table.list[90].numbers.value[GROUP_resident_anon] = 2500;
	groups_sum(groups, &table, &snapshot, &folded);
	assert_null(find("g90"));
	table.list[90].numbers.value[GROUP_resident_anon] = 5000;
	groups_sum(groups, &table, &snapshot, &folded);
	assert_non_null(find("g90"));
	assert_null(find("g91"));
	process_table_free(&table);
	groups_free(groups);
}

static void a_group_called_other(void **state)
{
	struct process_table table = { 0 };
	struct groups *groups = groups_new(3);
	size_t folded;

	(void)state;
	add(&table, "other", 1000);
	add(&table, "b", 900);
	add(&table, "c", 2);
	add(&table, "d", 1);
	groups_sum(groups, &table, &snapshot, &folded);
	assert_int_equal(snapshot.count, 2);
	assert_int_equal(find("other")->value[GROUP_processes], 3);
	process_table_free(&table);
	groups_free(groups);
}

static void the_limit_of_series(void **state)
{
	(void)state;
	assert_true(GROUPS_MAX <= 64);
	assert_true(GROUPS_MAX * (GROUP_NUMBERS - GROUP_NUMBERS_USAGE) + SERIES_OTHERS_MAX <= 1200);
	assert_true(GROUPS_MAX_USAGE * GROUP_NUMBERS + SERIES_OTHERS_MAX <= 1200);
	assert_int_equal(GROUP_NUMBERS - GROUP_NUMBERS_USAGE, GROUP_pss_bytes);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("numbers are added, or the largest counts, or the oldest", sums_and_maxima),
		CASE("a group that ended disappears", ended_groups_disappear),
		CASE("where there is no place for all, the lightest are one group", the_lightest_are_folded),
		CASE("a group that calls itself other is a part of it", a_group_called_other),
		CASE("64 groups and 1200 series at most", the_limit_of_series),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
