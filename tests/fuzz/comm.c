/* SPDX-License-Identifier: GPL-2.0-or-later */
/* comm_read(): the bytes of the file as they are, as many as there is room for, without the newline behind them. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "source/comm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = 77, expected = size < COMM_MAX ? size : COMM_MAX;
	char comm[COMM_MAX];
	int r = comm_read(file_with(data, size), comm, &len);

	if (!size) {
		MUST(r == -ESRCH && len == 77);
		return 0;
	}
	expected -= data[expected - 1] == '\n';
	MUST(r == 0 && len == expected && !memcmp(comm, data, len));
	return 0;
}
