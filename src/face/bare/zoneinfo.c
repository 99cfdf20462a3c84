/* SPDX-License-Identifier: MIT */
/*
 * zoneinfo.c - the zones of pages on a kernel's console, as Linux's /proc has them
 *
 * What    /proc/zoneinfo's figures of each zone, and /proc/buddyinfo's line of free blocks by
 *         order. Nothing is stopped: figures are of about this moment.
 */
#include "ashlar/bare.h"
#include "base/text.h"
#include "cache/init.h"
#include "page/page.h"
#include "page/zone.h"

/* @n or a name, set right in @width columns. */
static void zoneinfo_right(struct text *t, const char *name, u64 n, size_t width)
{
	struct text word;

	text_init(&word);
	if (name)
		text_str(&word, name);
	else
		text_dec(&word, n);
	text_char(&word, '\0');
	for (size_t i = word.length - 1; i < width; i++)
		text_char(t, ' ');
	text_str(t, word.bytes);
}

static void zoneinfo_begin(struct text *t, const struct zone *z)
{
	static const char *const names[] = { "DMA", "DMA32", "Normal" };

	text_init(t);
	text_str(t, "Node ");
	text_dec(t, z->node);
	text_str(t, ", zone ");
	zoneinfo_right(t, names[z->kind], 0, 8);
}

static void zoneinfo_line(struct text *t, const char *what, size_t pages)
{
	text_str(t, what);
	text_dec(t, pages);
	text_char(t, '\n');
}

static void zoneinfo_zone(const struct zone *z)
{
	struct text t;

	zoneinfo_begin(&t, z);
	zoneinfo_line(&t, "\n  pages free     ", READ_ONCE(z->free_pages));
	zoneinfo_line(&t, "        min      ", READ_ONCE(z->watermark[WATERMARK_MIN]));
	zoneinfo_line(&t, "        low      ", READ_ONCE(z->watermark[WATERMARK_LOW]));
	zoneinfo_line(&t, "        high     ", READ_ONCE(z->watermark[WATERMARK_HIGH]));
	zoneinfo_line(&t, "        spanned  ", z->end_pfn - z->first_pfn);
	zoneinfo_line(&t, "        present  ", READ_ONCE(z->managed_pages));
	zoneinfo_line(&t, "        managed  ", READ_ONCE(z->managed_pages));
	text_str(&t, "        protection: (");
	for (unsigned kind = 0; kind < NR_ZONE_KINDS; kind++) {
		text_str(&t, kind ? ", " : "");
		text_dec(&t, READ_ONCE(z->lowmem_reserve[kind]));
	}
	text_str(&t, ")\n");
	text_print(&t);
}

static void zoneinfo_blocks(const struct zone *z)
{
	struct text t;

	zoneinfo_begin(&t, z);
	text_char(&t, ' ');
	for (unsigned order = 0; order < NR_ORDERS; order++) {
		zoneinfo_right(&t, NULL, READ_ONCE(z->area[order].count), 6);
		text_char(&t, ' ');
	}
	text_char(&t, '\n');
	text_print(&t);
}

static void zoneinfo_each(void (*print)(const struct zone *))
{
	struct page_tables tables;

	if (!init_done())
		return;
	page_tables(&tables);
	for (unsigned i = 0; i < tables.zone_count; i++)
		print(&tables.zones[i]);
}

void ashlar_zoneinfo(void)
{
	zoneinfo_each(zoneinfo_zone);
}

void ashlar_buddyinfo(void)
{
	zoneinfo_each(zoneinfo_blocks);
}
