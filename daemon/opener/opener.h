/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The opener: the one place that opens files of other processes, with the identity of the caller it opens them for.
 *
 * The kernel decides what a caller may see; the opener only takes on the caller's identity and asks. Everything here
 * is a request and a reply of fixed shape, so that the opener may live in a thread or in a process of its own without a
 * change above it. No parsing, no HTTP.
 *
 * Below here: caller/, who asks (peers of sockets, tokens) and taking on their identity; file/, what is opened for them;
 * thread/, the opener's threads, and who waits for them; process/, the opener as a process of its own; remote/, the end of
 * it that its clients have; and wire.h, what the two say to each other.
 *
 * Identity: effective and file system ids, and groups, are the caller's. For uid 0 the opener keeps CAP_SYS_PTRACE,
 * CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH effective; for everybody else the effective set is empty, because ids alone do
 * not bind newer kernels (ptrace(2), PTRACE_MODE_READ_FSCREDS). Where vmad runs as an ordinary user it acts as that
 * user only: other callers get EPERM. The address space of vmad itself is refused (EACCES) to everybody but root: the
 * opener's own thread group passes the kernel's ptrace check whatever its credentials. That vmad exists, and its stat,
 * is told to whoever sees other processes of root's. A caller of class VMAD_CALLER_ANONYMOUS gets EACCES for everything.
 *
 * All functions may be called from any thread. They wait for the opener, at most OPENER_TIMEOUT_MS: a process in the
 * middle of exec can hold an open() for as long as it likes; then they return -ETIMEDOUT and the opener has given that
 * thread up.
 */
#ifndef OPENER_OPENER_H
#define OPENER_OPENER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmad/caller.h"
#include "vmad/error.h"

#define OPENER_TIMEOUT_MS 2000
#define OPENER_TOKEN_SIZE 49	/* the text of a token that vmad gives, with its 0 */

/* Files under /proc/PID; the bit of each is 1 << its number. */
enum opener_file {
	OPENER_STAT,
	OPENER_MAPS,
	OPENER_SMAPS,
	OPENER_SMAPS_ROLLUP,
	OPENER_PAGEMAP,			/* tells frame numbers only where it was opened for root */
	OPENER_STATUS,
	OPENER_LIMITS,
	OPENER_AUXV,
	OPENER_CGROUP,
	OPENER_COMM,			/* the leader's name and a newline */
	OPENER_FILES
};

#define OPENER_WANT(file) (1u << (file))

/* Name of a file, such as "smaps_rollup". */
const char *opener_file_name(enum opener_file file);

/*
 * One process and the files of it that are wanted, all opened in one /proc/PID directory that is looked up once: they are
 * of one process, whatever happens to the pid meanwhile. Where a process's leader has exited while threads live on, all but
 * stat are opened through a living thread's directory.
 */
struct opener_target {
	pid_t pid;			/* in */
	unsigned want;			/* in: OPENER_WANT bits */
	/*
	 * in, where pagemap is among what is wanted: only a process whose pagemap has such a word at this place is
	 * wanted at all; nothing of the others stays open, and their fd[] is -ENODATA. mask 0: any process. Who looks
	 * for the few that map a page need not have the files of all.
	 */
	struct {
		uint64_t index, mask, value;
	} only_if;
	/* out: an O_RDONLY|O_CLOEXEC descriptor, the caller's to close; or a negative errno; -EBADF: not wanted */
	int fd[OPENER_FILES];
};

void opener_target_close(struct opener_target *target);

/* Nothing is open: to be called for a target that nobody has opened yet, before it is closed. */
void opener_target_reset(struct opener_target *target);

struct opener;

/* procfs: the directory to read, "/proc" or a captured tree. Call it while the process still has its privileges. */
int opener_new(const char *procfs, struct opener **ret_opener, struct vmad_error *err);
void opener_free(struct opener *opener);

/*
 * The opener as a process of its own. Can there be one, with what this process may do? Not for an ordinary user, whose
 * opener has nothing that others have not, nor for a captured tree.
 */
_Bool opener_can_be_apart(const char *procfs);
/* In that process: it works on requests in the very thread that makes them. For serve(). */
int opener_new_here(const char *procfs, struct opener **ret_opener, struct vmad_error *err);
/*
 * In the others: so many threads of that process work for this one. Beside what stands at each function, they return
 * -ENOTCONN then: the opener is gone, is not there yet, or the caller is gone.
 */
#define OPENER_REMOTE_THREADS 4		/* enough for many callers at once */
int opener_new_remote(unsigned threads, struct opener **ret_opener, struct vmad_error *err);
/*
 * It is there, or another one in its place: control_fd, which is taken over, in any case, leads to serve(). Whom the one
 * before has identified, this one does not know. 0 or negative errno.
 */
