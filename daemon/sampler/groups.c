/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct group {
	struct snapshot_group sum;
	uint64_t score;
};

struct groups {
	size_t most;
	struct group *list;		/* of this time, in the order of their names while they are summed up */
	size_t count, room;
	char (*shown)[GROUP_NAME_MAX];	/* last time, in order */
	size_t shown_count;
};

enum how { HOW_SUM, HOW_MAX, HOW_SHARE, HOW_AGE };

static const enum how hows[GROUP_NUMBERS] = {
#define GROUP(id, name, labels, how, need, help) [GROUP_##id] = HOW_##how,
#define HOST(id, name, type, labels, help)
#define OWN(id, name, type, labels, help)
#include "vmad/metrics.def"
#undef GROUP
#undef HOST
#undef OWN
};

struct groups *groups_new(size_t most)
{
	struct groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return NULL;
	groups->most = most < GROUPS_MAX ? most : GROUPS_MAX;
	groups->shown = calloc(GROUPS_MAX, sizeof(*groups->shown));
	if (!groups->shown) {
		free(groups);
		return NULL;
	}
	return groups;
}

void groups_free(struct groups *groups)
{
	if (!groups)
		return;
	free(groups->shown);
	free(groups->list);
	free(groups);
}

static uint64_t combine(enum how how, uint64_t a, uint64_t b)
{
	switch (how) {
	case HOW_SUM:
		return a + b;
	case HOW_MAX:
	case HOW_SHARE:
		return a > b ? a : b;
	case HOW_AGE:
		return a < b ? a : b;
	}
	return 0;
}

static void add_numbers(struct group_numbers *to, const struct group_numbers *from)
{
	for (int id = 0; id < GROUP_NUMBERS; id++) {
		if (!(from->known & KNOWN(id)))
			continue;
		to->value[id] = to->known & KNOWN(id) ? combine(hows[id], to->value[id], from->value[id]) : from->value[id];
		to->known |= KNOWN(id);
	}
}

/* Its place in the order of names, or where it would stand. */
static size_t find_place(const struct groups *groups, const char *name, bool *ret_there)
{
	size_t low = 0, high = groups->count;

	*ret_there = false;
	while (low < high && !*ret_there) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, groups->list[middle].sum.name);

		*ret_there = order == 0;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

static struct group *find_or_add(struct groups *groups, const char *name)
{
	bool there;
	size_t place = find_place(groups, name, &there);

	if (there)
		return &groups->list[place];
	if (groups->count == groups->room) {
		size_t room = groups->room ? groups->room * 2 : 64;
		struct group *list = realloc(groups->list, room * sizeof(*list));

		if (!list)
			return NULL;
		groups->list = list;
		groups->room = room;
	}
	memmove(&groups->list[place + 1], &groups->list[place], (groups->count - place) * sizeof(*groups->list));
	groups->count++;
	memset(&groups->list[place], 0, sizeof(*groups->list));
	memcpy(groups->list[place].sum.name, name, GROUP_NAME_MAX);
	return &groups->list[place];
}

static int sum_up(struct groups *groups, const struct process_table *table)
{
	groups->count = 0;
	for (size_t i = 0; i < table->count; i++) {
		struct group *group;

		if (!table->list[i].counted)
			continue;
		group = find_or_add(groups, table->list[i].group);
		if (!group)
			return -ENOMEM;
		add_numbers(&group->sum.numbers, &table->list[i].numbers);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool was_shown(const struct groups *groups, const char *name)
{
	return groups->shown_count &&
	       bsearch(name, groups->shown, groups->shown_count, sizeof(*groups->shown), by_name);
}

/* What a group weighs: its resident memory, and twice that where it has been shown, lest two change places for ever. */
static void weigh(const struct groups *groups, struct group *group)
{
	const uint64_t *value = group->sum.numbers.value;

	group->score = value[GROUP_resident_anon] + value[GROUP_resident_file] + value[GROUP_resident_shmem] +
		       value[GROUP_processes];
	if (was_shown(groups, group->sum.name))
		group->score *= 2;
}

static int heaviest_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return strcmp(x->sum.name, y->sum.name);
}

/* Those that there is no place for become one, at the end of the list. Returns how many there were. */
static size_t fold_light(struct groups *groups)
{
	size_t kept = groups->most - 1, folded = groups->count - kept;
	struct group *other = &groups->list[kept];

	qsort(groups->list, groups->count, sizeof(*groups->list), heaviest_first);
	for (size_t i = kept + 1; i < groups->count; i++)
		add_numbers(&other->sum.numbers, &groups->list[i].sum.numbers);
	memset(other->sum.name, 0, GROUP_NAME_MAX);
	memcpy(other->sum.name, GROUP_OTHER, sizeof(GROUP_OTHER));
	groups->count = groups->most;
	return folded;
}

/* A group that is itself called as the one of all others is a part of it. */
static void merge_namesakes(struct groups *groups)
{
	struct group *other = &groups->list[groups->count - 1];

	for (size_t i = 0; i + 1 < groups->count; i++) {
		if (strcmp(groups->list[i].sum.name, GROUP_OTHER))
			continue;
		add_numbers(&groups->list[i].sum.numbers, &other->sum.numbers);
		groups->count--;
	}
}

int groups_sum(struct groups *groups, const struct process_table *table, struct snapshot *snapshot, size_t *ret_folded)
{
	int r = sum_up(groups, table);

	if (r < 0)
		return r;
	*ret_folded = 0;
	if (groups->count > groups->most) {
		for (size_t i = 0; i < groups->count; i++)
			weigh(groups, &groups->list[i]);
		*ret_folded = fold_light(groups);
		merge_namesakes(groups);
	}
	snapshot->count = (uint32_t)groups->count;
	for (size_t i = 0; i < groups->count; i++)
		snapshot->groups[i] = groups->list[i].sum;
	qsort(snapshot->groups, groups->count, sizeof(*snapshot->groups), by_name);
	groups->shown_count = groups->count;
	for (size_t i = 0; i < groups->count; i++)
		memcpy(groups->shown[i], snapshot->groups[i].name, GROUP_NAME_MAX);
	return 0;
}
