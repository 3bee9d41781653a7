/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/caller/caller.h"

#include <stdlib.h>
#include <string.h>

_Bool vmad_caller_equal(const struct vmad_caller *a, const struct vmad_caller *b)
{
	return a->class == b->class && a->uid == b->uid && a->gid == b->gid && a->group_count == b->group_count &&
	       (a->group_count == 0 || memcmp(a->groups, b->groups, a->group_count * sizeof(a->groups[0])) == 0);
}

struct vmad_caller *caller_new(size_t group_count)
{
	struct vmad_caller *caller = calloc(1, sizeof(*caller) + group_count * sizeof(caller->groups[0]));

	if (caller)
		caller->group_count = group_count;
	return caller;
}

struct vmad_caller *caller_copy(const struct vmad_caller *caller)
{
	struct vmad_caller *copy = caller_new(caller->group_count);

	if (copy)
		memcpy(copy, caller, sizeof(*caller) + caller->group_count * sizeof(caller->groups[0]));
	return copy;
}
