/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auxv: of this process, as getauxval(3) knows it; and vectors that are none. */
#include "unit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "source/auxv.h"

static void our_own(void **state)
{
	int fd = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
	struct auxv auxv;

	(void)state;
	assert_int_equal(auxv_read(fd, &auxv), 0);
	assert_int_equal(auxv.loader, getauxval(AT_BASE));
	assert_int_equal(auxv.program_headers, getauxval(AT_PHDR));
	assert_int_equal(auxv.vdso, getauxval(AT_SYSINFO_EHDR));
	close(fd);
	assert_int_equal(auxv_read(-1, &auxv), -EBADF);
}

static int parse(const void *words, size_t len, struct auxv *auxv)
{
	struct vmad_str bytes = guarded(words, len);

	return auxv_parse(bytes.p, bytes.len, auxv);
}

static void without_an_end(void **state)
{
	const uint64_t words[] = { AT_PAGESZ, (uint64_t)sysconf(_SC_PAGESIZE), AT_BASE, 0x7000, AT_NULL, 0 };
	struct auxv auxv = { .loader = 7 };

	(void)state;
	for (size_t len = 0; len < sizeof(words); len++) {
		assert_int_equal(parse(words, len, &auxv), -EINVAL);
		assert_int_equal(auxv.loader, 7);
	}
	assert_int_equal(parse(words, sizeof(words), &auxv), 0);
	assert_int_equal(auxv.loader, 0x7000);
	assert_int_equal(auxv.vdso, 0);
}

static void of_a_32_bit_task(void **state)
{
	const uint32_t words[] = { AT_PAGESZ, (uint32_t)sysconf(_SC_PAGESIZE), AT_BASE, 0xf7fc0000, AT_PHDR, 0x8048034, AT_NULL, 0, 0, 0, 0, 0 };
	struct auxv auxv;

	(void)state;
	assert_int_equal(parse(words, sizeof(words), &auxv), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("our own", our_own),
		CASE("cut at any byte: refused without its end", without_an_end),
		CASE("a 32-bit task's is refused", of_a_32_bit_task),
	};

	return cmocka_run_group_tests_name("auxv", cases, NULL, NULL);
}
