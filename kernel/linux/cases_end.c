/* SPDX-License-Identifier: MIT */
/*
 * cases_end.c - linked last: where the cases end
 */
__asm__(".pushsection tap_cases, \"aw\"\n\t"
	".balign 8\n\t"
	".globl __stop_tap_cases\n"
	"__stop_tap_cases:\n\t"
	".popsection");
