/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/target.h"

#include <errno.h>

#include "stall/stall.h"

/* Of a question whose target execs meanwhile. */
#define TRIES 10

/* Files that add to an answer which there is without them: captured trees may lack them, and a caller may be refused some. */
#define OPTIONAL (OPENER_WANT(OPENER_STATUS) | OPENER_WANT(OPENER_LIMITS) | OPENER_WANT(OPENER_AUXV))

/* New kernels do not even open the pagemap of a process that has no memory by nature; old ones open an empty one. */
static bool is_no_loss(const struct target *target, int file, int code)
{
	return file == OPENER_PAGEMAP && code == ESRCH && target_has_no_mm(target);
}

/*
 * The first file that could not be opened decides: without maps there is no answer. A living process that lacks a file
 * is none that is gone: this kernel does not have the file (smaps_rollup before 4.14), or who captured the tree did
 * not.
 */
static int first_failure(const struct target *target, bool alive, struct vmad_error *err)
{
	const struct opener_target *files = &target->files;

	for (int file = 0; file < OPENER_FILES; file++) {
		int code = -files->fd[file];

		if (is_no_loss(target, file, code))
			continue;
		if (files->want & ~OPTIONAL & OPENER_WANT(file) && code > 0)
			return vmad_fail(err, code == ENOENT && alive ? EOPNOTSUPP : code, files->pid,
					 opener_file_name(file), "open");
	}
	return 0;
}

static bool is_dead(const struct target *target)
{
	return target->facts.state == 'Z' || target->facts.state == 'X' || target->facts.state == 'x';
}

/* stat is read after everything was opened: the process that it tells of had all those files. */
static int read_stat(struct target *target, struct vmad_error *err)
{
	int fd = target->files.fd[OPENER_STAT];
	int r = fd < 0 ? fd : stat_read(fd, &target->facts, NULL);

	return r < 0 ? vmad_fail(err, -r, target->files.pid, "stat", fd < 0 ? "open" : "read") : 0;
}

/* Those files whose readers wait for the target's mmap_lock. */
#define LOCKED (OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_SMAPS) | OPENER_WANT(OPENER_SMAPS_ROLLUP) | OPENER_WANT(OPENER_PAGEMAP))

/* What the opener opened: is it the process that was asked for, with all that is needed? If not it is closed. */
static int check(struct target *target, uint64_t start_time_ticks, struct vmad_error *err)
{
	int r = read_stat(target, err);

	if (r == 0)
		r = first_failure(target, !is_dead(target), err);
	if (r == 0 && start_time_ticks && start_time_ticks != target->facts.start_time_ticks)
		r = vmad_fail(err, ESTALE, target->files.pid, "stat", "compare");
	/* After the caller was found to be allowed to look: others are told nothing of it. */
	if (r == 0 && target->files.want & LOCKED && stall_is_quarantined(target->files.pid))
		r = vmad_fail(err, ETIMEDOUT, target->files.pid, NULL, "read");
	if (r < 0)
		opener_target_close(&target->files);
	return r;
}

int target_open(struct opener *opener, const struct vmad_caller *caller, pid_t pid, unsigned want,
		uint64_t start_time_ticks, struct target *ret_target, struct vmad_error *err)
{
	struct target target = { .files = { .pid = pid, .want = want | OPENER_WANT(OPENER_STAT) } };
	int r = opener_open(opener, caller, &target.files, 1, err);

	if (r == 0)
		r = check(&target, start_time_ticks, err);
	if (r < 0)
		return r;
	stall_turn_to(pid);
	*ret_target = target;
	return 0;
}

int target_open_many(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		     unsigned want, struct target *targets, int *codes, struct vmad_error *err)
{
	struct opener_target files[OPENER_BATCH];
	int r;

	for (size_t i = 0; i < count; i++)
		files[i] = (struct opener_target){ .pid = pids[i], .want = want | OPENER_WANT(OPENER_STAT) };
	r = opener_open(opener, caller, files, count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		targets[i] = (struct target){ .files = files[i] };
		codes[i] = check(&targets[i], 0, NULL);
	}
	return r;
}

void target_close(struct target *target)
{
	opener_target_close(&target->files);
}

int target_take(struct target *target, enum opener_file file)
{
	int fd = target->files.fd[file];

	target->files.fd[file] = -EBADF;
	return fd;
}

bool target_has_no_mm(const struct target *target)
{
	return target->facts.flags & STAT_PF_KTHREAD || (is_dead(target) && target->facts.threads <= 1);
}

/* The memory goes before the process does. */
static bool is_ending(const struct target *target)
{
	return target_has_no_mm(target) || (target->facts.flags & STAT_PF_EXITING && target->facts.threads <= 1);
}

bool target_asks_again(struct target_again *again, int *r, struct vmad_error *err)
{
	struct target target;
	bool ending;
	int there;

	if (*r != -ESRCH || opener_is_captured(again->opener))
		return false;
	there = target_open(again->opener, again->caller, again->pid, 0, again->start_time_ticks, &target, err);
	if (there < 0) {
		*r = there;
		return false;
	}
	ending = is_ending(&target);
	target_close(&target);
	if (!ending && ++again->tries < TRIES)
		return true;
	*r = vmad_fail(err, ending ? ESRCH : EBUSY, again->pid, NULL, "read");
	return false;
}

struct vmad_target target_record(const struct target *target)
{
	return (struct vmad_target){
		.pid = target->files.pid,
		.start_time_ticks = target->facts.start_time_ticks,
		.comm = { target->facts.comm, target->facts.comm_len },
	};
}
