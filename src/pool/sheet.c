/* SPDX-License-Identifier: MIT */
/*
 * sheet.c - see sheet.h
 */
#include "pool/sheet.h"
#include "base/bits.h"
#include "base/check.h"

void cut_choose(struct cut *cut, size_t stride, bool callbacks)
{
	ASSERT(stride >= (callbacks ? SHEET_CALLBACK_MIN : GRANULE_SIZE));
	*cut = (struct cut){
		.stride = (u32)stride,
		.objects = (u32)(SHEET_BYTES / stride),
		.reciprocal = (((u64)1 << 43) + stride - 1) / stride,
		.callbacks = callbacks,
	};
}

static u64 *sheet_word(const struct page *head, unsigned word)
{
	struct page *page = (struct page *)(uintptr_t)&head[word / PAGE_WORDS];

	return &page->bits[word % PAGE_WORDS];
}

static u64 *sheet_pending_word(const struct page *head, unsigned word)
{
	return sheet_word(head, SHEET_WORDS / 2 + word);
}

/* The summaries lie where a head has the number of its pages: no other use of a tail. Or, with few
 * pages, behind the head's bits. */
static u64 *sheet_summary(const struct page *head, unsigned i)
{
	struct page *h = (struct page *)(uintptr_t)head;

	return SHEET_SPREADS ? (u64 *)(void *)&h[1 + i].pages : h->bits + PAGE_WORDS + i;
}

static u64 *sheet_top(const struct page *head)
{
	return sheet_summary(head, 0);
}

static u64 *sheet_middle(const struct page *head, unsigned middle)
{
	return sheet_summary(head, 1 + middle);
}

/* Bit word @word in a sheet where all objects are free. */
static u64 sheet_full_word(const struct cut *cut, unsigned word)
{
	return bits_mask((unsigned)size_min(cut->objects - (size_t)word * 64, 64));
}

void sheet_prepare(struct page *head, const struct cut *cut, void *owner)
{
	unsigned words = sheet_words(cut);
	unsigned middles = (words + 63) / 64;

	ASSERT(head->order == SHEET_ORDER);
	for (unsigned w = 0; w < words; w++)
		*sheet_word(head, w) = sheet_full_word(cut, w);
	for (unsigned w = 0; cut->callbacks && w < words; w++)
		*sheet_pending_word(head, w) = 0;
	for (unsigned m = 0; m < middles; m++)
		*sheet_middle(head, m) = bits_mask((unsigned)size_min(words - m * 64, 64));
	*sheet_top(head) = bits_mask(middles);
	head->used = 0;
	head->owner = owner;
	head->kind = PAGE_POOL;
	list_init(&head->link);
}

void sheet_unmake(struct page *head)
{
	ASSERT(head->kind == PAGE_POOL && head->used == 0);
	head->kind = PAGE_BLOCK;
	head->owner = NULL;
}

void *sheet_take(struct page *head, const struct cut *cut)
{
	unsigned middle = bits_lowest(*sheet_top(head));
	unsigned word = middle * 64 + bits_lowest(*sheet_middle(head, middle));
	u64 *bits = sheet_word(head, word);
	u32 index = word * 64 + bits_lowest(*bits);

	ASSERT(head->used < cut->objects); /* SH2 */
	head->used++;
	*bits &= *bits - 1;
	if (*bits == 0)
		*sheet_middle(head, middle) &= *sheet_middle(head, middle) - 1; /* SH1 */
	if (*sheet_middle(head, middle) == 0)
		*sheet_top(head) &= *sheet_top(head) - 1;
	return sheet_object(head, cut, index);
}

void sheet_set_pending(struct page *head, const struct cut *cut, const void *object, bool pending)
{
	u32 index = sheet_index(head, cut, object);
	u64 *bits = sheet_pending_word(head, index / 64);

	ASSERT(cut->callbacks && !(*sheet_word(head, index / 64) >> (index % 64) & 1)); /* SH3 */
	if (pending)
		*bits |= (u64)1 << (index % 64);
	else
		*bits &= ~((u64)1 << (index % 64));
}

void sheet_put(struct page *head, const struct cut *cut, const void *object)
{
	u32 index = sheet_index(head, cut, object);
	u64 *bits = sheet_word(head, index / 64);

	ASSERT(!(*bits >> (index % 64) & 1) && head->used > 0);
	*bits |= (u64)1 << (index % 64);
	*sheet_middle(head, index / 64 / 64) |= (u64)1 << (index / 64 % 64); /* SH1 */
	*sheet_top(head) |= (u64)1 << (index / 64 / 64);
	head->used--;
}

enum sheet_fault sheet_look(const struct page *head, const struct cut *cut, const void *owner,
			    const void *p)
{
	u32 index;

	if (READ_ONCE(head->kind) != PAGE_POOL || READ_ONCE(head->owner) != owner)
		return SHEET_FOREIGN;
	index = sheet_index(head, cut, p);
	if (index >= cut->objects)
		return SHEET_BEHIND;
	if (sheet_object(head, cut, index) != p)
		return SHEET_INSIDE;
	if (*sheet_word(head, index / 64) >> (index % 64) & 1)
		return SHEET_FREE;
	if (cut->callbacks && *sheet_pending_word(head, index / 64) >> (index % 64) & 1)
		return SHEET_PENDING; /* SH3 */
	return SHEET_FINE;
}

u64 sheet_used_word(const struct page *head, const struct cut *cut, unsigned word)
{
	u64 used = ~*sheet_word(head, word) & sheet_full_word(cut, word);

	return cut->callbacks ? used & ~*sheet_pending_word(head, word) : used;
}

size_t sheet_audit(const struct page *head, const struct cut *cut)
{
	unsigned words = sheet_words(cut);
	size_t faults = head->kind != PAGE_POOL || head->order != SHEET_ORDER;
	u32 set = 0;

	for (unsigned w = 0; w < words; w++) {
		u64 bits = *sheet_word(head, w);

		set += bits_count(bits);
		faults += cut->callbacks && (bits & *sheet_pending_word(head, w));      /* SH3 */
		faults += (bits & ~sheet_full_word(cut, w)) != 0;                       /* SH2 */
		faults += (bits != 0) != (*sheet_middle(head, w / 64) >> (w % 64) & 1); /* SH1 */
	}
	for (unsigned m = 0; m < (words + 63) / 64; m++)
		faults += (*sheet_middle(head, m) != 0) != (*sheet_top(head) >> m & 1);
	return faults + (set + head->used != cut->objects); /* SH2 */
}
