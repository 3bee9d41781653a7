/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fold: what is a number of one instance in a name becomes `*`: template instances, sessions, uids of pods and of users,
 * ids of containers, pids. So that names are those of groups, there are few of them, and they stay the same.
 */
#ifndef SAMPLER_FOLD_H
#define SAMPLER_FOLD_H

#include "sampler/snapshot.h"
#include "vmad/records.h"

/*
 * Writes the folded name, NUL-terminated, without control characters or bad UTF-8; cut, with `*` at its end, where it is
 * too long.
 */
void fold_name(struct vmad_str name, char to[static GROUP_NAME_MAX]);

#endif
