/* SPDX-License-Identifier: MIT */
/*
 * gfp.c - see gfp.h
 *
 * State   whether unknown bits were told
 */
#include "cache/gfp.h"
#include "base/text.h"
#include "cache/report.h"
#include "page/page.h"

void gfp_complain(gfp_t gfp)
{
	static u32 told; /* a word: not every processor exchanges bytes */
	struct text t;

	if (__atomic_exchange_n(&told, 1, __ATOMIC_RELAXED))
		return;
	text_init(&t);
	text_str(&t, "0x");
	text_hex(&t, gfp & ~ASHLAR_GFP_KNOWN, 1);
	text_char(&t, '\0');
	report_refusal("gfp", t.bytes, "unknown flags, which mean nothing here");
}

bool gfp_serves_kind(gfp_t gfp, const char *what, const char *name)
{
	if (!page_serves(gfp)) {
		report_refusal(what, name, "this home has no DMA memory");
		return false;
	}
	if ((gfp & __GFP_DMA) && (gfp & __GFP_DMA32)) {
		report_refusal(what, name, "DMA and DMA32 are two different zones");
		return false;
	}
	return true;
}

/* What kmalloc_nolock may be asked for. */
#define GFP_NOLOCK (__GFP_ZERO | __GFP_HIGH | __GFP_THISNODE | __GFP_NOWARN | __GFP_NOMEMALLOC)

bool gfp_serves_nolock(gfp_t gfp)
{
	if (!(gfp & ~GFP_NOLOCK))
		return true;
	report_refusal("kmalloc_nolock", NULL,
		       "only __GFP_ZERO, __GFP_HIGH, "
		       "__GFP_THISNODE, __GFP_NOWARN and __GFP_NOMEMALLOC make sense here");
	return false;
}

void gfp_refuse_nofail(void)
{
	report_refusal("gfp", "__GFP_NOFAIL", "it needs __GFP_DIRECT_RECLAIM");
}
