/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagemap.h"

#include <stdio.h>
#include <unistd.h>

#include "source/words.h"

long pagemap_read(int fd, uint64_t address, uint64_t *entries, size_t count)
{
	return fd < 0 ? fd : words_read(fd, address / (uint64_t)sysconf(_SC_PAGESIZE), entries, count);
}

/*
 * Entries that are not present hold a type in 5 bits and an offset, include/linux/swap.h. Types count swap areas from
 * 0; the highest ones are the kernel's own: 31 for markers (since 5.19), and below it up to eight for poisoned,
 * migrating and device pages.
 */
#define SWAP_TYPE_BITS 5
#define SWAP_TYPE_MARKER 31
#define SWAP_TYPE_FIRST_SPECIAL 23
#define SWAP_TYPE_MASK ((1u << SWAP_TYPE_BITS) - 1)

/* include/linux/swapops.h PTE_MARKER_* */
#define MARKER_UFFD_WP 1
#define MARKER_POISONED 2
#define MARKER_GUARD 4

static unsigned common_flags(uint64_t entry)
{
	return (entry & PAGEMAP_FILE ? PAGEFLAG_BIT(FILE) : 0) | (entry & PAGEMAP_SOFT_DIRTY ? PAGEFLAG_BIT(SOFT_DIRTY) : 0) |
	       (entry & PAGEMAP_UFFD_WP ? PAGEFLAG_BIT(UFFD_WP) : 0);
}

static struct page decode_marker(uint64_t mark, unsigned flags)
{
	if (mark & MARKER_GUARD)
		return (struct page){ PAGE_GUARD, flags };
	if (mark & MARKER_POISONED)
		flags |= PAGEFLAG_BIT(POISONED);
	if (mark & MARKER_UFFD_WP)
		flags |= PAGEFLAG_BIT(UFFD_WP);
	return (struct page){ PAGE_MARKER, flags };
}

static struct page decode_swapped(uint64_t entry, unsigned flags)
{
	unsigned type = entry & SWAP_TYPE_MASK;

	if (entry & PAGEMAP_GUARD)
		return (struct page){ PAGE_GUARD, flags };
	if (type == SWAP_TYPE_MARKER)
		return decode_marker((entry & PAGEMAP_PFN_MASK) >> SWAP_TYPE_BITS, flags);
	if (type >= SWAP_TYPE_FIRST_SPECIAL)
		return (struct page){ PAGE_MARKER, flags | PAGEFLAG_BIT(NON_SWAP) };
	return (struct page){ PAGE_SWAPPED, flags };
}

struct page pagemap_decode(uint64_t entry)
{
	unsigned flags = common_flags(entry);

	if (entry & PAGEMAP_PRESENT)
		return (struct page){ PAGE_PRESENT, flags | (entry & PAGEMAP_EXCLUSIVE ? PAGEFLAG_BIT(EXCLUSIVE) : 0) };
	if (entry & PAGEMAP_SWAPPED)
		return decode_swapped(entry, flags);
	/* hugetlb has its markers without the bit of swapped pages */
	return (struct page){ entry & PAGEMAP_UFFD_WP ? PAGE_MARKER : PAGE_NONE, flags };
}

bool pagemap_swap_slot(uint64_t entry, unsigned *ret_area, uint64_t *ret_page)
{
	if (pagemap_decode(entry).state != PAGE_SWAPPED || !(entry & PAGEMAP_PFN_MASK))
		return false;
	*ret_area = entry & SWAP_TYPE_MASK;
	*ret_page = (entry & PAGEMAP_PFN_MASK) >> SWAP_TYPE_BITS;
	return true;
}

const char *page_state_name(enum page_state state)
{
	static const char *const names[] = {
#define PAGESTATE(id, name, help) [PAGE_##id] = name,
#include "vmad/pagestates.def"
#undef PAGESTATE
	};

	return names[state];
}

size_t page_flag_names(unsigned flags, char names[static PAGE_FLAG_NAMES_MAX])
{
	static const char *const names_of_bits[PAGEFLAGS] = {
#define PAGEFLAG(id, name, help) [PAGEFLAG_##id] = name,
#include "vmad/pageflags.def"
#undef PAGEFLAG
	};
	size_t len = 0;

	names[0] = '\0';
	for (int bit = 0; bit < PAGEFLAGS; bit++)
		if (flags >> bit & 1)
			len += (size_t)sprintf(names + len, "%s%s", len ? " " : "", names_of_bits[bit]);
	return len;
}
