/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * uapi: what vmad and its helper module (contrib/kmod) say to each other over /dev/vmad.
 *
 * The module is optional, read-only and for root. It answers out of the kernel's own structures what procfs does not
 * tell: the raw facts of each VMA with the symbols of its operations, and who maps a page or a file, from the
 * kernel's reverse map. Nothing that it writes is an address of kernel memory.
 *
 * The protocol
 *
 * Opening the device takes CAP_SYS_ADMIN in the initial user namespace; each ioctl asks once more whether the opener
 * of the descriptor had it, so that a descriptor can be handed to a process without any capability. Pids are read and
 * written in the pid namespace of the process that calls.
 *
 * Every ioctl takes one struct, which begins with its own size in bytes as the caller knows it. A module that knows a
 * longer one takes what is missing as zero, and writes back no more than the caller's size. A module that knows a
 * shorter one refuses (E2BIG) where the bytes that it does not know are not all zero. Structs therefore only grow at
 * their end. Bits of `flags` that the module does not know, and padding that is not zero, are EINVAL. Ask INFO first:
 * it tells the version and what this module can do on this kernel.
 *
 * Lists are written to arrays that the caller provides: struct vmadk_array says where, how many elements have room,
 * and how wide the caller believes one to be (VMADK_*_WIDTH; another width is EINVAL). The module sets `count`. An
 * array with room 0 is not wanted, and may have any address. No element is written twice, none beyond its room, and
 * none before the kernel's locks are released.
 *
 * Names (of symbols, of members) stand once each in the array `strings`. Where a struct refers to one, 0 means that
 * there is nothing (the pointer is NULL), VMADK_UNRESOLVED that there is something whose name is not known or had no
 * room, and any other number n the element n - 1. A symbol is told only when the pointer points exactly to its
 * beginning. References into `tables` are numbered likewise.
 *
 * INFO: version, kernel, capabilities; for each capability that is missing, why.
 *
 * VMAS: the VMAs of a process, ascending, from the one that holds or follows `cursor` to the last one that begins
 * below `end`. When the call returns, `cursor` stands behind the last VMA that was written. Where one of the arrays was
 * too small for the next VMA, `result` has VMADK_TRUNCATED: call again with the cursor as it is, and with empty
 * arrays. mmap_lock is released from time to time: none is missing that was there all the time, but where VMAs were
 * merged meanwhile, the next one told may begin below the end of the one before it. With VMADK_VMAS_MEMBERS each
 * vm_operations_struct is listed member by member as this kernel has them, NULL or not, in the order of the struct. If
 * not even one VMA fits, the call fails with ENOSPC. The vsyscall page is no VMA of a process, and is not told.
 *
 * RMAP: who maps a page: the one that a process maps at an address, or a frame by its number (VMADK_RMAP_PFN). All
 * VMAs that the kernel's trees name for the page are listed. The trees name too many (a child that has written to its
 * copy; one that has not touched it yet), so `state` says of each what its page table had when it was looked at; a
 * mapping of the page is what is VMADK_STATE_MAPPED. The page's own map count is read before and after: where it
 * changed, `result` has VMADK_CHANGED. Pages that no tree leads to (KSM, and those of special mappings such as the
 * vdso) are looked for in the page tables of all processes: `result` has VMADK_SCANNED, and a process that forked
 * meanwhile may be missing. With VMADK_RMAP_NO_SCAN that is left out: `result` has VMADK_UNSCANNED, and there are no
 * mappings.
 *
 * Locks that are held by others are tried for a bounded time only. Then `result` has VMADK_CONTENDED, mappings may
 * be missing, and asking again may help. If there are more mappings, or more pids, than have room, `result` has
 * VMADK_TRUNCATED and `count` is the number that there are: the walk cannot be resumed, call again with that room and
 * some more.
 *
 * FILEMAP: which VMAs map a range of pages of a file, which is given by a descriptor (of any kind, O_PATH too). It
 * reads no page tables: `state` is VMADK_STATE_UNREAD. `address` is that of the first page of the range that the VMA
 * covers. Else as RMAP.
 *
 * Mappings name their address space by a number that counts from 0 and means something within this one reply; `pids`
 * has the processes that use each of them, one element per process, also for those that share one (CLONE_VM). An
 * address space without any element is one of a process that has ended meanwhile, or is not visible from the caller's
 * pid namespace.
 *
 * Errors of every ioctl: EPERM (the descriptor's opener had no CAP_SYS_ADMIN), ENOTTY (no such ioctl), EFAULT, EINVAL,
 * E2BIG (see above; or room for more than VMADK_ROOM_MAX elements), ENOMEM, EINTR (killed meanwhile).
 * VMAS, RMAP: ESRCH (no such process), ENXIO (a kernel thread, or a process that has no address space any more).
 * RMAP: ENOENT (no page is present at that address), ENODEV (a frame without a description: device memory, a hole),
 * EAGAIN (the page changed all the time, or is locked), EOPNOTSUPP (not on this kernel: see INFO).
 * FILEMAP: EBADF, EOPNOTSUPP.
 *
 * History
 *   1	INFO, VMAS, RMAP, FILEMAP
 */
#ifndef VMAD_UAPI_H
#define VMAD_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VMADK_DEVICE "/dev/vmad"
#define VMADK_ABI 1

/* The size stands in the struct, not in the number. */
#define VMADK_TYPE 0xbd
#define VMADK_IOC_INFO _IO(VMADK_TYPE, 0)
#define VMADK_IOC_VMAS _IO(VMADK_TYPE, 1)
#define VMADK_IOC_RMAP _IO(VMADK_TYPE, 2)
#define VMADK_IOC_FILEMAP _IO(VMADK_TYPE, 3)

struct vmadk_array {
	__u64 at;		/* in: user address of the first element, aligned to 8 */
	__u32 room;		/* in: elements that fit */
	__u32 width;		/* in: size of an element, VMADK_*_WIDTH */
	__u32 count;		/* out: elements written; of reasons, mappings, pids: that there are, also beyond room */
	__u32 pad;		/* 0 */
};

#define VMADK_ROOM_MAX (1u << 18)

/* `result` of every reply that has one */
#define VMADK_TRUNCATED (1u << 0)	/* an array was too small */
#define VMADK_CONTENDED (1u << 1)	/* a lock was busy: something may be missing */
#define VMADK_SCANNED (1u << 2)		/* found by going through the page tables of all processes */
#define VMADK_UNSCANNED (1u << 3)	/* only a scan could tell, and it was not to be */
#define VMADK_CHANGED (1u << 4)		/* the page's map count was another one afterwards */

#define VMADK_UNRESOLVED 0xffffffffu

/* A name. Both are NUL-terminated, and what is behind the NUL is zero. */
struct vmadk_string {
	char text[128];
	char module[64];	/* that the symbol is in; empty: the kernel itself, or no symbol */
};

#define VMADK_STRING_WIDTH 192

/* INFO */

/* Bits of `capabilities` */
#define VMADK_CAN_VMAS (1ull << 0)
#define VMADK_CAN_MEMBERS (1ull << 1)		/* of vm_operations_struct */
#define VMADK_CAN_RMAP_FILE (1ull << 2)		/* pages of files, shmem and memfd */
#define VMADK_CAN_RMAP_ANON (1ull << 3)
#define VMADK_CAN_RMAP_HUGETLB (1ull << 4)
#define VMADK_CAN_RMAP_SCAN (1ull << 5)		/* KSM, special mappings */
#define VMADK_CAN_FILEMAP (1ull << 6)

/* Why a capability is missing. */
struct vmadk_reason {
	__u64 capability;	/* its bit */
	char text[120];		/* NUL-terminated */
};

#define VMADK_REASON_WIDTH 128

struct vmadk_info {
	__u32 size;
	__u32 flags;		/* 0 */
	__u32 abi;		/* out: VMADK_ABI of the module */
	__u32 page_shift;	/* out */
	__u64 capabilities;	/* out */
	struct vmadk_array reasons;
	char kernel[72];	/* out: uname -r of the running kernel */
	char module[32];	/* out: version of the module, that of vmad's release */
};

#define VMADK_INFO_SIZE 152

/* VMAS */

/* Bits of `has` of a VMA */
#define VMADK_VMA_FILE (1u << 0)		/* vm_file */
#define VMADK_VMA_ANON_VMA (1u << 1)		/* anon_vma: it has, or had, anonymous pages */
#define VMADK_VMA_PRIVATE_DATA (1u << 2)	/* vm_private_data */

struct vmadk_vma {
	__u64 start;		/* vm_start */
	__u64 end;		/* vm_end */
	__u64 flags;		/* vm_flags */
	__u64 page_prot;	/* vm_page_prot */
	__u64 pgoff;		/* vm_pgoff, in pages, also where there is no file */
	__u64 inode;		/* of vm_file, as its file system numbers it; 0 without a file */
	__u32 device_major;	/* of the file system that vm_file is of */
	__u32 device_minor;
	__u32 has;		/* VMADK_VMA_* */
	__u32 page_shift;	/* of the pages that back it: more than INFO's for hugetlb */
	__u32 vm_ops;		/* of `tables` */
	__u32 f_op;		/* of `strings` */
	__u32 a_ops;		/* of `strings` */
	__u32 pad;		/* 0 */
};

#define VMADK_VMA_WIDTH 80

/* A vm_operations_struct. */
struct vmadk_table {
	__u32 symbol;		/* of `strings` */
	__u32 first;		/* of its members in `members`, from 0 */
	__u32 members;		/* number of them; 0 where they were not asked for */
	__u32 pad;		/* 0 */
};

#define VMADK_TABLE_WIDTH 16

/* One member of a table: ".fault = filemap_fault". */
struct vmadk_member {
	__u32 name;		/* of `strings`; never 0 */
	__u32 symbol;		/* of `strings`; 0: the member is NULL */
};

#define VMADK_MEMBER_WIDTH 8

#define VMADK_VMAS_MEMBERS (1u << 0)	/* flags: fill `members` */

struct vmadk_vmas {
	__u32 size;
	__u32 flags;		/* VMADK_VMAS_* */
	__s32 pid;		/* of a process, or of a thread of it */
	__u32 result;		/* out: VMADK_TRUNCATED or 0 */
	__u64 cursor;		/* in, out: see above */
	__u64 end;		/* ~0: up to the last one */
	struct vmadk_array vmas;
	struct vmadk_array tables;
	struct vmadk_array members;
	struct vmadk_array strings;
};

#define VMADK_VMAS_SIZE 128

/* RMAP and FILEMAP */

/* What a page table has for the page at a mapping's address. */
#define VMADK_STATE_UNREAD 0		/* it was not looked at */
#define VMADK_STATE_MAPPED 1		/* this page */
#define VMADK_STATE_OTHER 2		/* another page: it was copied, or replaced */
#define VMADK_STATE_NONE 3		/* nothing: not touched yet, or dropped */
#define VMADK_STATE_SWAP 4		/* swapped out, or a marker */
#define VMADK_STATE_MIGRATION 5		/* this page, which is just being moved or split */

/* Bits of `flags` of a mapping */
#define VMADK_MAPPING_HUGE (1u << 0)	/* by an entry of a higher level: a huge page as a whole */
#define VMADK_MAPPING_WRITE (1u << 1)	/* the entry lets it be written to */

struct vmadk_mapping {
	__u64 address;		/* of the page in this address space */
	__u64 vma_start;
	__u64 vma_end;
	__u64 vma_flags;	/* vm_flags */
	__u64 vma_pgoff;
	__u32 mm;		/* number of the address space, from 0 */
	__u32 state;		/* VMADK_STATE_* */
	__u32 flags;		/* VMADK_MAPPING_* */
	__u32 vm_ops;		/* symbol, of `strings` */
};

#define VMADK_MAPPING_WIDTH 56

/* A process that uses an address space. */
struct vmadk_pid {
	__s32 pid;		/* of the process (tgid) */
	__u32 mm;		/* as in the mappings */
};

#define VMADK_PID_WIDTH 8

/* What a page is, `kind` of RMAP */
#define VMADK_PAGE_OTHER 0		/* nothing that page tables may map, as far as can be told: free, slab, ... */
#define VMADK_PAGE_ANON 1
#define VMADK_PAGE_FILE 2		/* of a file's page cache; shmem, memfd, SysV too */
#define VMADK_PAGE_KSM 3
#define VMADK_PAGE_HUGETLB 4
#define VMADK_PAGE_ZERO 5		/* the zero page, which is not counted; `count` is 0 */
#define VMADK_PAGE_SPECIAL 6		/* mapped, but of no file and not anonymous: vdso, drivers' pages */

#define VMADK_RMAP_PFN (1u << 0)	/* flags: `pfn` is asked for, not pid and address */
#define VMADK_RMAP_NO_SCAN (1u << 1)	/* flags: no search through all processes */

struct vmadk_rmap {
	__u32 size;
	__u32 flags;		/* VMADK_RMAP_* */
	__s32 pid;		/* 0 with VMADK_RMAP_PFN */
	__u32 result;		/* out */
	__u64 address;		/* 0 with VMADK_RMAP_PFN */
	__u64 pfn;		/* in with VMADK_RMAP_PFN, else 0; out: the frame */
	__u64 folio_pfn;	/* out: first frame of the folio that it is part of */
	__u32 folio_pages;	/* out: frames of it */
	__u32 kind;		/* out: VMADK_PAGE_* */
	__s32 mapcount;		/* out: how often page tables map it, where the kernel counts that; else -1 */
	__u32 mapped;		/* out: mappings with VMADK_STATE_MAPPED, also those that had no room */
	__s32 refcount;		/* out: of the folio, without the module's own */
	__u32 a_ops;		/* out: symbol of the file's address_space_operations, of `strings` */
	__u64 index;		/* out: page offset in the file, or what vm_pgoff counts in */
	__u64 inode;		/* out: of the file; 0 where there is none */
	__u32 device_major;	/* out */
	__u32 device_minor;	/* out */
	struct vmadk_array mappings;
	struct vmadk_array pids;
	struct vmadk_array strings;
};

#define VMADK_RMAP_SIZE 160

struct vmadk_filemap {
	__u32 size;
	__u32 flags;		/* 0 */
	__s32 fd;
	__u32 result;		/* out */
	__u64 first;		/* page offset of the range's first page */
	__u64 last;		/* and of its last one, which is part of it */
	__u64 inode;		/* out: of the file that is mapped: with overlayfs the real one */
	__u32 device_major;	/* out */
	__u32 device_minor;	/* out */
	struct vmadk_array mappings;
	struct vmadk_array pids;
	struct vmadk_array strings;
};

#define VMADK_FILEMAP_SIZE 120

#endif
