/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pagemap_decode(), pagemap_scan_decode() and the names: the bytes are words of pagemap, of PAGEMAP_SCAN and of
 * kpageflags at once.
 */
#include "fuzz.h"

#include <string.h>

#include "source/kpage.h"
#include "source/pagemap_scan.h"

static void check(struct page page)
{
	char names[PAGE_FLAG_NAMES_MAX];

	MUST(page.state <= PAGE_NONE);
	MUST(page_flag_names(page.flags, names) < sizeof(names));
	MUST(strlen(page_state_name(page.state)) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (; size >= sizeof(uint64_t); data += sizeof(uint64_t), size -= sizeof(uint64_t)) {
		char names[KPAGE_NAMES_MAX];
		uint64_t word, slot;
		unsigned area;

		memcpy(&word, data, sizeof(word));
		check(pagemap_decode(word));
		check(pagemap_scan_decode(word));
		MUST(!pagemap_swap_slot(word, &area, &slot) || (area < 23 && !(word & PAGEMAP_PRESENT)));
		MUST(kpage_flag_names(word, names) < sizeof(names));
		MUST(!pagemap_pfn(word) || word & PAGEMAP_PRESENT);
	}
	return 0;
}
