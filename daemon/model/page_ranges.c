/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page_ranges.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "source/pagemap_scan.h"

/* Only [vsyscall] lies above, and no page table of the process has it. */
#define KERNEL_HALF (UINT64_C(1) << 63)

void page_ranges_init(struct page_ranges *ranges, struct vma_list *vmas, int pagemap_fd, uint64_t start, uint64_t end)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);

	*ranges = (struct page_ranges){ .vmas = vmas, .pagemap_fd = pagemap_fd, .start = start / page_size * page_size, .end = end };
	if (end % page_size && end < KERNEL_HALF)
		ranges->end = (end / page_size + 1) * page_size;
	if (ranges->end == 0 || ranges->end > KERNEL_HALF)
		ranges->end = KERNEL_HALF;
}

/* Kinds that a driver, or the kernel for itself, may have mapped by number; the others never are. */
static bool may_be_pfn(const char *kind)
{
	static const char *const kinds[] = { "device", "special", "vvar", "vdso", "shared-file" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

/* A scan for whatever there is passes PFN mappings by, and nothing else. A kernel without scans does not say. */
static int is_pfn(int pagemap_fd, uint64_t start)
{
	struct pagemap_scan_query query = { .start = start, .end = start + (uint64_t)sysconf(_SC_PAGESIZE) };
	struct pagemap_region region;
	uint64_t walk_end;
	size_t count;
	int r = pagemap_scan(pagemap_fd, &query, &region, 1, &count, &walk_end);

	return r < 0 ? (r == -ENOTTY ? 0 : r) : count == 0;
}

int page_range_kind(int pagemap_fd, const struct vmad_vma *vma)
{
	int r;

	if (!strcmp(vma->kind, "hugetlb"))
		return PAGE_RANGE_HUGETLB;
	if (vma->start >= KERNEL_HALF)
		return PAGE_RANGE_PFN;
	r = pagemap_fd >= 0 && may_be_pfn(vma->kind) ? is_pfn(pagemap_fd, vma->start) : 0;
	return r < 0 ? r : r ? PAGE_RANGE_PFN : PAGE_RANGE_USUAL;
}

/* The next VMA, as far as it is asked for. */
static int read_vma(struct page_ranges *ranges, struct page_range *to, struct vmad_error *err)
{
	struct vma_list_row row;
	int r = vma_list_next(ranges->vmas, &row, err), kind;

	if (r <= 0 || row.vma.start >= ranges->end) {
		ranges->over = true;
		return r < 0 ? r : 0;
	}
	kind = page_range_kind(ranges->pagemap_fd, &row.vma);
	if (kind < 0)
		return vmad_fail(err, -kind, 0, "pagemap", "scan");
	*to = (struct page_range){
		.start = row.vma.start > ranges->start ? row.vma.start : ranges->start,
		.end = row.vma.end < ranges->end ? row.vma.end : ranges->end,
		.kind = (enum page_range_kind)kind,
	};
	return 1;
}

int page_ranges_next(struct page_ranges *ranges, struct page_range *range, struct vmad_error *err)
{
	struct page_range next;
	int r = 1;

	*range = ranges->ahead;
	ranges->ahead.end = 0;
	while (!ranges->over && (r = read_vma(ranges, &next, err)) > 0) {
		if (!range->end) {
			*range = next;
		} else if (next.start == range->end && next.kind == range->kind) {
			range->end = next.end;
		} else {
			ranges->ahead = next;
			break;
		}
	}
	return r < 0 ? r : range->end != 0;
}
