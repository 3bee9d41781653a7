/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of one page and of its frame, in words. */
#ifndef CLIENT_PAGE_TEXT_H
#define CLIENT_PAGE_TEXT_H

#include <jansson.h>

#include "text.h"

/* All return 0, or -ENOMEM. */

/* Of a frame, the record of fields.def: "referenced, uptodate, lru, mmap"; of none, "no flags". */
int page_text_flags(const json_t *frame, struct text *out);

/* "folio of 1 page; cgroup /user.slice; node 0", as far as it is known; nothing where nothing is. */
int page_text_place(const json_t *frame, struct text *out);

/*
 * Of a page, the record of fields.def: "present, file, exclusive", "guard: a guard page (MADV_GUARD_INSTALL): ...".
 * vma: the one that it is of.
 */
int page_text_state(const json_t *page, const json_t *vma, struct text *out);

#endif
