/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapping_set_settle(): whose each place of a set is. */
#include "model/mapping_set.h"

#include <errno.h>
#include <stdlib.h>

#include "model/mapping_marks.h"
#include "model/sort.h"

static int by_pid_newest_first(const void *a, const void *b)
{
	const struct mapping_process *x = a, *y = b;

	if (x->files.pid != y->files.pid)
		return x->files.pid < y->files.pid ? -1 : 1;
	return (x->kept < y->kept) - (x->kept > y->kept);
}

static void sort_processes(struct mapping_set *set)
{
	sort_unless_sorted(set->processes, set->process_count, sizeof(*set->processes), by_pid_newest_first);
}

/* Of what was kept the newest files of each process; older ones, and those of processes without a place, are closed. */
static void drop_older(struct mapping_set *set)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < set->process_count; i++) {
		struct mapping_process *process = &set->processes[i];
		pid_t pid = process->files.pid;
		bool is_older = kept && set->processes[kept - 1].files.pid == pid;

		while (at < set->count && set->places[at].pid < pid)
			at++;
		if (is_older)
			set->processes[kept - 1].is_new = true;
		if (is_older || at == set->count || set->places[at].pid != pid)
			opener_target_close(&process->files);
		else
			set->processes[kept++] = *process;
	}
	set->process_count = kept;
}

/* A process of which nothing is open. */
static struct opener_target unopened(pid_t pid)
{
	struct opener_target files = { .pid = pid };

	opener_target_reset(&files);
	return files;
}

/* Processes that have places, and of which nothing was kept. */
static int add_missing(struct mapping_set *set)
{
	const size_t known = set->process_count;
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; i < set->count && r == 0; i++) {
		struct opener_target files = unopened(set->places[i].pid);

		while (at < known && set->processes[at].files.pid < files.pid)
			at++;
		if ((at == known || set->processes[at].files.pid != files.pid) &&
		    (i == 0 || set->places[i - 1].pid != files.pid))
			r = mapping_set_keep(set, &files);
	}
	return r;
}

/* Makes the set's processes those of its places, which are in order: each once. */
static int list_processes(struct mapping_set *set)
{
	size_t process = 0;
	int r;

	sort_processes(set);
	drop_older(set);
	r = add_missing(set);
	if (r < 0)
		return r;
	sort_processes(set);
	for (size_t i = 0; i < set->count; i++) {
		process += set->processes[process].files.pid != set->places[i].pid;
		set->places[i].process = process;
	}
	return 0;
}

/* Processes that no mark tells apart: what kcmp says of them, and their files, opened anew. */
struct untold {
	size_t count;
	size_t *process;		/* in the set's */
	size_t *group;			/* in these */
	pid_t *pid;
	struct opener_target *files;
	struct opener *opener;
	const struct vmad_caller *caller;
};

static void free_untold(struct untold *untold)
{
	free(untold->process);
	free(untold->group);
	free(untold->pid);
	free(untold->files);
}

static int list_untold(const struct mapping_set *set, struct untold *untold)
{
	size_t count = set->process_count;

	untold->process = calloc(count, sizeof(*untold->process));
	untold->group = calloc(count, sizeof(*untold->group));
	untold->pid = calloc(count, sizeof(*untold->pid));
	untold->files = calloc(count, sizeof(*untold->files));
	if (!untold->process || !untold->group || !untold->pid || !untold->files)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (set->processes[i].is_told)
			continue;
		untold->process[untold->count] = i;
		untold->pid[untold->count] = set->processes[i].files.pid;
		untold->files[untold->count] = unopened(set->processes[i].files.pid);
		untold->files[untold->count++].want = MAPPING_FILES;
	}
	return 0;
}

static int open_some(struct untold *untold, size_t at, size_t count, struct vmad_error *err)
{
	struct opener_target *files = untold->files + at;
	int r = opener_open_many(untold->opener, untold->caller, files, count, NULL, NULL, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		int fd = files[i].fd[OPENER_PAGEMAP];

		if (fd == -EMFILE || fd == -ENFILE)
			return vmad_fail(err, EMFILE, files[i].pid, "pagemap", "open");
	}
	return r;
}

static int open_anew(struct mapping_set *set, struct untold *untold, struct vmad_error *err)
{
	int r = 0;

	for (size_t i = 0; i < untold->count; i++)
		opener_target_close(&set->processes[untold->process[i]].files);
	for (size_t i = 0; i < untold->count && r == 0; i += OPENER_MANY)
		r = open_some(untold, i, untold->count - i < OPENER_MANY ? untold->count - i : OPENER_MANY, err);
	for (size_t i = 0; i < untold->count; i++) {
		set->processes[untold->process[i]].files = untold->files[i];
		set->processes[untold->process[i]].is_new = true;
	}
	return r;
}

static bool cannot_tell(int code)
{
	return code == -ENOSYS || code == -EAGAIN;
}

/*
 * Where the kernel cannot tell, each process is a group of its own, and the error says that there may be too many of
 * them.
 */
static int ask_kcmp(struct mapping_set *set, struct untold *untold, struct vmad_error *err)
{
	int r = opener_same_mm(untold->opener, untold->caller, untold->pid, untold->count, untold->group, err);

	if (r < 0 && !cannot_tell(r))
		return r;
	for (size_t i = 0; i < untold->count; i++) {
		size_t group = r < 0 ? i : untold->group[i];

		set->processes[untold->process[i]].group = group == OPENER_NO_MM ? group : untold->process[group];
	}
	return r;
}

/* Gives every process a group. */
static int group_processes(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
			   struct vmad_error *err)
{
	struct untold untold = { .opener = opener, .caller = caller };
	int r, opened = 0;

	for (size_t i = 0; i < set->process_count; i++)
		set->processes[i].group = i;
	if (set->told == set->process_count)
		return 0;
	r = list_untold(set, &untold);
	if (r < 0)
		vmad_fail(err, -r, 0, NULL, "allocate");
	else
		r = ask_kcmp(set, &untold, err);
	if (r == 0 || cannot_tell(r))
		opened = open_anew(set, &untold, err);
	free_untold(&untold);
	return opened < 0 ? opened : r;
}

static int by_group_and_address(const void *a, const void *b)
{
	const struct mapping_place *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Gives the places what was learnt about their processes. Those without a group or a pagemap are gone. */
static void spread(struct mapping_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct mapping_place place = set->places[i];
		const struct mapping_process *process = &set->processes[place.process];

		place.group = process->group;
		if (place.group == OPENER_NO_MM || process->files.fd[OPENER_PAGEMAP] < 0 ||
		    (process->is_new && !mapping_set_still_maps(set, &place)))
			continue;
		set->places[kept++] = place;
	}
	set->count = kept;
	sort_unless_sorted(set->places, kept, sizeof(*set->places), by_group_and_address);
	mapping_set_find_first(set);
	for (size_t i = 0; i < set->process_count; i++)
		set->processes[i].is_new = false;
}

int mapping_set_settle(struct mapping_set *set, struct opener *opener, const struct vmad_caller *caller,
		       struct vmad_error *err)
{
	int r;

	if (set->has_moved)
		set->marks_start = 0;	/* whoever changes them so often is told by kcmp */
	set->has_moved = false;
	mapping_set_drop_doubles(set);
	if (!set->count)
		return 0;
	r = list_processes(set);
	if (r == 0)
		r = mapping_marks_tell(set);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "allocate");
	r = group_processes(set, opener, caller, err);
	spread(set);
	return r;
}
