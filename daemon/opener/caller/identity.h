/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identity: takes on a caller's identity in the calling thread, and in no other: raw system calls, because glibc's
 * wrappers change all threads of the process (nptl(7)).
 *
 * What the kernel judges procfs by: fsuid, fsgid, groups, and the effective capabilities (PTRACE_MODE_READ_FSCREDS);
 * and, for processes in other user namespaces, euid. The permitted set is never given up, so that the next identity can
 * be taken on.
 */
#ifndef OPENER_IDENTITY_H
#define OPENER_IDENTITY_H

#include <stdbool.h>

#include "vmad/caller.h"

/*
 * May the calling thread take on other identities at all? As root with the capabilities for it; not as an ordinary
 * user.
 */
bool identity_can_change(void);

/* A thread's identity. All zero: none is taken on yet. */
struct identity {
	struct vmad_caller *now;
};

/*
 * After 0 the thread acts as the caller, verified. A caller of class VMAD_CALLER_ROOT keeps the opener's capabilities
 * effective; any other has none. Negative errno: the thread's identity is undefined, and nothing may be opened with it.
 */
int identity_take(struct identity *identity, const struct vmad_caller *caller);

void identity_clear(struct identity *identity);

/* The opener's own: root, with the opener's capabilities. */
const struct vmad_caller *identity_own(void);

#endif
