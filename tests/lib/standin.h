/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standin: answers the ioctls of the helper module (vmad/uapi.h) out of a text, where there is no module. It keeps the
 * protocol (rooms, widths, cursors, blank padding), so that who asks wrongly is told so. A line each, words with blanks
 * between, - for nothing, ? for what has no name; numbers in hex with 0x:
 *
 *   generation N                             another N: the counts of `fail` and `set` begin anew
 *   info ABI CAPABILITIES                    what INFO says
 *   reason CAPABILITY WORDS...
 *   fail INFO|VMAS|RMAP|FILEMAP ERRNO TIMES  the first TIMES calls fail
 *   set RMAP|FILEMAP RESULT TIMES            the first TIMES replies have these bits
 *   table NAME MODULE MEMBER=SYMBOL...       a vm_operations_struct
 *   vma PID START END FLAGS PGOFF TABLE F_OP A_OPS HAS
 *   page PID ADDRESS PFN KIND MAPCOUNT A_OPS
 *   mapping PFN ADDRESS START END FLAGS PGOFF MM STATE TABLE
 *   filemapping INODE START END FLAGS PGOFF MM TABLE
 *   pid MM PID
 */
#ifndef TESTS_STANDIN_H
#define TESTS_STANDIN_H

/* The text is borrowed and read at each call, so it may change. */
void standin_text(const char *text);

/* As ioctl(2), but 0 or negative errno. */
int standin_ioctl(int fd, unsigned long request, void *arg);

#endif
