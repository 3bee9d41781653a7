/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/procdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/file/pid_name.h"
#include "opener/file/thread_state.h"
#include "opener/file/workdir.h"

/* Files that tell of the mm. Any thread of the process has it, so where the leader is dead, one that lives shows the same. */
#define MM_FILES (~(OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_COMM)))

/* Those of them that the kernel opens only for who may trace the process: ptrace_may_access(PTRACE_MODE_READ_FSCREDS). */
#define TRACER_FILES (MM_FILES & ~(OPENER_WANT(OPENER_STATUS) | OPENER_WANT(OPENER_LIMITS) | OPENER_WANT(OPENER_CGROUP)))

/* Links of a task directory with one thread: ".", "..", and the thread. */
#define LINKS_OF_ONE_THREAD 3

static int open_at(int dir_fd, const char *path, int flags)
{
	int fd = openat(dir_fd, path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void set_files(struct opener_target *target, unsigned files, int code)
{
	for (int i = 0; i < OPENER_FILES; i++)
		if (files & OPENER_WANT(i))
			target->fd[i] = code;
}

static void open_files(int dir_fd, struct opener_target *target, unsigned files)
{
	for (int i = 0; i < OPENER_FILES; i++)
		if (files & OPENER_WANT(i))
			target->fd[i] = open_at(dir_fd, opener_file_name(i), O_RDONLY);
}

/*
 * A process's directory, to open files from: where the thread is then, or a descriptor. Both stay with the process that had
 * the pid in this moment. A directory that cannot be entered is one to be opened, so that what is said of it is the same.
 */
static int take_directory(const struct procfs *procfs, pid_t pid, int *ret_dir_fd)
{
	char name[16];
	int fd = AT_FDCWD;

	snprintf(name, sizeof(name), "%d", (int)pid);
	if (!workdir_enter(procfs->fd, name)) {
		fd = open_at(procfs->fd, name, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return fd;
	}
	*ret_dir_fd = fd;
	return 0;
}

/* Where the thread is it stays: it goes on from there, or leaves. */
static void give_directory(int dir_fd)
{
	if (dir_fd != AT_FDCWD)
		close(dir_fd);
}

/*
 * Is it a thread of vmad's own (the pid of its leader, or of any other: /proc/TID can be opened too)? The kernel lets a
 * process read itself without looking at credentials. Asked after the directory was opened, so that what was opened is
 * what was judged: a thread that ended meanwhile has no files any more.
 */
static bool is_own(pid_t pid)
{
	return syscall(SYS_tgkill, getpid(), pid, 0) == 0;
}

/* Of the thread whose directory it is; 0: it is gone. */
static char read_state(int dir_fd)
{
	char text[THREAD_STATE_BYTES];
	int fd = open_at(dir_fd, "stat", O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	return thread_state_parse(text, n > 0 ? (size_t)n : 0);
}

/*
 * Has the leader exited while other threads may live? Most processes have one thread only, and procfs tells that
 * cheaply.
 */
static bool leader_is_dead(const struct procfs *procfs, int dir_fd)
{
	struct stat task;

	if (!procfs->captured && (fstatat(dir_fd, "task", &task, 0) < 0 || task.st_nlink <= LINKS_OF_ONE_THREAD))
		return false;
	return thread_state_is_dead(read_state(dir_fd));
}

/* The directory of a thread in tasks that lives, with its number, or a negative errno. */
static int open_living(DIR *tasks, pid_t *ret_tid)
{
	struct dirent *entry;

	while ((entry = readdir(tasks))) {
		pid_t tid = pid_name_parse(entry->d_name);
		int dir_fd;

		if (!tid)
			continue;
		dir_fd = open_at(dirfd(tasks), entry->d_name, O_PATH | O_DIRECTORY);
		if (dir_fd >= 0 && !thread_state_is_dead(read_state(dir_fd))) {
			*ret_tid = tid;
			return dir_fd;
		}
		if (dir_fd >= 0)
			close(dir_fd);
	}
	return -ESRCH;
}

static int open_living_thread(int process_fd, pid_t *ret_tid)
{
	int fd = open_at(process_fd, "task", O_RDONLY | O_DIRECTORY), r;
	DIR *tasks = fd < 0 ? NULL : fdopendir(fd);

	if (!tasks) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? fd : -ENOMEM;
	}
	r = open_living(tasks, ret_tid);
	closedir(tasks);
	return r;
}

/*
 * Opens pagemap, and reads the word that only_if is about. False: there is none, most often because there is no address
 * space any more: older kernels open an empty file then.
 */
static bool open_pagemap(int dir_fd, struct opener_target *target, uint64_t *ret_word)
{
	int *fd = &target->fd[OPENER_PAGEMAP];
	const off_t at = (off_t)(target->only_if.index * sizeof(*ret_word));

	if (*fd >= 0)
		close(*fd);
	*fd = open_at(dir_fd, opener_file_name(OPENER_PAGEMAP), O_RDONLY);
	return *fd >= 0 && pread(*fd, ret_word, sizeof(*ret_word), at) == sizeof(*ret_word);
}

/*
 * Opens pagemap where it is wanted, and tells where the other files of the mm are: in the leader's directory, or in a
 * living thread's, which is the caller's to close then. Without a living thread the leader's own files tell best that
 * there is no address space; where the leader's pagemap has a word, nobody needs to look for threads. False: the
 * process is not one that is wanted.
 */
static bool open_mm(const struct procfs *procfs, int dir_fd, struct opener_target *target, unsigned files,
		    int *ret_mm_fd)
{
	bool pagemap = files & OPENER_WANT(OPENER_PAGEMAP);
	uint64_t word = 0;
	bool has_word = pagemap && open_pagemap(dir_fd, target, &word);
	pid_t tid;
	int thread_fd = !has_word && leader_is_dead(procfs, dir_fd) ? open_living_thread(dir_fd, &tid) : -ENOENT;

	if (pagemap && thread_fd >= 0)
		has_word = open_pagemap(thread_fd, target, &word);
	*ret_mm_fd = thread_fd >= 0 ? thread_fd : dir_fd;
	return !target->only_if.mask ||
	       (has_word && (word & target->only_if.mask) == target->only_if.value);
}

/*
 * Is it vmad's own, and not to be seen by the caller? Where procfs hides processes, this one would be the only one of
 * root's that is there for everybody.
 */
static int refuse_own(const struct procfs *procfs, pid_t pid, bool own_too)
{
	return own_too || procfs->captured || !is_own(pid) ? 0 : procfs_sees_root(procfs);
}

/* A file that is wanted alone needs no directory to belong with others. */
static void open_stat_alone(const struct procfs *procfs, struct opener_target *target, bool own_too)
{
	int *fd = &target->fd[OPENER_STAT], r;
	char path[24];

	snprintf(path, sizeof(path), "%d/stat", (int)target->pid);
	*fd = open_at(procfs->fd, path, O_RDONLY);
	r = *fd < 0 ? 0 : refuse_own(procfs, target->pid, own_too);
	if (r < 0) {
		close(*fd);
		*fd = r;
	}
}

/* Why it could not be told whether the process is wanted, or that it is not. */
static void refuse(struct opener_target *target)
{
	int pagemap = target->fd[OPENER_PAGEMAP];

	if (pagemap >= 0)
		close(pagemap);
	set_files(target, target->want, pagemap < 0 ? pagemap : -ENODATA);
}

static void open_in_directory(const struct procfs *procfs, struct opener_target *target, bool own_too)
{
	unsigned mm_files = target->want & MM_FILES;
	int dir_fd = AT_FDCWD, mm_fd, r = take_directory(procfs, target->pid, &dir_fd);

	if (r == 0)
		r = refuse_own(procfs, target->pid, own_too);
	if (r < 0) {
		set_files(target, target->want, r);
		give_directory(dir_fd);
		return;
	}
	mm_fd = dir_fd;
	if (mm_files && !own_too && !procfs->captured && is_own(target->pid)) {
		set_files(target, mm_files & TRACER_FILES, -EACCES);
		mm_files &= ~TRACER_FILES;
	}
	if (!mm_files || open_mm(procfs, dir_fd, target, mm_files, &mm_fd)) {
		open_files(mm_fd, target, mm_files & ~OPENER_WANT(OPENER_PAGEMAP));
		open_files(dir_fd, target, target->want & ~MM_FILES);
	} else {
		refuse(target);
	}
	if (mm_fd != dir_fd)
		close(mm_fd);
	give_directory(dir_fd);
}

pid_t procdir_living_thread(const struct procfs *procfs, pid_t pid)
{
	pid_t living = pid;
	char name[16];
	int dir_fd, thread_fd;

	snprintf(name, sizeof(name), "%d", (int)pid);
	dir_fd = open_at(procfs->fd, name, O_PATH | O_DIRECTORY);
	if (dir_fd < 0)
		return 0;
	if (leader_is_dead(procfs, dir_fd)) {
		thread_fd = open_living_thread(dir_fd, &living);
		if (thread_fd >= 0)
			close(thread_fd);
		else
			living = 0;
	}
	close(dir_fd);
	return living;
}

void procdir_open(const struct procfs *procfs, struct opener_target *target, bool own_too)
{
	set_files(target, ~0u, -EBADF);
	if (target->want == OPENER_WANT(OPENER_STAT))
		open_stat_alone(procfs, target, own_too);
	else
		open_in_directory(procfs, target, own_too);
}
