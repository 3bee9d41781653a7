/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/process.h"

#include <stdlib.h>

void process_table_free(struct process_table *table)
{
	free(table->list);
	*table = (struct process_table){ 0 };
}

struct process *process_table_add(struct process_table *table, pid_t pid)
{
	struct process *process;

	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 256;
		struct process *list = realloc(table->list, room * sizeof(*list));

		if (!list)
			return NULL;
		table->list = list;
		table->room = room;
	}
	process = &table->list[table->count++];
	*process = (struct process){ .pid = pid };
	return process;
}

static int by_pid(const void *key, const void *element)
{
	pid_t pid = *(const pid_t *)key, other = ((const struct process *)element)->pid;

	return (pid > other) - (pid < other);
}

struct process *process_table_find(const struct process_table *table, pid_t pid)
{
	if (!table->count)
		return NULL;
	return bsearch(&pid, table->list, table->count, sizeof(*table->list), by_pid);
}
