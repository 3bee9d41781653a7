/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/target.h"

#include <errno.h>

/* The first file that could not be opened decides: without maps there is no answer. */
static int first_failure(const struct opener_target *files, struct vmad_error *err)
{
	for (int file = 0; file < OPENER_FILES; file++) {
		if (files->want & OPENER_WANT(file) && files->fd[file] < 0)
			return vmad_fail(err, -files->fd[file], files->pid, opener_file_name(file), "open");
	}
	return 0;
}

int target_open(struct opener *opener, const struct vmad_caller *caller, pid_t pid, unsigned want, uint64_t start_time_ticks,
		struct target *ret_target, struct vmad_error *err)
{
	struct target target = { .files = { .pid = pid, .want = want | OPENER_WANT(OPENER_STAT) } };
	int r = opener_open(opener, caller, &target.files, 1, err);

	if (r < 0)
		return r;
	r = first_failure(&target.files, err);
	if (r == 0)
		r = stat_read(target.files.fd[OPENER_STAT], &target.facts, err);
	if (r == 0 && start_time_ticks && start_time_ticks != target.facts.start_time_ticks)
		r = vmad_fail(err, ESTALE, pid, "stat", "compare");
	if (r < 0) {
		opener_target_close(&target.files);
		return r;
	}
	*ret_target = target;
	return 0;
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
	return target->facts.flags & STAT_PF_KTHREAD || target->facts.state == 'Z' || target->facts.state == 'X';
}

struct vmad_target target_record(const struct target *target)
{
	return (struct vmad_target){
		.pid = target->files.pid,
		.start_time_ticks = target->facts.start_time_ticks,
		.comm = { target->facts.comm, target->facts.comm_len },
	};
}
