/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * targets: processes whose files are asked for, as WIRE_OPEN has them (wire.h).
 */
#ifndef OPENER_TARGETS_H
#define OPENER_TARGETS_H

#include "opener/remote/channels.h"

/* The request for these, at most OPENER_BATCH of them, with its payload. */
struct wire_request targets_request(const struct vmad_caller *caller, const struct opener_target *targets, size_t count,
				    struct wire_target wanted[static OPENER_BATCH]);

/*
 * Each file's outcome, out of the reply that the channel holds; the descriptors are the targets' from then on. -EPROTO: that
 * is no reply to such a request, and nothing was taken.
 */
int targets_take(struct channel *channel, struct opener_target *targets, size_t count);

#endif
