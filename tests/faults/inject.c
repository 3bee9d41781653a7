// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * inject: a library that is loaded before vmad's others, and makes one call fail: the n-th of its kind, with an errno of
 * the test's choice. What to do is read from a page that the test shares (VMAD_FAULTS names its file), so that one vmad
 * serves many tries; what it counted stands there, too. Only what vmad and its libraries call by name is seen: glibc's
 * own calls inside of itself are not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call {
	CALL_NONE, CALL_MALLOC, CALL_OPEN, CALL_READ, CALL_MMAP, CALL_THREAD, CALL_SEND, CALL_IOCTL, CALL_RECEIVE, CALL_IDENTITY,
	CALL_DIRECTORY,
};

/* The page; tests/faults/faults.py knows it, too. */
struct control {
	_Atomic int32_t call;		/* which calls count */
	_Atomic int32_t error;		/* errno; 0: the call does half of its work; -1: a read of smaps does not come back while this is so, and only those count */
	_Atomic int64_t fail_at;	/* from 1; 0: none; -n: each n-th */
	_Atomic int64_t count;		/* such calls since the test set this to 0 */
	_Atomic int64_t live;		/* allocations that were not freed, but for libproc2's */
	_Atomic int32_t only;		/* only this process's calls count; 0: those of all */
	_Atomic int32_t lost;		/* allocations that failed in libproc2; see no_memory() */
	_Atomic int64_t kept;		/* allocations of libproc2's that were not freed; they are not among live */
};

static struct control nowhere, *control = &nowhere;

/* Where libproc2 is. */
static uintptr_t proc2_begin, proc2_end;

static int note_proc2(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (!strstr(info->dlpi_name, "/libproc2."))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
			continue;
		proc2_begin = begin;
		proc2_end = begin + info->dlpi_phdr[i].p_memsz;
	}
	return 1;
}

static bool is_proc2(const void *caller)
{
	return (uintptr_t)caller >= proc2_begin && (uintptr_t)caller < proc2_end;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("VMAD_FAULTS");
	int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	void *(*real_mmap)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
	int fd = path ? real_open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page = fd < 0 ? MAP_FAILED : real_mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		abort();
	close(fd);
	atomic_store(&((struct control *)page)->live, atomic_load(&nowhere.live));
	dl_iterate_phdr(note_proc2, NULL);
	control = page;
}

/* How deep this thread is in what does not live through a fault; see getpwnam(). */
static __thread int spared __attribute__((tls_model("initial-exec")));

/* Is this call the one? */
static bool is_due(enum call call)
{
	int32_t only;
	int64_t nth, fail_at;

	if (atomic_load_explicit(&control->call, memory_order_relaxed) != (int32_t)call)
		return false;
	only = atomic_load(&control->only);
	if (spared || (only && only != getpid()))
		return false;
	nth = atomic_fetch_add(&control->count, 1) + 1;
	fail_at = atomic_load(&control->fail_at);
	return fail_at < 0 ? nth % -fail_at == 0 : nth == fail_at;
}

