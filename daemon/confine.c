/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "config.h"
#include "vmad/uapi.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
#define OPENER_CAPS                                                                                     \
	(CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_DAC_READ_SEARCH) |               \
	 CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID))
#define KEEPER_CAPS (OPENER_CAPS | CAP_BIT(CAP_SETPCAP))

/* Sanitizers and valgrind make system calls of their own. */
#if defined(WITH_VALGRIND) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FILTERED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define FILTERED 0
#endif
#endif
#ifndef FILTERED
#define FILTERED 1
#endif

/* --- capabilities --- */

/*
 * None but these could come back by an exec. Where whoever starts vmad leaves it no CAP_SETPCAP, the bounds stay as they
 * are: there is no exec, and what is permitted is taken away all the same.
 */
static int bound_caps(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++) {
		if (!(keep & CAP_BIT(cap)) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return errno == EPERM ? 0 : -errno;
	}
	return 0;
}

static int set_caps(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct half[2] = { 0 };
	bool changed = false;

	if (syscall(SYS_capget, &header, half) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		uint32_t kept = half[i].permitted & (uint32_t)(keep >> 32 * i);

		changed |= half[i].permitted != kept || half[i].effective != kept || half[i].inheritable;
		half[i].permitted = half[i].effective = kept;
		half[i].inheritable = 0;
	}
	if (!changed)
		return 0;	/* who starts vmad may have taken the call away, too */
	return syscall(SYS_capset, &header, half) < 0 ? -errno : 0;
}

static int keep_caps(uint64_t keep)
{
	int r = bound_caps(keep);

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return r < 0 ? r : set_caps(keep);
}

/* Nothing is gained by an exec, and nobody reads its memory. */
static int seal(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/*
 * The opener is not left behind by a parent that is killed; then the worker sees the opener end. The kernel lets root
 * signal root alone here, for the parent has no CAP_KILL. Comes after the last change of identity, which would undo it.
 */
static int follow(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

/* --- system calls --- */

/* What any program of threads calls. clone3 cannot be looked into: without it glibc makes threads by clone. */
static const int of_all[] = {
	SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
	SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(fcntl), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(brk),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getcpu), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_getres), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
	SCMP_SYS(tgkill),
};

/* To be somebody else, to open as that one, and to answer for what only takes a look. */
static const int of_opener[] = {
	SCMP_SYS(setgroups), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
	SCMP_SYS(capget), SCMP_SYS(capset), SCMP_SYS(openat2), SCMP_SYS(kcmp), SCMP_SYS(pidfd_open),
	SCMP_SYS(mincore), SCMP_SYS(socketpair), SCMP_SYS(chdir), SCMP_SYS(fchdir),
};

/* To talk to clients over sockets that are there already. */
static const int of_worker[] = {
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(sendfile),
	SCMP_SYS(shutdown), SCMP_SYS(getpeername), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(dup),
	SCMP_SYS(preadv), SCMP_SYS(readv), SCMP_SYS(getpriority),
};

/* What nothing here ever does, unless it was taken over. */
static const int of_intruders[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(bind), SCMP_SYS(setns),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(move_mount),
	SCMP_SYS(fsopen), SCMP_SYS(open_tree), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(reboot), SCMP_SYS(sethostname), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(mknodat),
	SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
	SCMP_SYS(linkat), SCMP_SYS(symlinkat), SCMP_SYS(renameat2), SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at),
};

#define SOCKET_TYPE_MASK 0xf	/* what is above are flags (include/linux/net.h) */

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* One that this libseccomp or this machine does not know (EDOM and the like) needs no rule. */
static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = calls[i] < 0 ? 0 : seccomp_rule_add(filter, action, calls[i], 0);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Threads, not processes; memory, but no code; files for reading. */
static int add_looked_into(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return r;
}

