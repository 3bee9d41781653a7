/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intruder: a library that is loaded before vmad's others, and makes one system call in the very thread that the test
 * signals, as somebody would who has taken that thread over. Which one, and what came of it, stands in a page that
 * VMAD_INTRUDER names; tests/live/confined.py knows it, too, and asks intruder_name() for what there is.
 *
 * The arguments are ones that do no harm where nothing stops them, and most of which the kernel answers with another
 * errno than a filter's EPERM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL SIGUSR2

struct page {
	_Atomic int32_t call;		/* its place in calls */
	_Atomic int32_t entered, returned;
	_Atomic int64_t result;		/* as the kernel gives it: a negative errno where it failed */
};

static struct page *page;
static const char path[] = "/tmp/vmad-intruder";

#define P(pointer) ((long)(intptr_t)(pointer))
#define CALL(name, ...) { #name, SYS_##name, { __VA_ARGS__ } }
#define I386_GETPID -1			/* through the door of another architecture, whose numbers mean other calls */

static const struct {
	const char *name;
	long number, args[6];
} calls[] = {
	/* allowed to all */
	CALL(getpid), CALL(gettid),
	/* what ends the process */
	CALL(execve, 0, 0, 0), CALL(execveat, -1, 0, 0, 0, 0), CALL(clone, SIGCHLD, 0, 0, 0, 0),
	CALL(ptrace, PTRACE_ATTACH, -1, 0, 0), CALL(process_vm_readv, -1, 0, 0, 0, 0, 0),
	CALL(process_vm_writev, -1, 0, 0, 0, 0, 0), CALL(process_madvise, -1, 0, 0, 0, 0), CALL(pidfd_getfd, -1, -1, 0),
	CALL(kill, 0x7fffffff, 0), CALL(tkill, 0x7fffffff, 0), CALL(bind, -1, 0, 0), CALL(connect, -1, 0, 0),
	CALL(unshare, CLONE_NEWUSER), { "unshare of more", SYS_unshare, { CLONE_FS | CLONE_FILES } },
	CALL(setns, -1, 0), CALL(mount, 0, 0, 0, 0, 0), CALL(umount2, 0, 0),
	CALL(pivot_root, 0, 0), CALL(chroot, 0), CALL(move_mount, -1, 0, -1, 0, 0), CALL(fsopen, 0, 0),
	CALL(open_tree, -1, 0, 0), CALL(bpf, -1, 0, 0), CALL(perf_event_open, 0, -1, -1, -1, 0), CALL(userfaultfd, -1),
	CALL(io_uring_setup, 1, 0), CALL(keyctl, -1, 0, 0, 0, 0), CALL(add_key, 0, 0, 0, 0, 0),
	CALL(request_key, 0, 0, 0, 0), CALL(init_module, 0, 0, 0), CALL(finit_module, -1, 0, 0), CALL(delete_module, 0, 0),
	CALL(kexec_load, 0, 0, 0, -1), CALL(reboot, 0, 0, 0, 0), CALL(sethostname, 0, -1), CALL(clock_settime, -1, 0),
	CALL(mknodat, -1, 0, 0, 0), CALL(fchmod, -1, 0), CALL(fchmodat, -1, 0, 0), CALL(fchown, -1, 0, 0),
	CALL(fchownat, -1, 0, 0, 0, 0), CALL(linkat, -1, 0, -1, 0, 0), CALL(symlinkat, 0, -1, 0),
	CALL(renameat2, -1, 0, -1, 0, 0), CALL(name_to_handle_at, -1, 0, 0, 0, 0), CALL(open_by_handle_at, -1, 0, 0),
#ifdef __x86_64__
	{ "i386", I386_GETPID, { 0 } },
#endif
	/* what is refused */
	{ "open to write", SYS_openat, { AT_FDCWD, P("/dev/null"), O_WRONLY, 0 } },
	{ "open to read and write", SYS_openat, { AT_FDCWD, P("/dev/null"), O_RDWR, 0 } },
	{ "open to make", SYS_openat, { AT_FDCWD, P(path), O_RDONLY | O_CREAT | O_EXCL, 0600 } },
	{ "open to cut", SYS_openat, { AT_FDCWD, P("/dev/null"), O_RDONLY | O_TRUNC, 0 } },
	CALL(unlinkat, -1, 0, 0), CALL(mkdirat, -1, 0, 0), CALL(truncate, 0, 0), CALL(ftruncate, -1, 0),
	CALL(fallocate, -1, 0, 0, 0), CALL(memfd_create, 0, 0),
	{ "memory with code", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
	{ "code in memory", SYS_mprotect, { 0, 0, PROT_READ | PROT_EXEC } },
	{ "a TCP socket", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "a Unix socket to connect", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "to make others give way", SYS_setpriority, { PRIO_USER, 0x7fffffff, 0 } },
	{ "a netlink socket", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
	CALL(listen, -1, 0),
	{ "a character into the terminal", SYS_ioctl, { -1, TIOCSTI, 0 } },
	{ "to be dumpable", SYS_prctl, { PR_SET_DUMPABLE, 1, 0, 0, 0 } },
	{ "to have names for capabilities", SYS_prctl, { PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 0, 0 } },
	CALL(seccomp, 2, 0, 0), CALL(setsid), CALL(setpgid, -1, -1), CALL(inotify_init1, -1),
	CALL(timer_create, -1, 0, 0), CALL(shmget, 0, 0, 0), CALL(msgget, 0, 0), CALL(personality, 0xffffffff),
	CALL(landlock_create_ruleset, 0, 0, 1), CALL(waitid, -1, 0, 0, 0, 0),
	/* what the opener may */
	CALL(setresuid, -1, -1, -1), CALL(setresgid, -1, -1, -1), CALL(setfsuid, -1), CALL(capget, 0, 0), CALL(capset, 0, 0),
	CALL(openat2, -1, 0, 0, 0), CALL(kcmp, 0x7fffffff, 0x7fffffff, 0, 0, 0), CALL(pidfd_open, -1, 0),
	CALL(chdir, 0), CALL(fchdir, -1),
	/* what it may, and ends the others */
	{ "a directory of its own", SYS_unshare, { CLONE_FS } },
	/* what it may where it comes to its worker */
	{ "a socket to the worker", SYS_socket, { AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0 } },
	/* what the worker may */
	CALL(accept4, -1, 0, 0, 0), CALL(sendfile, -1, -1, 0, 0), CALL(shutdown, -1, 0),
	{ "a datagram socket", SYS_socket, { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0 } },
	{ "to give way", SYS_setpriority, { PRIO_PROCESS, 0, 19 } },
};

const char *intruder_name(unsigned i)
{
	return i < sizeof(calls) / sizeof(calls[0]) ? calls[i].name : NULL;
}

#ifdef __x86_64__
static long by_i386(void)
{
	long result = 20;	/* its getpid */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result;
}
#else
static long by_i386(void)
{
	return -ENOSYS;
}
#endif

static long make(unsigned i)
{
	const long *args = calls[i].args;
	long result;

	if (calls[i].number == I386_GETPID)
		return by_i386();
	result = syscall(calls[i].number, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (calls[i].number == SYS_clone && result == 0)
		_exit(0);	/* nothing has stopped it: it is the child */
	return result < 0 ? -errno : result;
}

static void on_signal(int signal_number)
{
	int before = errno;

	(void)signal_number;
	atomic_store(&page->entered, (int32_t)gettid());
	atomic_store(&page->result, make((unsigned)atomic_load(&page->call)));
	atomic_store(&page->returned, 1);
	errno = before;
}

__attribute__((constructor)) static void begin(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	const char *name = getenv("VMAD_INTRUDER");
	int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;

	if (!name)
		return;		/* loaded only to be asked for names */
	page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED || sigaction(SIGNAL, &action, NULL) < 0)
		abort();
	close(fd);
}
