/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A caller: the whole identity that vmad acts for. It keys every cache, quota and single flight, and it is what the
 * opener takes on before it opens a file. See credentials(7), and SO_PEERCRED and SO_PEERGROUPS in unix(7).
 */
#ifndef VMAD_CALLER_H
#define VMAD_CALLER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum vmad_caller_class {
	VMAD_CALLER_ANONYMOUS,	/* TCP without a token: no identity, no process is opened for it */
	VMAD_CALLER_USER,	/* acts without any capability */
	VMAD_CALLER_ROOT,	/* uid 0: acts with the opener's capabilities */
};

/* Groups that a caller may have; a peer with more is refused, not cut short (the kernel allows 65536). */
#define VMAD_CALLER_GROUPS_MAX 1024

struct vmad_caller {
	uint64_t handle;	/* the opener's own, for as long as the client is connected; no part of the identity */
	unsigned life;		/* of the opener whose it is (opener_knows()); no part of the identity, either */
	enum vmad_caller_class class;
	uid_t uid;
	gid_t gid;
	size_t group_count;
	gid_t groups[];		/* supplementary, ascending, without repeats */
};

/* Same identity in every part? */
_Bool vmad_caller_equal(const struct vmad_caller *a, const struct vmad_caller *b);

#endif
