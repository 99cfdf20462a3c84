# SPDX-License-Identifier: MIT
"""creates.py - what both engines refuse to create, in the same words: cases of cache.c

A row is what is done, how the program ends, and the first line of what it prints.
"""
REFUSAL = 'ashlar: kmem_cache_create("{}"): refused: {}'
ARGS_REFUSAL = 'ashlar: kmem_cache_create_args("args"): refused: {}'

CREATE_CASES = [
    ("create no-name", 0, "ashlar: kmem_cache_create(): refused: a cache needs a name"),
    ("create empty-name", 0, REFUSAL.format("", "a cache needs a name")),
    ("create size-0", 0, REFUSAL.format("none", "the size is 0")),
    ("create size-large", 0, REFUSAL.format("whale", "the size is above 4 MiB")),
    ("create flags", 0, REFUSAL.format("flags", "unknown flags")),
    ("create align", 0, REFUSAL.format("align", "the alignment is not a power of two up to 4 MiB")),
    ("create zones", 0,
     REFUSAL.format("zones", "SLAB_CACHE_DMA and SLAB_CACHE_DMA32 are two different zones")),
    ("create dma", 0, REFUSAL.format("dma", "this home has no DMA memory")),
    ("create rcu", 0,
     REFUSAL.format("rcu", "SLAB_TYPESAFE_BY_RCU needs an RCU: call ashlar_rcu_bind first")),
    ("create panic", -6, REFUSAL.format("must", "the size is 0")),
    ("create window-outside", 0, ARGS_REFUSAL.format("the user window is not inside the object")),
    ("create window-empty", 0, ARGS_REFUSAL.format("the user window has an offset, but no size")),
    ("create pointer-outside", 0,
     ARGS_REFUSAL.format("the free pointer is not inside the object, or not aligned")),
    ("create sheaf", 0, ARGS_REFUSAL.format("the sheaf capacity is above 120")),
]
