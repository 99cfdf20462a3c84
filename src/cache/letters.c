/* SPDX-License-Identifier: MIT */
/*
 * letters.c - see letters.h; nothing is kept: the text is read anew for each cache
 */
#include "cache/letters.h"
#include "ashlar/slab.h"

#define LETTERS_DEFAULT (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

static const struct {
	char letter;
	u32 flag;
} letters_table[] = {
	{ 'F', SLAB_CONSISTENCY_CHECKS },
	{ 'Z', SLAB_RED_ZONE },
	{ 'P', SLAB_POISON },
	{ 'U', SLAB_STORE_USER },
	{ 'T', SLAB_TRACE },
	{ 'A', SLAB_FAILSLAB },
	{ 'O', LETTERS_SAME_ORDER },
	{ '-', 0 },
};

static char letters_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool letters_read(const char *letters, size_t length, u32 *flags)
{
	*flags = length ? 0 : LETTERS_DEFAULT;
	for (size_t i = 0; i < length; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(letters_table) &&
		       letters_table[k].letter != letters_upper(letters[i]))
			k++;
		if (k == ARRAY_SIZE(letters_table))
			return false;
		*flags |= letters_table[k].flag;
	}
	return true;
}

/* A star takes as little as it can; where that leads nowhere, the last star takes one more. */
bool letters_match(const char *pattern, size_t length, const char *name)
{
	size_t star = SIZE_MAX;
	size_t star_at = 0;
	size_t p = 0;
	size_t n = 0;

	while (name[n]) {
		if (p < length && pattern[p] == '*') {
			star = p++;
			star_at = n;
		} else if (p < length && (pattern[p] == name[n] || pattern[p] == '?')) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++star_at;
		} else {
			return false;
		}
	}
	while (p < length && pattern[p] == '*')
		p++;
	return p == length;
}

/* Bytes before the next @end, or before the end of the text. */
static size_t letters_word(const char *text, size_t length, char end)
{
	size_t n = 0;

	while (n < length && text[n] != end)
		n++;
	return n;
}

bool letters_list_has(const char *list, size_t length, const char *name)
{
	for (size_t i = 0; i < length;) {
		size_t n = letters_word(list + i, length - i, ',');

		if (n && letters_match(list + i, n, name))
			return true;
		i += n + 1;
	}
	return false;
}

static size_t letters_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

u32 letters_flags(const char *text, const char *name)
{
	size_t length = letters_length(text);
	u32 all = 0;

	for (size_t i = 0; i < length;) {
		size_t block = letters_word(text + i, length - i, ';');
		size_t word = letters_word(text + i, block, ',');
		u32 flags;

		if (letters_read(text + i, word, &flags)) {
			if (word == block)
				all = flags;
			else if (letters_list_has(text + i + word + 1, block - word - 1, name))
				return flags;
		}
		i += block + 1;
	}
	return all;
}

u32 letters_any(const char *text)
{
	size_t length = letters_length(text);
	u32 any = 0;

	for (size_t i = 0; i < length;) {
		size_t block = letters_word(text + i, length - i, ';');
		u32 flags;

		if (letters_read(text + i, letters_word(text + i, block, ','), &flags))
			any |= flags;
		i += block + 1;
	}
	return any;
}

bool letters_are_valid(const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t block = letters_word(text + i, length - i, ';');
		u32 flags;

		if (!letters_read(text + i, letters_word(text + i, block, ','), &flags))
			return false;
		i += block + 1;
	}
	return true;
}
