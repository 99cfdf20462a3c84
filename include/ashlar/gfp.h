/* SPDX-License-Identifier: MIT */
/*
 * gfp.h - what an allocation may do to succeed, and what memory it wants
 *
 * What    The kernel's flags under the kernel's names. Values are private: they
 *         differ between kernel releases and may differ here.
 * Source  Linux Documentation/core-api/memory-allocation.rst and gfp.h
 */
#ifndef ASHLAR_GFP_H
#define ASHLAR_GFP_H

#if defined(__GNUC__)
#define ASHLAR_API __attribute__((visibility("default")))
#define ASHLAR_LINK(name) __asm__(#name)
#else
#error "Ashlar needs gcc or clang: its link names are given by declaration"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned int ashlar_gfp_t;

/* Which memory. */
#define ASHLAR_GFP_DMA 0x1u           /* what all devices reach (a PC: 16 MiB); none in a process */
#define ASHLAR_GFP_HIGHMEM 0x2u       /* ignored: all memory is mapped */
#define ASHLAR_GFP_DMA32 0x4u         /* what 32 bits reach (4 GiB); none in a process */
#define ASHLAR_GFP_MOVABLE 0x8u       /* in a kernel: pages that lie together */
#define ASHLAR_GFP_RECLAIMABLE 0x10u  /* a shrinker can free it; the same */
#define ASHLAR_GFP_THISNODE 0x200000u /* no other node */
#define ASHLAR_GFP_ACCOUNT 0x400000u  /* charge the caller's group */
#define ASHLAR_GFP_ZERO 0x100u        /* zeroed */
/* What may be done for it. */
#define ASHLAR_GFP_HIGH 0x20u            /* may use a part of the reserve */
#define ASHLAR_GFP_IO 0x40u              /* shrinkers that do I/O may run */
#define ASHLAR_GFP_FS 0x80u              /* shrinkers may run that take the caller's locks */
#define ASHLAR_GFP_DIRECT_RECLAIM 0x400u /* may wait, make system calls, run shrinkers */
#define ASHLAR_GFP_KSWAPD_RECLAIM 0x800u /* wakes a background reclaimer, where there is one */
#define ASHLAR_GFP_NOWARN 0x2000u        /* no report when it fails */
#define ASHLAR_GFP_RETRY_MAYFAIL 0x4000u /* several rounds of reclaim, then fail */
#define ASHLAR_GFP_NOFAIL 0x8000u        /* never fails: waits for memory */
#define ASHLAR_GFP_NORETRY 0x10000u      /* one light round of reclaim */
#define ASHLAR_GFP_MEMALLOC 0x20000u     /* may use the whole reserve */
#define ASHLAR_GFP_COMP 0x40000u         /* the block stays whole until its last reference goes */
#define ASHLAR_GFP_NOMEMALLOC 0x80000u   /* never the reserve; wins over MEMALLOC */
/* What has no meaning here, and is no error. */
#define ASHLAR_GFP_ATOMIC_OLD 0x200u  /* what GFP_ATOMIC had once */
#define ASHLAR_GFP_WRITE 0x1000u      /* the page will be written */
#define ASHLAR_GFP_HARDWALL 0x100000u /* the caller's cpuset */
#define ASHLAR_GFP_ZEROTAGS 0x800000u /* tags of the hardware */
#define ASHLAR_GFP_NOLOCKDEP 0x1000000u

#define ASHLAR_GFP_KNOWN 0x1ffffffu

/* Each of these has size caches of its own. */
#define ASHLAR_GFP_TYPES \
	(ASHLAR_GFP_DMA | ASHLAR_GFP_DMA32 | ASHLAR_GFP_RECLAIMABLE | ASHLAR_GFP_ACCOUNT)
#define ASHLAR_GFP_RECLAIM (ASHLAR_GFP_DIRECT_RECLAIM | ASHLAR_GFP_KSWAPD_RECLAIM)

/*
 * A scope: all allocations of this thread, whoever makes them, from save to restore, which gets
 * what save returned. Scopes may lie in each other.
 *   noreclaim  nothing is reclaimed for them, no shrinker runs, and they may use the whole reserve,
 *              as with __GFP_MEMALLOC: for code that itself frees memory
 *   noio       without __GFP_IO and __GFP_FS: for code that shrinkers which do I/O could wait for
 *   nofs       without __GFP_FS: for code that holds what shrinkers take
 * Any thread. A kernel that has not given ashlar_host_task (ashlar/bare.h) is told so, and goes
 * on without. Not in the slob library, which has no reserve.
 */
ASHLAR_API unsigned int ashlar_memalloc_noreclaim_save(void);
ASHLAR_API void ashlar_memalloc_noreclaim_restore(unsigned int before);
ASHLAR_API unsigned int ashlar_memalloc_noio_save(void);
ASHLAR_API void ashlar_memalloc_noio_restore(unsigned int before);
ASHLAR_API unsigned int ashlar_memalloc_nofs_save(void);
ASHLAR_API void ashlar_memalloc_nofs_restore(unsigned int before);

