/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kpage: what the kernel tells of page frames: /proc/kpageflags, kpagecount and kpagecgroup, a word (words.h) for each
 * frame, for root alone. Format: Documentation/admin-guide/mm/pagemap.rst, fs/proc/page.c.
 */
#ifndef SOURCE_KPAGE_H
#define SOURCE_KPAGE_H

#include <stddef.h>
#include <stdint.h>

enum kpage_flag {
#define KPAGEFLAG(bit, id, name, help) KPAGE_##id = bit,
#include "vmad/kpageflags.def"
#undef KPAGEFLAG
};

#define KPAGE_BIT(id) (UINT64_C(1) << KPAGE_##id)

/* Room for the names of all flags of a frame, with blanks between. */
#define KPAGE_NAMES_MAX 512

/* Writes the names of the flags, in the order of their bits; a bit that has no name is "bit-27". Returns the length. */
size_t kpage_flag_names(uint64_t flags, char names[static KPAGE_NAMES_MAX]);

struct kpage_frame {
	uint64_t pfn;
	uint64_t word;			/* out */
	size_t place;			/* its own use */
};

/*
 * The words of these frames, from one of the three files, in any order and with repeats. Frames near each other are
 * read together: a read costs as much as 16 frames. 0, or a negative errno. A frame beyond the end of the file has
 * `beyond`.
 */
int kpage_read_frames(int fd, struct kpage_frame *frames, size_t count, uint64_t beyond);

/*
 * Of a compound page: its first frame and how many it has. 1 frame where the page is not compound. 0, or a negative
 * errno.
 */
int kpage_folio(int flags_fd, uint64_t pfn, uint64_t *ret_head, uint64_t *ret_count);

#endif
