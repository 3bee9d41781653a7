/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auxv: where exec put the dynamic loader and the vDSO, by /proc/PID/auxv: pairs of words of the process's own size, AT_NULL ends.
 * See getauxval(3), fs/binfmt_elf.c create_elf_tables(). Only 64-bit processes are understood.
 */
#ifndef SOURCE_AUXV_H
#define SOURCE_AUXV_H

#include <stddef.h>
#include <stdint.h>

struct auxv {
	uint64_t loader;		/* AT_BASE; 0: the program has none */
	uint64_t program_headers;	/* AT_PHDR */
	uint64_t vdso;			/* AT_SYSINFO_EHDR; 0: none */
	uint64_t random;		/* AT_RANDOM: bytes at the beginning of the stack; 0: none */
};

/* 0, or -EINVAL where it is not the vector of a 64-bit process. */
int auxv_parse(const char *bytes, size_t len, struct auxv *auxv);

/* 0 or a negative errno. */
int auxv_read(int fd, struct auxv *auxv);

#endif
