/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses as people write them. Always hex, with or without 0x, never decimal:
 *
 *   ADDR           7f10a2c4d123
 *   START-END      as maps prints it
 *   START+SIZE     the size as in size.h
 *   FILE+OFFSET    libc.so.6+0x4d123: an offset in a file, in hex; what it means in a process, its VMAs say
 */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum address_form { ADDRESS_POINT, ADDRESS_RANGE, ADDRESS_FILE };

struct address {
	enum address_form form;
	uint64_t start;		/* ADDRESS_POINT and ADDRESS_RANGE */
	uint64_t end;		/* ADDRESS_RANGE: first address behind it */
	bool sized;		/* ADDRESS_RANGE: written as START+SIZE, which is easily meant as a sum */
	const char *file;	/* ADDRESS_FILE: borrowed from the text, not NUL-terminated */
	size_t file_len;
	uint64_t offset;
};

/* 0, -EINVAL: no address, or -ERANGE: beyond 64 bits. */
int address_parse(const char *text, struct address *ret);

/* One address: hex, with or without 0x. */
int address_parse_hex(const char *text, uint64_t *ret);

#endif
