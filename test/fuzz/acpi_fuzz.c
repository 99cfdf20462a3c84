/* SPDX-License-Identifier: MIT */
/*
 * acpi_fuzz.c - a fuzzer's bytes as the memory that ACPI's tables lie in, for kernel/x86_64/acpi.c
 *
 * What    Physical address 0 is the first byte; the root pointer is at 16, if there are so many.
 * Use     test/fuzz/acpi.sh builds and runs it; acpi_fuzz FILE repeats what it found.
 */
#include "firmware_fuzz.h"
#include "x86_64/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint8_t *memory = malloc(bytes ? bytes : 1);

	memcpy(memory, data, bytes);
	firmware_begin();
	acpi_read(memory, bytes, 16, 0);
	firmware_end();
	free(memory);
	return 0;
}
