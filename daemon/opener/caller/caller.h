/* SPDX-License-Identifier: GPL-2.0-or-later */
/* caller: copies of identities. struct vmad_caller itself is in vmad/caller.h. */
#ifndef OPENER_CALLER_H
#define OPENER_CALLER_H

#include "vmad/caller.h"

/* A caller with room for so many groups, all zero but group_count; the caller's to free(). NULL: no memory. */
struct vmad_caller *caller_new(size_t group_count);
struct vmad_caller *caller_copy(const struct vmad_caller *caller);

#endif
