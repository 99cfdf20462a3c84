/* SPDX-License-Identifier: MIT */
/*
 * fdt_fuzz.c - a fuzzer's bytes as the device tree of kernel/fdt.c
 *
 * Use     test/fuzz/fdt.sh builds and runs it; fdt_fuzz FILE repeats what it found.
 */
#include "fdt.h"
#include "firmware_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint8_t *tree = malloc(bytes ? bytes : 1);

	memcpy(tree, data, bytes);
	firmware_begin();
	if (fdt_read(tree, bytes, 0x80000000, 0))
		firmware_end();
	free(tree);
	return 0;
}
