/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/remote/targets.h"

#include <errno.h>

struct wire_request targets_request(const struct vmad_caller *caller, const struct opener_target *targets, size_t count,
				    struct wire_target wanted[static OPENER_BATCH])
{
	wanted[0] = (struct wire_target){ 0 };
	for (size_t i = 0; i < count; i++)
		wanted[i] = (struct wire_target){ targets[i].pid, targets[i].want, targets[i].only_if.index,
						  targets[i].only_if.mask, targets[i].only_if.value };
	return (struct wire_request){ .operation = WIRE_OPEN, .caller = caller->handle,
				      .bytes = (uint32_t)(count * sizeof(*wanted)) };
}

/* In the order that they were asked for; the descriptors stand in the same order. */
int targets_take(struct channel *channel, struct opener_target *targets, size_t count)
{
	const int32_t *codes = (const int32_t *)channel->payload.data;
	size_t wanted = 0, opened = 0;

	for (size_t i = 0; i < count; i++)
		wanted += (size_t)__builtin_popcount(targets[i].want);
	for (size_t i = 0; i < channel->payload.len / sizeof(*codes); i++) {
		if (codes[i] > 0)
			return -EPROTO;
		opened += codes[i] == 0;
	}
	if (channel->payload.len != wanted * sizeof(*codes) || opened != channel->fds.count)
		return -EPROTO;
	opened = 0;
	for (size_t i = 0; i < count; i++) {
		for (int file = 0; file < OPENER_FILES; file++) {
			targets[i].fd[file] = -EBADF;
			if (targets[i].want & OPENER_WANT(file)) {
				targets[i].fd[file] = *codes ? *codes : channel->fds.fd[opened++];
				codes++;
			}
		}
	}
	channel->fds.count = 0;
	return 0;
}
