/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text: bytes of a reply that several requests share, as they are and compressed; who holds the last reference frees. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include "encode/buf.h"
#include "vmad/records.h"

struct text;

/* Takes the bytes over, also on failure; with one reference. NULL without memory. */
struct text *text_new(struct buf *plain);
struct text *text_hold(struct text *text);
void text_release(struct text *text);

struct vmad_str text_bytes(const struct text *text, bool gzip);

#endif
