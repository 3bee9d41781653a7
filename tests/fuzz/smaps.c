/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smaps: the input is cut into records, and the keys of each are parsed. */
#include "fuzz.h"

#include "source/smaps.h"

struct span {
	const char *begin, *end;
};

static int is_in(const struct span *span, struct vmad_str str)
{
	return str.p >= span->begin && str.p + str.len <= span->end;
}

static void check_unknown(void *arg, struct vmad_str key, struct vmad_str value)
{
	MUST(is_in(arg, key) && is_in(arg, value));
	MUST(key.len > 0);
}

static void parse_keys(const char *keys, size_t len)
{
	struct span span = { keys, keys + len };
	struct vmad_usage usage, again;
	int r = smaps_parse_keys(keys, len, &usage, check_unknown, &span);

	MUST((usage.has >> VMAD_BITS_usage) == 0);
	if (usage.has & VMAD_HAS(usage, flags))
		MUST(is_in(&span, usage.flags));
	MUST(smaps_parse_keys(keys, len, &again, NULL, NULL) == r);
	MUST(again.has == usage.has);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	parse_keys(bytes, size);
	while (size) {
		size_t keys, len = smaps_record_length(bytes, size, &keys);

		MUST(len <= size && keys <= (len ? len : size) && keys > 0);
		if (!len)
			len = size;
		parse_keys(bytes + keys, len - keys);
		bytes += len;
		size -= len;
	}
	return 0;
}
