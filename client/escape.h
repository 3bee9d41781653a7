/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Escapes: bytes that a process chose itself, made fit for a terminal, and vmad's own way to write bytes in JSON.
 */
#ifndef CLIENT_ESCAPE_H
#define CLIENT_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A copy in which each byte that is not printable text is written \xHH: control characters (C0, DEL, C1), marks that
 * turn the direction of writing or break lines, invalid UTF-8, and, where the locale is not UTF-8, whatever is not
 * ASCII. The caller frees it; NULL: no memory.
 */
char *escape_text(const char *p, size_t len);

/*
 * Undoes the "<name>_escaped" convention of include/vmad/records.h: \xHH becomes a byte and \\ one backslash. The caller
 * frees it; NULL: no memory. \x00, which vmad never writes, stays as it is, since it would end the string.
 */
char *escape_undo(const char *text);

/* For tests: what nl_langinfo(CODESET) would say. */
void escape_assume_utf8(bool utf8);

#endif
