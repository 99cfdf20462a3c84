/* SPDX-License-Identifier: MIT */
/*
 * cases_begin.c - linked first: where the cases begin (a module is joined without the names that a
 * linker makes for the ends of a section)
 */
__asm__(".pushsection tap_cases, \"aw\"\n\t"
	".balign 8\n\t"
	".globl __start_tap_cases\n"
	"__start_tap_cases:\n\t"
	".popsection");
