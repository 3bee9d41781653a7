/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iomem_parse(): what it finds is found again when it is printed as the kernel does, with pages of any size and without room. */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "source/iomem.h"

#define ROOM 64

static void print_again(const struct frame_range *ranges, size_t count, uint64_t page_size)
{
	static const char format[] = "%08" PRIx64 "-%08" PRIx64 " : System RAM\n";
	struct frame_range again[ROOM];
	char text[ROOM * 64];
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += (size_t)sprintf(text + len, format, ranges[i].first * page_size, ranges[i].end * page_size - 1);
	MUST(iomem_parse(text, len, page_size, again, ROOM) == count);
	MUST(!memcmp(again, ranges, count * sizeof(*ranges)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t page_sizes[] = { 4096, 16384, 65536 };
	struct frame_range ranges[ROOM];

	for (size_t i = 0; i < sizeof(page_sizes) / sizeof(page_sizes[0]); i++) {
		size_t count = iomem_parse((const char *)data, size, page_sizes[i], ranges, ROOM);
		size_t found = count < ROOM ? count : ROOM;

		MUST(iomem_parse((const char *)data, size, page_sizes[i], NULL, 0) == count);
		for (size_t k = 0; k < found; k++)
			MUST(ranges[k].first < ranges[k].end && ranges[k].end <= UINT64_MAX / page_sizes[i] + 1);
		print_again(ranges, found, page_sizes[i]);
	}
	return 0;
}