/* Threads have names; procfs answers questions by ioctl: PROCMAP_QUERY and PAGEMAP_SCAN, both of the letter 'f'. */
static int add_reader(scmp_filter_ctx filter)
{
	const uint64_t letter = (uint64_t)_IOC_TYPEMASK << _IOC_TYPESHIFT;
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, letter, (uint64_t)'f' << _IOC_TYPESHIFT));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(unshare), 0);
	return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(connect), 0);
}

/*
 * Threads let others go first, of themselves alone; the helper module answers by ioctl, too; and the journal's library
 * makes a datagram socket for itself.
 */
static int add_worker(scmp_filter_ctx filter)
{
	const uint64_t letter = (uint64_t)_IOC_TYPEMASK << _IOC_TYPESHIFT;
	int r = add_reader(filter);

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 2, SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS),
				     SCMP_A1(SCMP_CMP_EQ, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, letter, (uint64_t)VMADK_TYPE << _IOC_TYPESHIFT));
	return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
					    SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, SOCK_DGRAM));
}

static int load(scmp_filter_ctx filter, const int *own, size_t count, int (*more)(scmp_filter_ctx filter))
{
	/* Another architecture's calls have other numbers. By default only the thread would end, and leave its locks held. */
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (r == 0)
		r = add_all(filter, SCMP_ACT_ALLOW, of_all, COUNT(of_all));
	if (r == 0)
		r = add_all(filter, SCMP_ACT_ALLOW, own, count);
	if (r == 0)
		r = add_all(filter, SCMP_ACT_KILL_PROCESS, of_intruders, COUNT(of_intruders));
	if (r == 0)
		r = add_looked_into(filter);
	if (r == 0)
		r = more(filter);
	return r == 0 ? seccomp_load(filter) : r;
}

static int filter_calls(const int *own, size_t count, int (*more)(scmp_filter_ctx filter))
{
	scmp_filter_ctx filter;
	int r;

	if (!FILTERED)
		return 0;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	r = load(filter, own, count, more);
	seccomp_release(filter);
	return r;
}

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* cachestat may be newer than libseccomp. A thread may have a working directory of its own, but nothing else: no namespace. */
static int add_any_opener(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SYS_cachestat, 0);

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unshare), 1, SCMP_A0(SCMP_CMP_EQ, CLONE_FS));
	return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(unshare), 1,
					    SCMP_A0(SCMP_CMP_NE, CLONE_FS));
}

static int add_opener(scmp_filter_ctx filter)
{
	int r = add_any_opener(filter);

	return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(connect), 0);
}

/*
 * Where it comes to its worker it connects, but by a kind of socket that hardly anybody else listens with; and where that
 * is gone it ends the connections of clients.
 */
static int add_meeting_opener(scmp_filter_ctx filter)
{
	int r = add_any_opener(filter);

	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(shutdown), 0);
	return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
					    SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
					    SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, SOCK_SEQPACKET));
}

/* --- processes --- */

int confine_keeper(void)
{
	int r = keep_caps(KEEPER_CAPS);

	return r < 0 ? r : seal();
}

int confine_opener(pid_t parent, bool connects)
{
	int r = keep_caps(OPENER_CAPS);

	if (r == 0)
		r = seal();
	if (r == 0)
		r = follow(parent);
	return r < 0 ? r : filter_calls(of_opener, COUNT(of_opener), connects ? add_meeting_opener : add_opener);
}

/* Another user, unless it is that one already, without any capability. */
static int become_powerless(uid_t uid, gid_t gid)
{
	int r = bound_caps(0);

	if (r == 0 && geteuid() != uid &&
	    (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	     syscall(SYS_setresuid, uid, uid, uid) < 0))
		r = -errno;
	if (r == 0)
		r = keep_caps(0);
	return r < 0 ? r : seal();
}

int confine_worker(uid_t uid, gid_t gid)
{
	int r = become_powerless(uid, gid);

	return r < 0 ? r : filter_calls(of_worker, COUNT(of_worker), add_worker);
}

int confine_sampler(uid_t uid, gid_t gid)
{
	int r = become_powerless(uid, gid);

	return r < 0 ? r : filter_calls(NULL, 0, add_reader);
}