#ifndef ASHLAR_NO_SHORT_NAMES
typedef ashlar_gfp_t gfp_t;

#define __GFP_DMA ASHLAR_GFP_DMA
#define __GFP_HIGHMEM ASHLAR_GFP_HIGHMEM
#define __GFP_DMA32 ASHLAR_GFP_DMA32
#define __GFP_MOVABLE ASHLAR_GFP_MOVABLE
#define __GFP_RECLAIMABLE ASHLAR_GFP_RECLAIMABLE
#define __GFP_HIGH ASHLAR_GFP_HIGH
#define __GFP_IO ASHLAR_GFP_IO
#define __GFP_FS ASHLAR_GFP_FS
#define __GFP_ZERO ASHLAR_GFP_ZERO
#define __GFP_DIRECT_RECLAIM ASHLAR_GFP_DIRECT_RECLAIM
#define __GFP_KSWAPD_RECLAIM ASHLAR_GFP_KSWAPD_RECLAIM
#define __GFP_RECLAIM ASHLAR_GFP_RECLAIM
#define __GFP_NOWARN ASHLAR_GFP_NOWARN
#define __GFP_RETRY_MAYFAIL ASHLAR_GFP_RETRY_MAYFAIL
#define __GFP_NOFAIL ASHLAR_GFP_NOFAIL
#define __GFP_NORETRY ASHLAR_GFP_NORETRY
#define __GFP_MEMALLOC ASHLAR_GFP_MEMALLOC
#define __GFP_COMP ASHLAR_GFP_COMP
#define __GFP_NOMEMALLOC ASHLAR_GFP_NOMEMALLOC
#define __GFP_THISNODE ASHLAR_GFP_THISNODE
#define __GFP_ACCOUNT ASHLAR_GFP_ACCOUNT
#define __GFP_ATOMIC ASHLAR_GFP_ATOMIC_OLD
#define __GFP_WRITE ASHLAR_GFP_WRITE
#define __GFP_HARDWALL ASHLAR_GFP_HARDWALL
#define __GFP_ZEROTAGS ASHLAR_GFP_ZEROTAGS
#define __GFP_NOLOCKDEP ASHLAR_GFP_NOLOCKDEP
#define __GFP_COLD 0u                         /* until Linux 4.14 */
#define __GFP_REPEAT ASHLAR_GFP_RETRY_MAYFAIL /* its name until Linux 4.12 */

#define GFP_ATOMIC (ASHLAR_GFP_HIGH | ASHLAR_GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT ASHLAR_GFP_KSWAPD_RECLAIM
#define GFP_KERNEL (ASHLAR_GFP_RECLAIM | ASHLAR_GFP_IO | ASHLAR_GFP_FS)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | ASHLAR_GFP_ACCOUNT)
#define GFP_NOIO ASHLAR_GFP_RECLAIM
#define GFP_NOFS (ASHLAR_GFP_RECLAIM | ASHLAR_GFP_IO)
#define GFP_USER (GFP_KERNEL | ASHLAR_GFP_HARDWALL)
#define GFP_HIGHUSER (GFP_USER | ASHLAR_GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | ASHLAR_GFP_MOVABLE)
#define GFP_TRANSHUGE_LIGHT                                                                     \
	((GFP_HIGHUSER_MOVABLE | ASHLAR_GFP_COMP | ASHLAR_GFP_NOMEMALLOC | ASHLAR_GFP_NOWARN) & \
	 ~ASHLAR_GFP_RECLAIM)
#define GFP_TRANSHUGE (GFP_TRANSHUGE_LIGHT | ASHLAR_GFP_DIRECT_RECLAIM)
#define GFP_DMA ASHLAR_GFP_DMA
#define GFP_DMA32 ASHLAR_GFP_DMA32

ASHLAR_API unsigned int memalloc_noreclaim_save(void) ASHLAR_LINK(ashlar_memalloc_noreclaim_save);
ASHLAR_API void memalloc_noreclaim_restore(unsigned int before)
	ASHLAR_LINK(ashlar_memalloc_noreclaim_restore);
ASHLAR_API unsigned int memalloc_noio_save(void) ASHLAR_LINK(ashlar_memalloc_noio_save);
ASHLAR_API void memalloc_noio_restore(unsigned int before)
	ASHLAR_LINK(ashlar_memalloc_noio_restore);
ASHLAR_API unsigned int memalloc_nofs_save(void) ASHLAR_LINK(ashlar_memalloc_nofs_save);
ASHLAR_API void memalloc_nofs_restore(unsigned int before)
	ASHLAR_LINK(ashlar_memalloc_nofs_restore);
#endif

#ifdef __cplusplus
}
#endif

#endif
