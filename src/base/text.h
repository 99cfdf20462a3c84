/* SPDX-License-Identifier: MIT */
/*
 * text.h - a small formatter that allocates nothing
 *
 * What    Text is built in a fixed buffer and printed through the port in one
 *         piece. What does not fit is cut, never overrun.
 * Why     Reports are written while the heap may be broken and locks held.
 */
#ifndef ASHLAR_BASE_TEXT_H
#define ASHLAR_BASE_TEXT_H

#include "base/base.h"

struct text {
	size_t length; /* bytes used, at most sizeof(bytes) */
	char bytes[600];
};

void text_init(struct text *t);
void text_char(struct text *t, char c);
void text_str(struct text *t, const char *s);
void text_dec(struct text *t, u64 n);
void text_hex(struct text *t, u64 n, unsigned digits); /* at least @digits digits, no prefix */
void text_pointer(struct text *t, const void *p);      /* 0x... */
void text_print(struct text *t);                       /* write it out and start anew */

/* Are the @length bytes at @a the C string @b? */
bool text_equals(const char *a, size_t length, const char *b);

#endif
