/* SPDX-License-Identifier: MIT */
/*
 * lib.c - the console, the boot line, and the four functions that compilers expect
 */
#include "machine.h"

static char settings[1024];

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	return memmove(to, from, bytes);
}

/* Words where both are aligned alike. No call of itself: built with -fno-tree-loop-distribute. */
void *memmove(void *to, const void *from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	if ((uintptr_t)t - (uintptr_t)f < bytes) {
		while (bytes--)
			t[bytes] = f[bytes];
		return to;
	}
	if (!(((uintptr_t)t | (uintptr_t)f) & 7)) {
		uint64_t *to_words = (uint64_t *)(void *)t;
		const uint64_t *from_words = (const uint64_t *)(const void *)f;

		for (; bytes >= 32; bytes -= 32, to_words += 4, from_words += 4) {
			to_words[0] = from_words[0];
			to_words[1] = from_words[1];
			to_words[2] = from_words[2];
			to_words[3] = from_words[3];
		}
		for (; bytes >= 8; bytes -= 8)
			*to_words++ = *from_words++;
		t = (char *)to_words;
		f = (const char *)from_words;
	}
	while (bytes--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	uint64_t word = (uint8_t)byte * UINT64_C(0x0101010101010101);
	char *t = to;

	for (; bytes && ((uintptr_t)t & 7); bytes--)
		*t++ = (char)byte;
	for (; bytes >= 32; bytes -= 32, t += 32) {
		uint64_t *words = (uint64_t *)(void *)t;

		words[0] = words[1] = words[2] = words[3] = word;
	}
	for (; bytes >= 8; bytes -= 8, t += 8)
		*(uint64_t *)(void *)t = word;
	while (bytes--)
		*t++ = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; bytes; bytes--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void print(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	arch_write(text, n);
}

static void print_base(uint64_t n, unsigned base)
{
	char digits[21] = "";
	unsigned i = 20;

	do {
		digits[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	arch_write(digits + i, 20 - i);
}

void print_number(uint64_t n)
{
	print_base(n, 10);
}

void print_hex(uint64_t n)
{
	print("0x");
	print_base(n, 16);
}

_Noreturn void panic(const char *why)
{
	irqs_off();
	print("\nkernel panic: ");
	print(why);
	print("\n");
	arch_exit(3);
}

void settings_set(const char *line)
{
	unsigned n = 0;

	for (; line && line[n] && n < sizeof(settings) - 1; n++)
		settings[n] = line[n] == ' ' ? '\0' : line[n];
}

const char *setting(const char *name)
{
	for (const char *at = settings; at < settings + sizeof(settings) - 1; at++) {
		size_t n = 0;

		if (at > settings && at[-1])
			continue;
		while (name[n] && at[n] == name[n])
			n++;
		if (!name[n] && at[n] == '=')
			return at + n + 1;
	}
	return NULL;
}

uint64_t setting_number(const char *name, uint64_t otherwise)
{
	const char *text = setting(name);
	uint64_t n = 0;

	if (!text)
		return otherwise;
	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}
