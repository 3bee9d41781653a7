/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pagemap: the page table entries of a process, eight bytes for each page.
 * Format: Documentation/admin-guide/mm/pagemap.rst, fs/proc/task_mmu.c, Linux 2.6.25 to 6.18.
 */
#ifndef SOURCE_PAGEMAP_H
#define SOURCE_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGEMAP_PFN_MASK ((UINT64_C(1) << 55) - 1)	/* of a present page; 0 where the opener may not know it */
#define PAGEMAP_SOFT_DIRTY (UINT64_C(1) << 55)
#define PAGEMAP_EXCLUSIVE (UINT64_C(1) << 56)		/* mapped by nobody else, 4.2 */
#define PAGEMAP_UFFD_WP (UINT64_C(1) << 57)
#define PAGEMAP_GUARD (UINT64_C(1) << 58)		/* MADV_GUARD_INSTALL, 6.15; SWAPPED is set too */
#define PAGEMAP_FILE (UINT64_C(1) << 61)		/* of a file, or shared anonymous */
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)		/* and guards, userfaultfd markers, migration and device entries */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

/*
 * Reads the entries of `count` pages from the one that holds address. Returns how many were read (fewer at the end of
 * user space), 0 there or where the mm is gone, or a negative errno; fd itself where that is one, because it could not
 * be opened.
 */
long pagemap_read(int fd, uint64_t address, uint64_t *entries, size_t count);

enum page_state {
#define PAGESTATE(id, name, help) PAGE_##id,
#include "vmad/pagestates.def"
#undef PAGESTATE
};

/* Bits 1 << PAGEFLAG_... */
enum page_flag {
#define PAGEFLAG(id, name, help) PAGEFLAG_##id,
#include "vmad/pageflags.def"
#undef PAGEFLAG
	PAGEFLAGS
};

#define PAGEFLAG_BIT(id) (1u << PAGEFLAG_##id)

/* What a page table tells of one page. */
struct page {
	enum page_state state;
	unsigned flags;
};

/*
 * What an entry says. Where frame numbers are not told, neither are types of swap entries: then a userfaultfd marker
 * looks like a page that is swapped out and write-protected.
 */
struct page pagemap_decode(uint64_t entry);

/*
 * Where a page is swapped out to: number of the swap area, and page in it. False: it is not swapped out, or it is not
 * told.
 */
bool pagemap_swap_slot(uint64_t entry, unsigned *ret_area, uint64_t *ret_page);

const char *page_state_name(enum page_state state);

/* Room for the names of all flags, with blanks between. */
#define PAGE_FLAG_NAMES_MAX 128

/* Writes the names of the flags. Returns the length. */
size_t page_flag_names(unsigned flags, char names[static PAGE_FLAG_NAMES_MAX]);

/* The frame that an entry maps, or 0: not present, or not told. */
static inline uint64_t pagemap_pfn(uint64_t entry)
{
	return entry & PAGEMAP_PRESENT ? entry & PAGEMAP_PFN_MASK : 0;
}

#endif