static bool fails(enum call call)
{
	if (!is_due(call))
		return false;
	errno = atomic_load(&control->error);
	return true;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

/*
 * What libproc2 has is counted apart: it keeps memory for as many processes as it has seen at once, so that what is live would depend on
 * how many there were on the host. Each block of it is remembered here, as who frees one need not be who made it.
 */
#define BUCKETS 4096
#define BUCKET_SLOTS 16

static void *_Atomic blocks[BUCKETS][BUCKET_SLOTS];

/* Puts `to` in the place of `from` in the block's bucket. False: `from` is not there. */
static bool exchange(const void *block, void *from, void *to)
{
	void *_Atomic *bucket = blocks[((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 52];

	for (int i = 0; i < BUCKET_SLOTS; i++) {
		void *found = from;

		if (atomic_load_explicit(&bucket[i], memory_order_relaxed) == from && atomic_compare_exchange_strong(&bucket[i], &found, to))
			return true;
	}
	return false;
}

static void *counted(void *p, const void *caller)
{
	if (p)
		atomic_fetch_add(is_proc2(caller) && exchange(p, NULL, p) ? &control->kept : &control->live, 1);
	return p;
}

/* Whose was it? */
static _Atomic int64_t *uncounted(void *p)
{
	_Atomic int64_t *count = exchange(p, p, NULL) ? &control->kept : &control->live;

	atomic_fetch_sub(count, 1);
	return count;
}

/* Is this call of malloc() or the like the one? libproc2 (4.0.2) then loses what it had of that process. */
static bool no_memory(void *caller)
{
	Dl_info library;

	if (!fails(CALL_MALLOC))
		return false;
	if (dladdr(caller, &library) && library.dli_fname && strstr(library.dli_fname, "/libseccomp."))
		return false;	/* 2.5.4 goes round in a circle for ever */
	if (is_proc2(caller))
		atomic_fetch_add(&control->lost, 1);
	errno = ENOMEM;
	return true;
}

static void *allocate(size_t size, void *caller)
{
	return no_memory(caller) ? NULL : counted(__libc_malloc(size), caller);
}

void *malloc(size_t size)
{
	return allocate(size, __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
	return no_memory(__builtin_return_address(0)) ? NULL : counted(__libc_calloc(count, size), __builtin_return_address(0));
}

char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = allocate(size, __builtin_return_address(0));

	return copy ? memcpy(copy, text, size) : NULL;
}

/* A block stays whose it was. */
void *realloc(void *p, size_t size)
{
	_Atomic int64_t *count;
	void *moved;

	if (no_memory(__builtin_return_address(0)))
		return NULL;
	if (!p)
		return counted(__libc_realloc(p, size), __builtin_return_address(0));
	count = uncounted(p);
	moved = __libc_realloc(p, size);
	if (!moved && !size)
		return NULL;
	if (count == &control->kept && !exchange(moved ? moved : p, NULL, moved ? moved : p))
		count = &control->live;
	atomic_fetch_add(count, 1);
	return moved;
}

void *memalign(size_t align, size_t size)
{
	return fails(CALL_MALLOC) ? NULL : counted(__libc_memalign(align, size), __builtin_return_address(0));
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
	*ret = memalign(align, size);
	return *ret ? 0 : ENOMEM;
}

void free(void *p)
{
	if (p)
		uncounted(p);
	__libc_free(p);
}

/* The next library's function of this name, found once. */
#define REAL(name) ({ \
	static __typeof__(&name) real; \
	__typeof__(&name) found = __atomic_load_n(&real, __ATOMIC_RELAXED); \
	if (!found) { \
		found = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
		__atomic_store_n(&real, found, __ATOMIC_RELAXED); \
	} \
	found; \
})

/* glibc 2.36 ends by SIGSEGV where it has no memory at the first name that it looks up (nss_database_check_reload_and_get()). */
#define SPARED(type, name, arg_type) \
type name(arg_type arg) \
{ \
	type found; \
	spared++; \
	found = REAL(name)(arg); \
	spared--; \
	return found; \
}

SPARED(struct passwd *, getpwnam, const char *)
SPARED(struct passwd *, getpwuid, uid_t)
SPARED(struct group *, getgrnam, const char *)
SPARED(struct group *, getgrgid, gid_t)

#define MODE_OF(flags) ({ \
	mode_t mode = 0; \
	if ((flags) & (O_CREAT | O_TMPFILE)) { \
		va_list list; \
		va_start(list, flags); \
		mode = va_arg(list, mode_t); \
		va_end(list); \
	} \
	mode; \
})

int open(const char *path, int flags, ...)
{
	return fails(CALL_OPEN) ? -1 : REAL(open)(path, flags, MODE_OF(flags));
}

int openat(int at, const char *path, int flags, ...)
{
	return fails(CALL_OPEN) ? -1 : REAL(openat)(at, path, flags, MODE_OF(flags));
}

FILE *fopen(const char *path, const char *mode)
{
	return fails(CALL_OPEN) ? NULL : REAL(fopen)(path, mode);
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	return fails(CALL_OPEN) ? -1 : REAL(accept4)(fd, address, len, flags);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
	return fails(CALL_OPEN) ? -1 : REAL(socketpair)(domain, type, protocol, ends);
}

int pipe2(int ends[2], int flags)
{
	return fails(CALL_OPEN) ? -1 : REAL(pipe2)(ends, flags);
}

int eventfd(unsigned first, int flags)
{
	return fails(CALL_OPEN) ? -1 : REAL(eventfd)(first, flags);
}

int signalfd(int fd, const sigset_t *signals, int flags)
{
	return fails(CALL_OPEN) ? -1 : REAL(signalfd)(fd, signals, flags);
}