int opener_connect(struct opener *opener, int control_fd);
/* It is gone. */
void opener_disconnect(struct opener *opener);
/* For a process that ends in good order without opener_free(), which says so too. */
void opener_leave(struct opener *opener);
/* Does it answer? Not whether it gets on with what it was asked: a process may hold it up. 0 or negative errno. */
int opener_ping(struct opener *opener);
/* A descriptor of what the sampler publishes (sampler/snapshot.h); or negative errno: -ENOENT: nobody does. */
int opener_board(struct opener *opener);
/* Nobody is asked: false where it is known to be gone, or not to have come yet. */
_Bool opener_is_there(struct opener *opener);
/* Is a caller still good, or was it told by an opener that is gone, so that it has to be identified anew? */
_Bool opener_knows(struct opener *opener, const struct vmad_caller *caller);

/*
 * Is it a captured tree (--procfs) and not the running kernel's procfs? Then there is nobody to ask: no identities are
 * taken on, and no ioctl works on what is opened.
 */
_Bool opener_is_captured(const struct opener *opener);

/* The uid that files are opened as for root callers: 0, or vmad's own when it runs as an ordinary user. */
uid_t opener_uid(const struct opener *opener);

/*
 * Who is at the other end of a connected Unix socket, as of its connect(2). *ret_caller is the caller's to free().
 * -EXDEV: the peer's user or pid namespace is not vmad's, or the peer is gone and cannot be asked. -E2BIG: too many
 * groups. -EPERM: vmad runs as an ordinary user and the peer is another one.
 */
int opener_identify(struct opener *opener, int socket_fd, struct vmad_caller **ret_caller, struct vmad_error *err);

/*
 * The same by a token that came over the socket. -EACCES: it is nobody's. The tokens that there are (token.h; taken
 * over; NULL: none) belong to the opener's process.
 */
struct tokens;
void opener_use_tokens(struct opener *opener, struct tokens *tokens);
int opener_identify_token(struct opener *opener, int socket_fd, const char *token, struct vmad_caller **ret_caller);

struct opener_grant {
	char token[OPENER_TOKEN_SIZE];
	uint32_t seconds;		/* for so long */
};

/*
 * A token for a caller that opener_identify() has told of: with it opener_identify_token() tells of the same identity,
 * for some hours (grant.h). -EDQUOT: there are too many.
 */
int opener_grant(struct opener *opener, const struct vmad_caller *caller, struct opener_grant *ret_grant);

/* A caller that was identified, and will ask no more: its connection ends. Frees it; NULL is none. */
void opener_forget(struct opener *opener, struct vmad_caller *caller);

/*
 * The pids that the caller sees in /proc, ascending (hidepid is judged here). *ret_pids is the caller's to free(), also
 * when there are none.
 */
int opener_list(struct opener *opener, const struct vmad_caller *caller, pid_t **ret_pids, size_t *ret_count,
		struct vmad_error *err);

/*
 * The same, for who has something to do meanwhile. NULL: it has not begun, and opener_list() is there to wait for. What
 * has begun has to be ended, which frees it.
 */
struct opener_listing;
struct opener_listing *opener_list_begin(struct opener *opener, const struct vmad_caller *caller);
int opener_list_end(struct opener *opener, struct opener_listing *listing, pid_t **ret_pids, size_t *ret_count,
		    struct vmad_error *err);

/*
 * Opens files of many processes. 0 means that every target was tried and its fd[] tells how each went: ENOENT or ESRCH
 * where the process is gone or hidden, EACCES or EPERM where the kernel refused. Where it fails as a whole, every fd[] is
 * -EBADF. At most OPENER_BATCH descriptors a call.
 */
#define OPENER_BATCH 250
int opener_open(struct opener *opener, const struct vmad_caller *caller, struct opener_target *targets, size_t count,
		struct vmad_error *err);

/*
 * The same for up to OPENER_MANY processes and any number of files, by several threads at once. each(), unless it is
 * NULL, is called for those that are tried already, some neighbours at a time and in no order, while others are still being
 * opened. Where it fails, some of the targets may have been opened all the same; all others' fd[] are -EBADF.
 */
#define OPENER_MANY 1000
int opener_open_many(struct opener *opener, const struct vmad_caller *caller, struct opener_target *targets,
		     size_t count, void (*each)(void *arg, struct opener_target *some, size_t count), void *arg,
		     struct vmad_error *err);

/*
 * Which of these processes share one mm (CLONE_VM, vfork)? ret_group[i] is the place, in pids, of the first process
 * with the mm of pids[i], its own place where it shares with none before it; OPENER_NO_MM where it cannot be told: the
 * process is gone, is one that not even root may look into, or has no address space; for others than root callers also
 * where the caller may not read its maps. By kcmp(2). -ENOSYS: this kernel was built without it; -EAGAIN: too many of
 * them end just now; -E2BIG: more than OPENER_COMPARED of somebody else's than root's.
 */
