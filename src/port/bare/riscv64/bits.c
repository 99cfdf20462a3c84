/* SPDX-License-Identifier: MIT */
/*
 * bits.c - RISC-V without Zbb: what gcc calls for counts of bits
 *
 * What    The compiler's own names. Weak: a kernel that links libgcc, or has them, keeps its own.
 */
#include <stdint.h>

int __clzdi2(uint64_t n);
int __ctzdi2(uint64_t n);
int __popcountdi2(uint64_t n);

/* Zeros above the highest bit; @n is not 0. */
__attribute__((weak)) int __clzdi2(uint64_t n)
{
	int zeros = 0;

	for (unsigned half = 32; half; half /= 2)
		if (!(n >> (64 - half))) {
			zeros += (int)half;
			n <<= half;
		}
	return zeros;
}

/* Zeros below the lowest bit; @n is not 0. */
__attribute__((weak)) int __ctzdi2(uint64_t n)
{
	return 63 - __clzdi2(n & -n);
}

__attribute__((weak)) int __popcountdi2(uint64_t n)
{
	n -= n >> 1 & UINT64_C(0x5555555555555555);
	n = (n & UINT64_C(0x3333333333333333)) + (n >> 2 & UINT64_C(0x3333333333333333));
	n = (n + (n >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (int)(n * UINT64_C(0x0101010101010101) >> 56);
}
