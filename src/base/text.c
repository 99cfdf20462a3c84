/* SPDX-License-Identifier: MIT */
/*
 * text.c - see text.h
 */
#include "base/text.h"
#include "port/port.h"

void text_init(struct text *t)
{
	t->length = 0;
}

void text_char(struct text *t, char c)
{
	if (t->length < sizeof(t->bytes))
		t->bytes[t->length++] = c;
}

void text_str(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

void text_dec(struct text *t, u64 n)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	while (count)
		text_char(t, digits[--count]);
}

void text_hex(struct text *t, u64 n, unsigned digits)
{
	for (unsigned i = 16; i > 0; i--) {
		unsigned digit = (unsigned)(n >> (4 * (i - 1))) & 15;

		if (digit || i <= digits || (n >> (4 * (i - 1))))
			text_char(t, "0123456789abcdef"[digit]);
	}
}

void text_pointer(struct text *t, const void *p)
{
	text_str(t, "0x");
	text_hex(t, (uintptr_t)p, 1);
}

void text_print(struct text *t)
{
	port_write(t->bytes, t->length);
	t->length = 0;
}

bool text_equals(const char *a, size_t length, const char *b)
{
	for (size_t i = 0; i < length; i++)
		if (b[i] == '\0' || a[i] != b[i])
			return false;
	return b[length] == '\0';
}