/* The commands that give a descriptor, among those that vmad uses. */
int fcntl(int fd, int command, ...)
{
	va_list list;
	void *arg;

	va_start(list, command);
	arg = va_arg(list, void *);
	va_end(list);
	return (command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fails(CALL_OPEN) ? -1 : REAL(fcntl)(fd, command, arg);
}

/* What glibc has no function for, or one that would change all threads. */
static enum call kind_of_syscall(long number)
{
	switch (number) {
	case SYS_openat2:
	case SYS_pidfd_open:
		return CALL_OPEN;
	case SYS_setgroups:
	case SYS_setresuid:
	case SYS_setresgid:
	case SYS_capset:
		return CALL_IDENTITY;
	default:
		return CALL_NONE;
	}
}

long syscall(long number, ...)
{
	enum call call = kind_of_syscall(number);
	long arg[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(list, long);
	va_end(list);
	if (call != CALL_NONE && fails(call))
		return -1;
	return REAL(syscall)(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

DIR *opendir(const char *path)
{
	return fails(CALL_OPEN) ? NULL : REAL(opendir)(path);
}

DIR *fdopendir(int fd)
{
	return fails(CALL_OPEN) ? NULL : REAL(fdopendir)(fd);
}

int unshare(int flags)
{
	return fails(CALL_DIRECTORY) ? -1 : REAL(unshare)(flags);
}

int chdir(const char *path)
{
	return fails(CALL_DIRECTORY) ? -1 : REAL(chdir)(path);
}

int fchdir(int fd)
{
	return fails(CALL_DIRECTORY) ? -1 : REAL(fchdir)(fd);
}

/* Waits as for a lock that nobody gives back, until the test asks for something else. */
static bool waits(void)
{
	if (atomic_load(&control->error) != -1)
		return false;
	while (atomic_load(&control->error) == -1)
		usleep(1000);
	return true;
}

/* What is read of a process with its mmap_lock held. */
static bool is_locked_file(int fd)
{
	char link[64], path[256];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return strstr(path, "/smaps") != NULL;
}

static bool read_is_due(int fd)
{
	return (atomic_load(&control->error) != -1 || is_locked_file(fd)) && is_due(CALL_READ);
}

static bool is_short(size_t *size)
{
	if (waits())
		return true;
	if (atomic_load(&control->error) != 0)
		return false;
	*size = *size > 1 ? *size / 2 : *size;
	return true;
}

ssize_t read(int fd, void *to, size_t size)
{
	return read_is_due(fd) && !is_short(&size) ? (errno = atomic_load(&control->error), -1) : REAL(read)(fd, to, size);
}

ssize_t pread(int fd, void *to, size_t size, off_t at)
{
	return read_is_due(fd) && !is_short(&size) ? (errno = atomic_load(&control->error), -1) :
						       REAL(pread)(fd, to, size, at);
}

/* A directory has ended where errno is as it was. */
struct dirent *readdir(DIR *directory)
{
	int32_t error = atomic_load(&control->error);

	return error > 0 && error != EINTR && is_due(CALL_READ) ? (errno = error, NULL) : REAL(readdir)(directory);
}

ssize_t recv(int fd, void *to, size_t size, int flags)
{
	return is_due(CALL_RECEIVE) && !is_short(&size) ? (errno = atomic_load(&control->error), -1) :
							  REAL(recv)(fd, to, size, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	/* no half of a packet either */
	return is_due(CALL_RECEIVE) && atomic_load(&control->error) ? (errno = atomic_load(&control->error), -1) :
								      REAL(recvmsg)(fd, message, flags);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return fails(CALL_MMAP) ? MAP_FAILED : REAL(mmap)(at, size, prot, flags, fd, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return is_due(CALL_THREAD) ? atomic_load(&control->error) : REAL(pthread_create)(thread, attr, run, arg);
}

ssize_t send(int fd, const void *from, size_t size, int flags)
{
	return is_due(CALL_SEND) && !is_short(&size) ? (errno = atomic_load(&control->error), -1) :
						       REAL(send)(fd, from, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	/* no half of it: it may be a packet, which is sent whole */
	return is_due(CALL_SEND) && atomic_load(&control->error) ? (errno = atomic_load(&control->error), -1) :
								   REAL(sendmsg)(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *from, int count)
{
	return fails(CALL_SEND) ? -1 : REAL(writev)(fd, from, count);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *arg;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	return fails(CALL_IOCTL) ? -1 : REAL(ioctl)(fd, request, arg);
}
