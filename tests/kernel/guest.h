/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest: what the tests that run in the guest share: cases, children that do as they are told, and memory of every kind. */
#ifndef TESTS_KERNEL_GUEST_H
#define TESTS_KERNEL_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE 4096ul
#define MIB (1024ul * 1024)
#define HUGE (2 * MIB)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A case runs in a process of its own, with a limit of time: what it maps, opens and forks ends with it. */
struct guest_case {
	const char *sentence;
	void (*run)(void);
};

/* Speaks TAP. Returns the number of those that failed. */
int run_cases(const struct guest_case *cases, size_t count);

/* End the case; a diagnosis goes to standard output. */
void fail_at(const char *file, int line, const char *format, ...) __attribute__((noreturn, format(printf, 3, 4)));
void skip_because(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#define must(condition) \
	do { \
		if (!(condition)) \
			fail_at(__FILE__, __LINE__, "not so: %s (errno %m)", #condition); \
	} while (0)

#define must_equal(found, expected) \
	do { \
		long long found_ = (long long)(found), expected_ = (long long)(expected); \
		if (found_ != expected_) \
			fail_at(__FILE__, __LINE__, "%s is %lld (%#llx) instead of %lld (%#llx)", #found, found_, found_, \
				expected_, expected_); \
	} while (0)

/* A child that has run `begin` and waits; child_do() makes it run something more, and returns when that is done. */
struct child {
	pid_t pid;
	int to, from;
};

struct child child_new(void (*begin)(void *arg), void *arg);
/* The function runs in the child, which is a copy of the caller as of child_new(). */
void child_do(const struct child *child, void (*run)(void *arg), void *arg);
void child_end(struct child *child);

/* Another process with our address space (CLONE_VM), which waits until it is killed. */
pid_t twin_new(void);

/* mmap that succeeds. */
char *map(size_t size, int flags, int fd, off_t offset);
/* Private and anonymous, written to from end to end. */
char *map_anon(size_t size);
/* The first address of it that is a multiple of `size` is in a mapping twice as large. */
char *map_aligned(size_t size);

/* A file of /proc or /sys: a number from it, words into it. */
long read_number(const char *path);
bool write_word(const char *path, const char *word);

/* Waits for something, at most ten seconds. */
bool eventually(bool (*holds)(void *arg), void *arg);

/* /proc/PID/pagemap: the frame that is present at an address, or 0. */
uint64_t pfn_of(pid_t pid, const void *address);
uint64_t kpageflags(uint64_t pfn);
uint64_t kpagecount(uint64_t pfn);

/* The programs in one: each returns the number of failures. */
int test_ioctls(void);
int test_vmas(void);
int test_rmap(void);
int test_files(void);
int test_agree(void);
int test_stress(void);
int test_unload(void);
int test_vmad(void);
int test_bench(void);
int test_locks(void);

#endif
