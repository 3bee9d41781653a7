/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address_parse() of vmactl: what it takes is the same when it is written out again; and plain hex is what strtoull() says. */
#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "address.h"

static void write_again(const struct address *address)
{
	char *text = malloc(address->file_len + 64);
	struct address again;

	MUST(text);
	if (address->form == ADDRESS_POINT)
		sprintf(text, "0x%" PRIx64, address->start);
	else if (address->form == ADDRESS_RANGE)
		sprintf(text, "%" PRIx64 "-0x%" PRIx64, address->start, address->end);
	else
		sprintf(text, "%.*s+%" PRIx64, (int)address->file_len, address->file, address->offset);
	MUST(address_parse(text, &again) == 0 && again.form == address->form);
	MUST(again.start == address->start && again.end == address->end && again.offset == address->offset);
	MUST(again.file_len == address->file_len && (!again.file || !memcmp(again.file, address->file, again.file_len)));
	free(text);
}

static void check_hex(const char *text)
{
	size_t skip = text[0] == '0' && (text[1] | 0x20) == 'x' ? 2 : 0;
	size_t len = strlen(text) - skip, zeros = strspn(text + skip, "0");
	bool is_hex = len && strspn(text + skip, "0123456789abcdefABCDEF") == len;
	uint64_t address = 7;
	int r = address_parse_hex(text, &address);

	MUST(r == (!is_hex ? -EINVAL : len - zeros > 16 ? -ERANGE : 0));
	MUST(address == (r < 0 ? 7 : strtoull(text + skip, NULL, 16)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct address address;
	int r;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	check_hex(text);
	r = address_parse(text, &address);
	MUST(r == 0 || r == -EINVAL || r == -ERANGE);
	if (r == 0) {
		MUST(address.form != ADDRESS_RANGE || address.start < address.end);
		MUST(address.form != ADDRESS_FILE || (address.file == text && text[address.file_len] == '+'));
		write_again(&address);
	}
	free(text);
	return 0;
}
