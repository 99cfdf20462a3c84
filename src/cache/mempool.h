/* SPDX-License-Identifier: MIT */
/*
 * mempool.h - elements that are kept for bad times, for the rest of the floor
 */
#ifndef ASHLAR_CACHE_MEMPOOL_H
#define ASHLAR_CACHE_MEMPOOL_H

#include "ashlar/mempool.h"
#include "base/base.h"

void mempool_lock_all(void);
void mempool_unlock_all(void);

#endif