#define OPENER_COMPARED 16
#define OPENER_NO_MM ((size_t)-1)
int opener_same_mm(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		   size_t *ret_group, struct vmad_error *err);

/*
 * A regular file, by its absolute path as vmad's mount namespace has it, opened as the caller. Nothing but a regular
 * file is ever opened for reading. A path may be anything that a caller likes to write, so for everybody but root it is
 * walked on local file systems only: whoever owns a FUSE file system could hold the opener up for ever.
 *
 * -ENOENT, -ENOTDIR: there is no such file; -EACCES, -EPERM: the caller may not reach or read it; -EXDEV: it is not on
 * a local file system; -EISDIR: a directory; -EINVAL: no regular file; -ELOOP: too many symbolic links, or a link of
 * procfs; -ENAMETOOLONG; -ETIMEDOUT: the file system does not answer; -EOPNOTSUPP: what is read is a captured tree,
 * whose files are elsewhere; -ENOSYS: the kernel has no openat2 (5.6).
 */
#define OPENER_LINE_MAX 128
struct opener_path {
	int fd;				/* O_RDONLY|O_NONBLOCK|O_CLOEXEC: the caller's to close */
	uint64_t device, inode;		/* as stat(2) has them; device is major << 32 | minor */
	uint64_t size_bytes;
	/* How the kernel shows a mapping of it in maps, up to the inode at least; "": nobody can map it. */
	char line[OPENER_LINE_MAX];
};
int opener_open_path(struct opener *opener, const struct vmad_caller *caller, const char *path,
		     struct opener_path *ret_path, struct vmad_error *err);

/*
 * What of a range of an open file is in the page cache. length 0: to the end of the file. The kernel tells it to those
 * only who own the file or may write to it; a root caller is told as the file's owner is. -EPERM: not told; -ENOSYS:
 * the kernel has no cachestat (6.5); -EOPNOTSUPP: hugetlbfs. OPENER_MINCORE fills cached_pages only; a range must fit
 * into the address space.
 */
enum opener_cache_source { OPENER_CACHESTAT, OPENER_MINCORE };
struct opener_cache {
	uint64_t cached_pages, dirty_pages, writeback_pages, evicted_pages, recently_evicted_pages;
};
int opener_cache(struct opener *opener, const struct vmad_caller *caller, int fd, enum opener_cache_source source,
		 uint64_t offset, uint64_t length, struct opener_cache *ret_cache, struct vmad_error *err);

/*
 * Which file a process has mapped at exactly this range, as stat(2) of the file would say; root only (-EPERM).
 * -ENOENT: there is no such mapping of a file any more.
 */
struct opener_mapped {
	uint64_t device, inode;
};
int opener_mapped_file(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start, uint64_t end,
		       struct opener_mapped *ret_mapped, struct vmad_error *err);

/*
 * Files of the host, the same for every caller. Returns a descriptor that is the caller's to close, or a negative
 * errno.
 */
enum opener_host_file {
	OPENER_HOST_VMA_LIMIT,		/* sys/vm/max_map_count */
	OPENER_HOST_MOUNTINFO,		/* self/mountinfo: vmad's own mounts */
	OPENER_HOST_MMAP_MIN_ADDR,	/* sys/vm/mmap_min_addr */
	OPENER_HOST_OVERCOMMIT,		/* sys/vm/overcommit_memory */
	OPENER_HOST_FRAMES,		/* from here on: what tells of frames; opener_open_host() refuses it */
	OPENER_HOST_KPAGEFLAGS = OPENER_HOST_FRAMES,
	OPENER_HOST_KPAGECOUNT,
	OPENER_HOST_KPAGECGROUP,
	OPENER_HOST_IOMEM,
	OPENER_HOST_HELPER,		/* not under /proc: VMADK_DEVICE; opener_open_helper() */
};
int opener_open_host(struct opener *opener, enum opener_host_file file);

/* The files of frames, for a caller: -EPERM for all but root callers, whom the kernel may refuse too. */
int opener_open_frames(struct opener *opener, const struct vmad_caller *caller, enum opener_host_file file);

/*
 * The device of the helper module (vmad/uapi.h), for root callers: others get -EPERM. -ENOENT, -ENODEV, -ENXIO: it is
 * not loaded; -EOPNOTSUPP: what is read is a captured tree, of which the running kernel knows nothing; -EACCES and
 * others: the kernel refuses. It is opened anew for each question: a descriptor that is kept would keep the module from
 * being unloaded.
 */
int opener_open_helper(struct opener *opener, const struct vmad_caller *caller);

#endif
