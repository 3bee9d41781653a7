/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations of a VMA in words: what `ops` and `show` both print of it. */
#ifndef CLIENT_OPS_TEXT_H
#define CLIENT_OPS_TEXT_H

#include <jansson.h>

#include "text.h"

/* "ext4_file_vm_ops [ext4]", "NULL" or "(no symbol)". kernel: an object with the members of that record of fields.def. */
int ops_text_table(const json_t *kernel, struct text *out);

/* "a_ops ext4_da_aops   f_op ext4_file_operations"; nothing where it has no file. */
int ops_text_file(const json_t *kernel, struct text *out);

/* "filemap_fault", "ext4_page_mkwrite [ext4]", "NULL" or "(no symbol)", of a member. */
int ops_text_function(const json_t *member, struct text *out);

#endif
