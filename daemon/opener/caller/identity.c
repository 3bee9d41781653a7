/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/caller/identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/caller/caller.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* What opening other people's files takes, for root callers. */
#define ROOT_CAPS (CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_DAC_READ_SEARCH))
/* What it takes to become somebody else. */
#define CHANGE_CAPS (CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID))

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int caps_get(struct caps *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct half[2] = { 0 };

	if (syscall(SYS_capget, &header, half) < 0)
		return -errno;
	caps->effective = half[0].effective | (uint64_t)half[1].effective << 32;
	caps->permitted = half[0].permitted | (uint64_t)half[1].permitted << 32;
	caps->inheritable = half[0].inheritable | (uint64_t)half[1].inheritable << 32;
	return 0;
}

static int caps_set(const struct caps *caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct half[2];

	for (int i = 0; i < 2; i++) {
		half[i].effective = (uint32_t)(caps->effective >> 32 * i);
		half[i].permitted = (uint32_t)(caps->permitted >> 32 * i);
		half[i].inheritable = (uint32_t)(caps->inheritable >> 32 * i);
	}
	return syscall(SYS_capset, &header, half) < 0 ? -errno : 0;
}

static int caps_make_effective(struct caps *caps, uint64_t effective)
{
	caps->effective = effective & caps->permitted;
	return caps_set(caps);
}

bool identity_can_change(void)
{
	const uint64_t needed = CHANGE_CAPS | CAP_BIT(CAP_SYS_PTRACE);
	struct caps caps;

	return geteuid() == 0 && caps_get(&caps) == 0 && (caps.permitted & needed) == needed;
}

/*
 * The effective ids, which take the file system's ids along. fsuid alone would be too little: whoever's effective uid
 * owns a user namespace has all capabilities over the processes in it (cap_capable()), so with euid 0 every caller
 * would look into the containers that root made. Real and saved ids stay root's, so that no caller may signal or trace
 * this thread.
 */
static int take_ids(const struct vmad_caller *caller)
{
	const gid_t keep_gid = (gid_t)-1;
	const uid_t keep_uid = (uid_t)-1;

	if (syscall(SYS_setgroups, caller->group_count, caller->groups) < 0 ||
	    syscall(SYS_setresgid, keep_gid, caller->gid, keep_gid) < 0 ||
	    syscall(SYS_setresuid, keep_uid, caller->uid, keep_uid) < 0)
		return -errno;
	return 0;
}

/* setfsuid(2) and setfsgid(2) tell what was before; an id that is none changes nothing. */
static bool has_ids(const struct vmad_caller *caller)
{
	return (uid_t)syscall(SYS_geteuid) == caller->uid && (gid_t)syscall(SYS_getegid) == caller->gid &&
	       (uid_t)syscall(SYS_setfsuid, -1) == caller->uid && (gid_t)syscall(SYS_setfsgid, -1) == caller->gid;
}

/*
 * The ids come before the capabilities: a change of euid moves capabilities by itself, in and out of the effective set.
 */
static int take(const struct vmad_caller *caller)
{
	uint64_t wanted = caller->class == VMAD_CALLER_ROOT ? ROOT_CAPS : 0;
	struct caps caps;
	int r;

	if ((caller->class == VMAD_CALLER_ROOT && caller->uid != 0) || caller->uid == (uid_t)-1 ||
	    caller->gid == (gid_t)-1)
		return -EINVAL;
	r = caps_get(&caps);
	if (r == 0)
		r = caps_make_effective(&caps, CHANGE_CAPS);
	if (r == 0)
		r = take_ids(caller);
	if (r == 0)
		r = caps_make_effective(&caps, wanted);
	if (r == 0)
		r = caps_get(&caps);
	if (r == 0 && (caps.effective != (wanted & caps.permitted) || !has_ids(caller)))
		r = -EPERM;
	return r;
}

int identity_take(struct identity *identity, const struct vmad_caller *caller)
{
	int r;

	if (identity->now && vmad_caller_equal(identity->now, caller))
		return 0;
	identity_clear(identity);
	r = take(caller);
	if (r == 0)
		identity->now = caller_copy(caller);	/* without memory it is taken on anew each time */
	return r == -EPERM ? -EIO : r;	/* EPERM would be the caller's, to whom nothing was refused */
}

void identity_clear(struct identity *identity)
{
	free(identity->now);
	identity->now = NULL;
}

const struct vmad_caller *identity_own(void)
{
	static const struct vmad_caller own = { .class = VMAD_CALLER_ROOT, .uid = 0, .gid = 0, .group_count = 0 };

	return &own;
}
